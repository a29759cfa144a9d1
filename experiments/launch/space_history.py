"""The space over the course of a search: the bounds that were moved, by whom, and from which trial on.

A change is an event of the sweep's history. It is made between two batches and is in the store before a trial is drawn from the
new space; a replay finds it there and makes it at the same place. With `[search] widen` a bound that keeps winning is moved, once
in a sweep: the moment and the distance are functions of the trials that have ended, so they are the same on any number of workers,
and do not depend on how many trials are still to come.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ...core.hyperparameters import PARAMETERS
from ...search.spaces.dimensions import Range
from ...search.spaces.layers import layer_of
from ...search.spaces.space import Space
from ...tracking.records import TrialRecord
from ..edges import ENDS, Edge, End, edges
from ..ranking import ranked
from ..short import value_text

LEADERS = 10
"""How many of the best trials decide that a bound wins."""

COMPLETE = 2 * LEADERS
"""How many trials must be complete before one is moved: the leaders are the better half then, and later fewer."""

FACTOR = 0.5
"""By how much of its own length a range grows, on its own scale."""

_DIGITS = 3
"""To how many digits a moved bound is rounded."""

_FIXED = ("layers", "epochs")
"""Ranges that other parts of the sweep are built on: the names of the layers' units, and budgets."""


@dataclass(frozen=True)
class SpaceChange:
    """Ranges that hold from a trial on.

    Attributes:
        number: The first trial that is drawn from them.
        by: "widen" for a bound that won, "edit" for a sweep file that was edited before a resume.
        ranges: By hyperparameter the new range, as `[space]` has it.
        before: The range that it had.
    """

    number: int
    by: Literal["widen", "edit"]
    ranges: Mapping[str, Mapping[str, Any]]
    before: Mapping[str, Mapping[str, Any]]

    @property
    def text(self) -> str:
        """The change in words."""
        told = [f"{name} {_bounds(table)} (was {_bounds(self.before[name])})" for name, table in self.ranges.items()]
        return f"{'widened' if self.by == 'widen' else 'edited'} from trial {self.number} on: {', '.join(told)}"

    @property
    def moved(self) -> set[tuple[str, End]]:
        """The bounds that it moved."""
        return {
            (name, end) for name, table in self.ranges.items() for end in ENDS if table[end] != self.before[name][end]
        }


def dumps(changes: Sequence[SpaceChange]) -> str:
    """The changes as the launch's tag has them."""
    return json.dumps([vars(change) for change in changes])


def loads(stored: Any) -> list[SpaceChange]:
    """The changes of the launch's tag, from its JSON data; none where there is none."""
    return [SpaceChange(e["number"], e["by"], e["ranges"], e["before"]) for e in stored or ()]


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
    beyond = _beyond(dimension, edge.end)
    bound = _within_limits(edge.name, edge.end, getattr(dimension, edge.end), beyond)
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
        return float(f"{low / ratio if end == 'low' else high * ratio:.{_DIGITS}g}")
    length = FACTOR * (high - low)
    return round(low - length if end == "low" else high + length, _DIGITS - math.floor(math.log10(length)))


def _within_limits(name: str, end: End, bound: float, beyond: float) -> float:
    limit, allowed = _limit(name, end)
    if limit is None or (beyond > limit if end == "low" else beyond < limit):
        return beyond
    return limit if allowed else float(f"{(bound + limit) / 2:.{_DIGITS}g}")


def _limit(name: str, end: End) -> tuple[float | None, bool]:
    """What a hyperparameter may be at least or at most, and whether that itself is allowed; None for no limit."""
    if layer_of(name) and name not in PARAMETERS:
        return (1.0 if end == "low" else 100_000.0), True
    rule = PARAMETERS[name]
    return (rule.low, not rule.above) if end == "low" else (rule.high, not rule.below)


def _bounds(table: Mapping[str, Any]) -> str:
    return f"{value_text(table['low'])} to {value_text(table['high'])}"
