"""Configurations encoded for a model: every hyperparameter is an axis, and every value on it has a row of features.

A range is one feature in [0, 1], on its own scale (linear or logarithmic). Choices that are numbers have an order, and so do lists
of numbers (layer sizes), by length and size: a model that knows the order needs fewer trials than one to which all choices are
equally far apart. All others (words, booleans, None) are corners of a simplex, at distance 1 until the kernel is fitted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

if TYPE_CHECKING:
    from ..spaces.space import Space

FINITE = 64
"""Ranges of at most this many values are counted; longer ones are treated as continuous."""

RESOLUTION = 1024
"""A continuous range is searched in this many steps: finer differences are irrelevant, and would let a batch crowd at one point."""


class Axis:
    """One hyperparameter. A value's *code* is its index where the values are counted, else its place in [0, 1].

    Attributes:
        size: how many values there are; 0 if they are not counted.
        table: features (size, columns) of the counted values; None if they are not counted and the code is the only feature.
        categorical: whether it is a list of choices.
        ordered: whether neighbouring codes are neighbouring values.
        step: between the values of a range; None if it is continuous.
    """

    def __init__(self, name: str, distribution: BaseDistribution) -> None:
        self.name = name
        self.distribution = distribution
        self.table: np.ndarray | None = None
        self.ordered = True
        self.step = getattr(distribution, "step", None)
        self._values: list[Any] = []
        self.categorical = isinstance(distribution, CategoricalDistribution)
        if isinstance(distribution, CategoricalDistribution):
            ascending = ranked(distribution.choices)
            self.ordered = ascending is not None
            self._values = list(distribution.choices) if ascending is None else ascending
            if self.ordered:
                self.table = np.linspace(0, 1, len(self._values))[:, None]
            else:
                shapes = _shapes(self._values)
                self.table = _corners(len(self._values)) if shapes is None else shapes
        else:
            self._values = _counted(distribution)
            if self._values:
                self.table = np.array([[self._place(v)] for v in self._values])
        self.size = len(self._values)
        self.columns = 1 if self.table is None else self.table.shape[1]

    @cached_property
    def middle(self) -> float:
        """The code of a hyperparameter that a trial does not have."""
        return float(self.size // 2) if self.size else self.code(self.value(0.5))

    def code(self, value: Any) -> float:
        """The code of a value; that of the nearest value for a number outside, the middle for an unknown choice."""
        if isinstance(self.distribution, CategoricalDistribution):
            return float(self._values.index(value)) if value in self._values else self.middle
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.middle
        place = self._place(min(max(value, self.distribution.low), self.distribution.high))  # type: ignore[attr-defined]
        if self.table is not None:
            return float(np.abs(self.table[:, 0] - place).argmin())
        return float(self.rounded(np.array([place]))[0])

    def value(self, code: float) -> Any:
        """The value at a code, inside the distribution."""
        if self.size:
            return self._values[int(code)]
        d = self.distribution
        low, high = self.bounds
        value = low + (high - low) * float(code)
        value = math.exp(value) if d.log else value  # type: ignore[attr-defined]
        if isinstance(d, IntDistribution):
            return min(max(d.low + round((value - d.low) / d.step) * d.step, d.low), d.high)
        assert isinstance(d, FloatDistribution)
        if d.step is not None:
            value = d.low + round((value - d.low) / d.step) * d.step
        return min(max(value, d.low), d.high)

    def features(self, codes: np.ndarray) -> np.ndarray:
        """Features (n, columns) of codes (n,)."""
        return codes[:, None] if self.table is None else self.table[codes.astype(int)]

    def from_unit(self, u: np.ndarray) -> np.ndarray:
        """Codes (n,) of u (n,) in [0, 1): every counted value has an equal share of it."""
        return np.floor(u * self.size) if self.size else self.rounded(u)

    def rounded(self, places: np.ndarray) -> np.ndarray:
        """Codes (n,) at or next to places (n,) of an axis whose values are not counted: equal values have equal codes."""
        return self._range.rounded(places[:, None])[:, 0]

    @cached_property
    def _range(self) -> _Ranges:
        return _Ranges([self])

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """The ends of a range, on its own scale."""
        low, high = self.distribution.low, self.distribution.high  # type: ignore[attr-defined]
        return (math.log(low), math.log(high)) if self.distribution.log else (low, high)  # type: ignore[attr-defined]

    def _place(self, value: float) -> float:
        """A number's place in its range, on the range's own scale."""
        low, high = self.bounds
        if high <= low:
            return 0.5
        return ((math.log(value) if self.distribution.log else value) - low) / (high - low)  # type: ignore[attr-defined]


class _Ranges:
    """The c axes whose values are not counted, as arrays."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        stepped = [i for i, axis in enumerate(axes) if axis.step is not None]
        columns: list[Any] = [axes[i] for i in stepped]
        self._stepped = np.array(stepped, dtype=int)
        self._log = np.array([axis.distribution.log for axis in columns], dtype=bool)
        self._step = np.array([axis.step for axis in columns], dtype=float)
        ends = [(axis.distribution.low, axis.distribution.high) for axis in columns]
        self._first, self._last = np.array(ends, dtype=float).reshape(-1, 2).T
        self._low, self._high = np.array([axis.bounds for axis in columns], dtype=float).reshape(-1, 2).T

    def rounded(self, places: np.ndarray) -> np.ndarray:
        """Codes (..., c) at or next to places (..., c): equal values have equal codes."""
        codes = np.round(places * RESOLUTION) / RESOLUTION
        if len(self._stepped):
            values = self._low + (self._high - self._low) * places[..., self._stepped]
            values[..., self._log] = np.exp(values[..., self._log])
            values = self._first + np.round((values - self._first) / self._step) * self._step
            values = np.clip(values, self._first, self._last)
            values[..., self._log] = np.log(values[..., self._log])
            codes[..., self._stepped] = np.round((values - self._low) / (self._high - self._low), 9)
        return codes


