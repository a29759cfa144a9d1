"""What is known of a configuration before it is trained: the costs that are minimised beside a score, and whether it may train."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KnownCosts:
    """The costs of a configuration, from its values in the space's own terms.

    Attributes:
        of: The costs that are minimised, in the order of the study's directions after the first; infinite where there is no such
            network.
        admits: Whether a configuration is within the limits, so that it may be trained.
        names: The hyperparameters on which either depends; None where it may be any.
        count: How many costs are minimised.
        limited: Whether there are limits at all.
    """

    of: Callable[[Mapping[str, Any]], Sequence[float]]
    admits: Callable[[Mapping[str, Any]], bool]
    names: frozenset[str] | None = None
    count: int = 0
    limited: bool = False
