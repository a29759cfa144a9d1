"""A sweep file whose space was edited before a resume: what of it may change, and how it differs from the space that is searched.

The ranges of the same hyperparameters may become wider or narrower; that is an event of the history (`space_history`), and what was
tried before stays. Anything else would be another sweep.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ...search.spaces.dimensions import Choices, Dimension, Range
from ...search.spaces.space import Space
from ...tracking import reader, schema
from ...tracking.records import LaunchRecord
from ..config import Spec
from ..config.checks import refuse_to_move, searcher_of
from ..errors import UserError
from ..space_changes import loads
from .space_history import SpaceHistory

Ranges = Mapping[str, Mapping[str, Any]]


def as_searched(spec: Spec, earlier: LaunchRecord, uri: str) -> tuple[Spec, Ranges]:
    """The sweep file with the space of the launch's first trial, and the ranges that it was given since its last edit.

    Raises UserError for a space that differs in something else, and for a method that cannot search one that changes.
    """
    stored = (reader.launch_data(uri, earlier, schema.SPEC) or {}).get("space")
    now = spec.parsed_space
    if stored is None or now is None:
        return spec, {}  # where one of them has no space, `check_same` says so
    first = Space.parse(stored, fixed=spec.hyperparameters)
    edits = [change for change in loads(earlier.space_changes) if change.by == "edit"]
    before = SpaceHistory(first, edits).latest
    if before.dimensions == now.dimensions and not edits:
        return spec, {}
    ranges = _edited(before, now)
    refused = refuse_to_move(spec.search, searcher_of(spec)) if ranges else None
    if refused:
        raise UserError(f"--resume: [space] {next(iter(ranges))} has changed; {refused}")
    begun = spec.model_copy(update={"space": stored})
    begun._parsed_space = first
    return begun, ranges


def edited_tables(space: Mapping[str, Any] | None, earlier: LaunchRecord) -> Mapping[str, Any] | None:
    """The [space] of a launch's first sweep file as it was edited last."""
    edited = dict(space) if space is not None else None
    for change in loads(earlier.space_changes):
        if change.by == "edit" and edited is not None:
            edited |= change.ranges
    return edited


def _edited(before: Space, now: Space) -> dict[str, Mapping[str, Any]]:
    """The new ranges by hyperparameter. Raises UserError for any other difference."""
    for name in (*now, *before):
        if name not in before or name not in now:
            what = "is new" if name not in before else "is gone"
            raise UserError(
                f"--resume: [space] {name} {what}; ranges may change, but not which hyperparameters are searched"
            )
    changed = {name: now.dimensions[name] for name in before if now.dimensions[name] != before.dimensions[name]}
    return {name: _as_range(name, before.dimensions[name], dimension).table() for name, dimension in changed.items()}


def _as_range(name: str, before: Dimension, now: Dimension) -> Range:
    if isinstance(before, Choices) or isinstance(now, Choices):
        if isinstance(before, Choices) and isinstance(now, Choices) and before.values == now.values:
            raise UserError(f"--resume: [space] {name}: the prior of choices stays as it was when the sweep was begun")
        raise UserError(
            f"--resume: [space] {name}: choices stay as they were when the sweep was begun; only ranges may change"
        )
    for key in ("log", "step", "points", "integer"):
        old, new = getattr(before, key), getattr(now, key)
        if old != new:
            told = {"integer": "whole numbers or not"}.get(key, key)
            raise UserError(f"--resume: [space] {name}: {told} has changed; only low and high may")
    if before.step is not None and (Decimal(str(now.low)) - Decimal(str(before.low))) % Decimal(str(before.step)):
        raise UserError(
            f"--resume: [space] {name}: low was {before.low} and is {now.low}, which is not a whole number of steps of "
            f"{before.step}"
        )
    return now