class Features:
    """The axes of a space, and its points as rows of codes (n, d) and of features (n, p).

    Args:
        distributions: the hyperparameters by name.
        space: says which hyperparameters are active at a point; without it, all of them are.

    Attributes:
        points: the number of points, inactive hyperparameters counted as if they were active; infinite if any axis is not counted.
        sizes: those of the axes (d,).
        free: the indices (c,) of the axes whose values are not counted.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution], space: Space | None = None) -> None:
        self.axes = [Axis(name, distribution) for name, distribution in distributions.items()]
        self.points = math.prod(axis.size or math.inf for axis in self.axes)
        self.sizes = np.array([axis.size for axis in self.axes])
        self.free = np.flatnonzero(self.sizes == 0)
        self._ranges = _Ranges([self.axes[i] for i in self.free])
        self._conditions = _conditions(self.axes, space)

    def encode(self, params: Mapping[str, Any]) -> np.ndarray:
        """The codes (d,) of a point, inactive hyperparameters in the middle."""
        return np.array([a.code(params[a.name]) if a.name in params else a.middle for a in self.axes])

    def decode(self, codes: np.ndarray) -> dict[str, Any]:
        return {axis.name: axis.value(code) for axis, code in zip(self.axes, codes, strict=True)}

    def features(self, codes: np.ndarray) -> np.ndarray:
        """Features (n, p) of codes (n, d)."""
        return np.concatenate([axis.features(codes[:, i]) for i, axis in enumerate(self.axes)], axis=1)

    def from_unit_cube(self, u: np.ndarray) -> np.ndarray:
        """Codes (n, d) of points u (n, d) in [0, 1)^d, inactive hyperparameters in the middle."""
        codes = np.floor(u * self.sizes)
        codes[:, self.free] = self.rounded(u[:, self.free])
        return self.canonicalized(codes)

    def rounded(self, places: np.ndarray) -> np.ndarray:
        """Codes (..., c) of the free axes at or next to places (..., c) on them: equal values have equal codes."""
        return self._ranges.rounded(places)

    def canonicalized(self, codes: np.ndarray) -> np.ndarray:
        """Codes (n, d) with inactive hyperparameters put in the middle, in place: equal points have equal codes."""
        for i, parent, admits in self._conditions:
            codes[~admits[codes[:, parent].astype(int)], i] = self.axes[i].middle
        return codes

    def active(self, codes: np.ndarray) -> np.ndarray:
        """Which hyperparameters are active at points with these codes (..., d), as (..., d)."""
        active = np.ones(codes.shape, dtype=bool)
        for i, parent, admits in self._conditions:
            active[..., i] = admits[codes[..., parent].astype(int)]
        return active

    def all_points(self) -> np.ndarray:
        """All points, as codes (points, d); only if `points` is finite."""
        mesh = np.meshgrid(*(np.arange(float(axis.size)) for axis in self.axes), indexing="ij")
        return np.unique(self.canonicalized(np.stack([m.ravel() for m in mesh], axis=1)), axis=0)


def _conditions(axes: Sequence[Axis], space: Space | None) -> list[tuple[int, int, np.ndarray]]:
    """For each axis that depends on `layers`: its index, that of `layers`, and with which codes of `layers` it is active."""
    names = [axis.name for axis in axes]
    if space is None or "layers" not in names or not axes[names.index("layers")].size:
        return []
    parent = names.index("layers")
    values = [axes[parent].value(code) for code in range(axes[parent].size)]
    admits = {
        i: np.array([space.active(name, {"layers": v}) for v in values])
        for i, name in enumerate(names)
        if name in space
    }
    return [(i, parent, a) for i, a in admits.items() if not a.all()]


def _counted(distribution: BaseDistribution) -> list[Any]:
    """The values of a range if they are few and evenly spaced; else none."""
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.single():
        return [low]
    if step is None or (count := round((high - low) / step) + 1) > FINITE:
        return []
    return [min(low + i * step, high) for i in range(count)]


def _corners(count: int) -> np.ndarray:
    """Points (count, columns) at distance 1; of more than two, each has its own feature, whose weight is fitted."""
    return np.array([[0.0], [1.0]]) if count == 2 else np.eye(count) / math.sqrt(2)


def ranked(choices: Sequence[Any]) -> list[Any] | None:
    """Choices in ascending order if all are numbers; else None."""
    return sorted(choices) if all(isinstance(v, int | float) and not isinstance(v, bool) for v in choices) else None


def _shapes(values: Sequence[Any]) -> np.ndarray | None:
    """Lists of layer sizes as (depth, mean of their logarithms, taper), each scaled to [0, 1].

    None if a choice is not such a list, or if two of them would have equal features.
    """
    sizes = [_sizes(value) for value in values]
    if None in sizes:
        return None
    logs = [[math.log(v) for v in s] for s in sizes if s is not None]
    least = min((min(s) for s in logs if s), default=0.0)
    columns = np.array([[len(s), sum(s) / len(s) if s else least, s[0] - s[-1] if s else 0.0] for s in logs])
    span = columns.max(axis=0) - columns.min(axis=0)
    columns = (columns - columns.min(axis=0))[:, span > 0] / span[span > 0]
    return columns if len(np.unique(columns, axis=0)) == len(values) and columns.size else None


def _sizes(value: Any) -> list[float] | None:
    """The numbers in a choice such as "[64,32]"; None for any other choice."""
    if not isinstance(value, str) or not value.startswith("["):
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, list) and all(type(v) in (int, float) and v > 0 for v in found) else None
