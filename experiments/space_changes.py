"""What happened to a sweep's space while it was searched, as events of its history: in its launch's tag, and in words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .edges import ENDS, End
from .short import value_text


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
        changes = [f"{name} {_change(table, self.before[name])}" for name, table in self.ranges.items()]
        return f"{'widened' if self.by == 'widen' else 'edited'} from trial {self.number} on: {', '.join(changes)}"

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


def _change(table: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    if table.get("prior") == before.get("prior"):
        return f"{_bounds(table)} (was {_bounds(before)})"
    return f"{_bounds(table)}, {_prior(table)} (was {_bounds(before)}, {_prior(before)})"


def _prior(table: Mapping[str, Any]) -> str:
    return f"prior {value_text(table['prior'])}" if "prior" in table else "no prior"


def _bounds(table: Mapping[str, Any]) -> str:
    return f"{value_text(table['low'])} to {value_text(table['high'])}"
