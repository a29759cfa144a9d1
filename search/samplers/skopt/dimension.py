"""An Optuna distribution as a dimension of scikit-optimize, there and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from ...surrogate.features import ranked
from ..random import from_unit


@dataclass(frozen=True)
class SkoptDimension:
    """A named dimension. Choices and stepped values are counted (0, 1, 2 ...), other numbers stand for themselves.

    Choices that are numbers are counted in ascending order and given as integers, so that a model knows their neighbours.
    (`surrogate.features.Axis` codes every range as a place in [0, 1]; scikit-optimize scales the values themselves.)
    """

    name: str
    distribution: BaseDistribution

    @cached_property
    def _counted(self) -> bool:
        d = self.distribution
        return isinstance(d, CategoricalDistribution) or (d.step is not None and not d.log)  # type: ignore[attr-defined]

    @cached_property
    def _choices(self) -> list[Any]:
        assert isinstance(self.distribution, CategoricalDistribution)
        return ranked(self.distribution.choices) or list(self.distribution.choices)

    @cached_property
    def _ordered(self) -> bool:
        return not isinstance(self.distribution, CategoricalDistribution) or ranked(self._choices) is not None

    @cached_property
    def _count(self) -> int:
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return len(d.choices)
        return round((d.high - d.low) / d.step) + 1  # type: ignore[attr-defined]

    def as_skopt(self) -> Any:
        """The dimension as scikit-optimize's own object."""
        from skopt.space import Categorical, Integer, Real

        d = self.distribution
        if not self._ordered:
            return Categorical(range(self._count))
        if self._counted:
            return Integer(0, self._count - 1)
        kind = Integer if isinstance(d, IntDistribution) else Real
        return kind(d.low, d.high, prior="log-uniform" if d.log else "uniform")  # type: ignore[attr-defined]

    @cached_property
    def middle(self) -> Any:
        """What stands for a parameter that a trial does not have."""
        counted = isinstance(self.distribution, CategoricalDistribution)
        return self._count // 2 if counted else self.encode(from_unit(self.distribution, 0.5))

    def encode(self, value: Any) -> Any:
        """A value as scikit-optimize knows it; the nearest one for a number outside, the middle for an unknown choice."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return self._choices.index(value) if value in self._choices else self.middle
        assert isinstance(d, IntDistribution | FloatDistribution)
        if isinstance(value, str) or value is None:
            return self.middle
        if self._counted:
            assert d.step is not None
            return min(max(round((value - d.low) / d.step), 0), self._count - 1)
        return min(max(value, d.low), d.high)

    def decode(self, encoded: Any) -> Any:
        """The value again, as a plain Python object inside the distribution."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return self._choices[int(encoded)]
        assert isinstance(d, IntDistribution | FloatDistribution)
        if self._counted:
            assert d.step is not None
            encoded = d.low + int(encoded) * d.step
        kind = int if isinstance(d, IntDistribution) else float
        return min(max(kind(encoded), d.low), d.high)
