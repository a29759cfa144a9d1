"""Grid search: trial n is point n of the grid, so each point is tried once, with any number of workers and resumes.

Optuna's own grid shuffles its points, repeats some when trials run in parallel, and scans all trials after each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..._text import counted, hint
from ..known_costs import KnownCosts
from ..spaces.space import Space
from .independent import IndependentSampler


class GridSampler(IndependentSampler):
    """Every point of the grid in order, the last name varying fastest.

    Args:
        space: a Space, or its table; `{name: [values]}` works as with Optuna's grid. Hyperparameters of single layers
            (`units_i`, `skip_i`) are enumerated only where `layers` includes the layer.
        known_costs: says which points are within the limits; the others are left out.

    Raises ValueError where the space is missing or a range has neither `points` nor `step`. Asked for a point
    beyond the last, it raises ValueError; `study.optimize` is stopped after the last point.
    """

    def __init__(
        self, space: Space | Mapping[str, Any] | None = None, *, known_costs: KnownCosts | None = None
    ) -> None:
        if space is None:
            raise ValueError("sampler grid: needs space=, the values to enumerate, e.g. space={'x': [1, 2, 3]}")
        self._space = space if isinstance(space, Space) else Space.parse(space)
        self._size = self._space.grid_size()
        self._limits = known_costs if known_costs is not None and known_costs.limited else None
        self._fitting: list[int] = []
        self._point = lru_cache(maxsize=128)(self._encoded_point)

    def __len__(self) -> int:
        return self._size

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("_space", "_size", "_limits", "_fitting")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._point = lru_cache(maxsize=128)(self._encoded_point)

    def describe(self, total: int) -> list[str]:
        """Lines for the user, before `total` trials start: the size of the grid."""
        if self._limits is not None:
            return [f"the grid has {counted(self._size, 'point')}; {total} within the limit are trained"]
        rest = "" if total >= self._size else f"; the first {total} are trained"
        return [f"the grid has {counted(self._size, 'point')}{rest}"]

    def _encoded_point(self, number: int) -> dict[str, Any]:
        return self._space.encode(self._space.grid_point(self._index(number)))

    def _index(self, number: int) -> int:
        """Which point of the grid a trial has, of those within the limits if there are any. Raises ValueError beyond the last."""
        if self._limits is None:
            if number >= self._size:
                raise ValueError(f"grid: trial {number} is beyond the last of its {self._size} points")
            return number
        missing = number + 1 - len(self._fitting)
        if missing > 0:
            start = self._fitting[-1] + 1 if self._fitting else 0
            self._fitting += islice(points_within(self._space, self._limits, start), missing)
        if number >= len(self._fitting):
            raise ValueError(f"grid: trial {number} is beyond the last of the {len(self._fitting)} points that fit")
        return self._fitting[number]

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._index(trial.number)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        point = self._point(trial.number)
        if param_name not in point:
            raise ValueError(f"grid: {param_name!r} has no values at point {trial.number}{hint(param_name, point)}")
        value = point[param_name]
        if not param_distribution._contains(param_distribution.to_internal_repr(value)):
            raise ValueError(f"grid: {param_name} = {value!r} is outside {param_distribution}")
        return float(value) if isinstance(param_distribution, FloatDistribution) else value

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        if trial.number == self._size - 1:
            with suppress(RuntimeError):  # raised under ask and tell, where there is no loop to stop
                study.stop()


def points_within(space: Space, limits: KnownCosts, start: int = 0) -> Iterator[int]:
    """The points of a grid that are within the limits, by index from `start` on."""
    return (i for i in range(start, space.grid_size()) if limits.admits(space.grid_point(i)))
