"""The space over the course of a search: the bounds that were moved, by whom, and from which trial on.

A change is an event of the sweep's history. It is made between two batches and is in the store before a trial is drawn from the
new space; a replay finds it there and makes it at the same place. With `[search] widen` a bound that keeps winning is moved, once
in a sweep: the moment and the distance are functions of the trials that have ended, so they are the same on any number of workers,
and do not depend on how many trials are still to come.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from ...core.hyperparameters import PARAMETERS
from ...search.spaces.dimensions import Range
from ...search.spaces.layers import layer_of
from ...search.spaces.space import Space
from ...tracking.records import TrialRecord
from ..edges import Edge, End, edges
from ..ranking import ranked
from ..space_changes import SpaceChange, dumps

LEADERS = 10
"""How many of the best trials decide that a bound wins."""

COMPLETE = 2 * LEADERS
"""How many trials must be complete before one is moved: the leaders are the better half then, and later fewer."""

FACTOR = 0.5
"""By how much of its own length a range grows, on its own scale."""

_FIXED = ("layers", "epochs")
"""Ranges that other parts of the sweep are built on: the names of the layers' units, and budgets."""


class SpaceHistory:
    """The space of one launch as its search goes on.

    Args:
        space: The space of the sweep's first trial.
        changes: Those that were made already, in order.
        edit: Ranges that a sweep file was given since, by hyperparameter.
        widen: Whether bounds that win are moved.
        direction: "maximize" or "minimize".
        record: Writes the changes down, and returns when they are in the store.
        say: Tells the user.
    """

    def __init__(
        self,
        space: Space,
        changes: Sequence[SpaceChange] = (),
        edit: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        widen: bool = False,
        direction: str = "maximize",
        record: Callable[[str], None] = lambda text: None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._first = space
        self._changes = list(changes)
        self._edit = dict(edit or {})
        self._widen = widen
        self._direction = direction
        self._record = record
        self._say = say

    @property
    def changes(self) -> list[SpaceChange]:
        """All changes so far."""
        return list(self._changes)

    @property
    def latest(self) -> Space:
        """The space after all changes so far."""
        return self._with(self._changes)

    @property
    def whole(self) -> Space:
        """Of each range all that was ever searched."""
        tables = {name: dict(table) for name, table in self._first.table().items() if isinstance(table, Mapping)}
        for change in self._changes:
            for name, table in change.ranges.items():
                tables[name]["low"] = min(tables[name]["low"], table["low"])
                tables[name]["high"] = max(tables[name]["high"], table["high"])
        return self._first.with_ranges(tables) if self._changes else self._first

    def at(self, number: int) -> Space:
        """The space of trial `number`, by the changes so far."""
        return self._with(change for change in self._changes if change.number <= number)

    def renew(self, number: int, trials: Iterable[TrialRecord]) -> Space:
        """Change the space for trial `number`, which has not been begun, if it is time; return its space."""
        fresh = [self._edited(number), self._widened(number, trials)]
        made = [change for change in fresh if change is not None]
        if made:
            self._changes += made
            self._record(dumps(self._changes))
            for change in made:
                self._say(change.text)
        return self.at(number)

    def _edited(self, number: int) -> SpaceChange | None:
        """The edit, once."""
        edit, self._edit = self._edit, {}
        return self._change(number, "edit", edit) if edit else None

    def _widened(self, number: int, trials: Iterable[TrialRecord]) -> SpaceChange | None:
        if not self._widen or any(change.number == number for change in self._changes):
            return None
        complete = ranked(trials, self._direction)
        if len(complete) < COMPLETE:
            return None
        moved = {bound for change in self._changes if change.by == "widen" for bound in change.moved}
        space = self.at(number)
        ranges: dict[str, Mapping[str, Any]] = {}
        for edge in edges(space.table(), complete[:LEADERS]):
            wider = None if (edge.name, edge.end) in moved else widened(space.dimensions[edge.name], edge)
            if wider is not None:
                ranges[edge.name] = wider.table()
        return self._change(number, "widen", ranges) if ranges else None

    def _change(self, number: int, by: Literal["widen", "edit"], ranges: Mapping[str, Any]) -> SpaceChange:
        before = self.at(number).table()
        return SpaceChange(number, by, ranges, {name: before[name] for name in ranges})

    def _with(self, changes: Iterable[SpaceChange]) -> Space:
        ranges: dict[str, Mapping[str, Any]] = {}
        for change in changes:
            ranges |= change.ranges
        return self._first.with_ranges(ranges) if ranges else self._first


def widened(dimension: Any, edge: Edge) -> Range | None:
    """A range with the bound of `edge` moved out by `FACTOR` of its length, but not beyond what the hyperparameter may be.

    Where a limit itself is not allowed (a dropout of 1), the bound goes half of the way to it. None where there is no room.
    """
    if not isinstance(dimension, Range) or edge.name in _FIXED:
        return None
    bound = _within_limits(edge, dimension)
    if dimension.integer:
        bound = round(bound)
    if dimension.step is not None:  # a whole number of steps, so that the values that were tried stay values
        steps = math.floor(abs(bound - getattr(dimension, edge.end)) / dimension.step + 1e-9)
        bound = dimension.stepped(edge.end, steps)
    exact = bound if dimension.integer else float(bound)
    moved = replace(dimension, low=exact) if edge.end == "low" else replace(dimension, high=exact)
    return moved if moved.low < dimension.low or moved.high > dimension.high else None


def _beyond(dimension: Range, end: End) -> float:
    """The bound, moved without regard to what the hyperparameter may be."""
    low, high = float(dimension.low), float(dimension.high)
    if dimension.log:
        ratio = (high / low) ** FACTOR
        return dimension.short(low / ratio if end == "low" else high * ratio)
    length = FACTOR * (high - low)
    return dimension.short(low - length if end == "low" else high + length)


def _within_limits(edge: Edge, dimension: Range) -> float:
    """The moved bound, at most at the limit, or half of the way to one that is not allowed itself."""
    beyond = _beyond(dimension, edge.end)
    limit, allowed = _limit(edge.name, edge.end)
    if limit is None or (beyond > limit if edge.end == "low" else beyond < limit):
        return beyond
    if allowed:
        return limit
    # To a few digits of the way itself: those of the range's length might round to the limit, or leave the bound where it is.
    return float(f"{limit + float(f'{(getattr(dimension, edge.end) - limit) / 2:.3g}'):.12g}")


def _limit(name: str, end: End) -> tuple[float | None, bool]:
    """What a hyperparameter may be at least or at most, and whether that itself is allowed; None for no limit."""
    if layer_of(name) and name not in PARAMETERS:
        return (1.0 if end == "low" else 100_000.0), True
    rule = PARAMETERS[name]
    return (rule.low, not rule.above) if end == "low" else (rule.high, not rule.below)
