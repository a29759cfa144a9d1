"""What the points of a search space cost, known before any is trained: for the samplers, and to refuse what is over a limit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...search.known_costs import KnownCosts
from ...search.spaces.layers import configuration
from ...search.spaces.space import Space
from ..costs import Costs, costing, over
from ..errors import UserError
from .extremes import extreme

Point = Mapping[str, Any]


@dataclass(frozen=True)
class PointCosts:
    """The costs of the points of a space, and what they may be at most.

    Attributes:
        costs: Counts.
        limit: By counted cost the most that a model may have of it.
        space: What is searched.
        fixed: The hyperparameters that all trials share.
        counted: The costs that are minimised.
    """

    costs: Costs
    limit: Mapping[str, float]
    space: Space
    fixed: Mapping[str, Any]
    counted: tuple[str, ...] = ()
    _known: dict[tuple[Any, ...], Mapping[str, float] | None] = field(default_factory=dict, compare=False)

    def of(self, point: Point) -> Mapping[str, float] | None:
        """Each cost of a point; None where there is no such network."""
        names = self._names
        key = tuple((name, _hashable(value)) for name, value in point.items() if name in names)
        if key not in self._known:
            try:
                self._known[key] = self.costs.of(configuration(point, self.fixed))
            except (ValueError, KeyError):  # values that are possible one by one may not be so together
                self._known[key] = None
        return self._known[key]

    def recorded(self, point: Point) -> dict[str, float]:
        """Those costs of a point that are minimised or limited."""
        found = self.of(point) or {}
        return {name: found[name] for name in dict.fromkeys((*self.counted, *self.limit)) if name in found}

    def over(self, point: Point) -> str | None:
        """What of a point is over a limit, in words. What is no network at all fails by itself, as it does without limits."""
        found = self.of(point)
        return None if found is None else over(found, self.limit)

    @cached_property
    def known_costs(self) -> KnownCosts:
        """The same for samplers."""
        return KnownCosts(
            self._minimised, lambda point: self.over(point) is None, self._names, len(self.counted), bool(self.limit)
        )

    @cached_property
    def _names(self) -> frozenset[str]:
        return costing(list(self.space))

    def _minimised(self, point: Point) -> tuple[float, ...]:
        found = self.of(point)
        return tuple(float("inf") if found is None else found[name] for name in self.counted)


def point_costs(
    costs: Costs, limit: Mapping[str, float], counted: tuple[str, ...], space: Space, fixed: Mapping[str, Any]
) -> PointCosts | None:
    """What a sweep has to know of its points; None where costs do not matter to it.

    Raises:
        UserError: If a limit is below what the cheapest configuration costs.
    """
    if not limit and not counted:
        return None
    known = PointCosts(costs, limit, space, fixed, counted)
    for name, most in limit.items():

        def measure(point: Point, name: str = name) -> float | None:
            found = known.of(_active(point, space))
            return None if found is None else found[name]

        cheapest = extreme(space, measure, -1)
        least = None if cheapest is None else measure(cheapest)
        if least is not None and least > most:
            raise UserError(
                f"[objective] limit: no configuration has {name} of {most:,.10g} or less; the smallest that was found has {least:,}"
            )
    return known


def _active(point: Point, space: Space) -> dict[str, Any]:
    return {name: value for name, value in point.items() if space.active(name, point)}


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value
