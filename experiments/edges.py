"""Edges: the bounds of searched ranges at which the best trials stand, for the diagnosis and for a space that widens itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..tracking.records import TrialRecord

EDGE = 0.05
"""Within this share of a range's length, on the range's own scale, a value stands at its end."""

MOST = 0.6
"""The share of the best trials at one end, the best of all among them, with which that end wins."""

End = Literal["low", "high"]
ENDS: tuple[End, End] = ("low", "high")


@dataclass(frozen=True)
class Edge:
    """A bound that wins.

    Attributes:
        name: The hyperparameter.
        end: Which end of its range.
        value: The bound.
        trials: How many of the best stand there.
    """

    name: str
    end: End
    value: float
    trials: int


def edges(space: Mapping[str, Any], leaders: Sequence[TrialRecord]) -> list[Edge]:
    """The bounds at which the best trial and most of the leaders stand.

    Args:
        space: By hyperparameter {"low", "high", "log"} of a range; anything else has no bounds.
        leaders: The best trials, the best first.
    """
    found = []
    for name, table in space.items():
        if not isinstance(table, Mapping) or "low" not in table or table["low"] == table["high"]:
            continue
        places = [place(table, trial.params.get(name)) for trial in leaders]
        for end in ENDS:
            if end == "low" and table["low"] == 0:
                continue  # there is nothing below
            near = [p is not None and _at_end(p if end == "low" else 1 - p) for p in places]
            if near and near[0] and sum(near) >= MOST * len(leaders):
                found.append(Edge(name, end, table[end], sum(near)))
    return found


def _at_end(distance: float) -> bool:
    """Whether a place is at an end from which it has this distance; below 0, but for rounding, it is outside of the range."""
    return -1e-9 <= distance <= EDGE


def place(table: Mapping[str, Any], value: Any) -> float | None:
    """Where in its range a value stands, from 0 to 1 on the range's own scale; None for no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    low, high = float(table["low"]), float(table["high"])
    if table.get("log"):
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)
