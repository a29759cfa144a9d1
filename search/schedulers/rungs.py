"""Rungs: the epochs at which trials are compared, and the value of a curve that is compared there."""

from __future__ import annotations

import math
from collections.abc import Sequence


def rungs(max_epochs: int, min_epochs: int, eta: float) -> list[int]:
    """`max_epochs`, `max_epochs / eta`, `max_epochs / eta^2` ... down to `min_epochs`, ascending and rounded.

    Raises ValueError for an `eta` of less than 2 and a `min_epochs` outside 1 ... `max_epochs`.
    """
    if isinstance(eta, bool) or not isinstance(eta, int | float) or not 2 <= eta < math.inf:
        raise ValueError(f"eta: {eta!r} is not a number of at least 2")
    if isinstance(min_epochs, bool) or not isinstance(min_epochs, int) or not 1 <= min_epochs <= max_epochs:
        raise ValueError(f"min_epochs: {min_epochs!r} is not an integer from 1 to {max_epochs}, the epochs of a trial")
    found = [max_epochs]
    while (epochs := max_epochs * eta ** -len(found)) >= min_epochs * (1 - 1e-9):
        found.append(max(1, round(epochs)))
    return found[::-1]


def best_so_far(values: Sequence[float | None], maximize: bool) -> float:
    """The best value of a curve so far, to be maximised: early stopping would keep it if the curve gets worse."""
    sign = 1.0 if maximize else -1.0
    return max((sign * value for value in values if value is not None and not math.isnan(value)), default=-math.inf)
