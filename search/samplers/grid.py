"""Grid search: trial n is point n of the grid, so each point is tried once, with any number of workers and resumes.

Optuna's own grid shuffles its points, repeats some when trials run in parallel, and scans all trials after each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..._text import counted, hint
from ..spaces.space import Space
from .independent import IndependentSampler


class GridSampler(IndependentSampler):
    """Every point of the grid in order, the last name varying fastest.

    Args:
        space: a Space, or its table; `{name: [values]}` works as with Optuna's grid. Hyperparameters of single layers
            (`units_i`, `skip_i`) are enumerated only where `layers` includes the layer.

    Raises ValueError where the space is missing or a range has neither `points` nor `step`. Asked for a point
    beyond the last, it raises ValueError; `study.optimize` is stopped after the last point.
    """

    def __init__(self, space: Space | Mapping[str, Any] | None = None) -> None:
        if space is None:
            raise ValueError("sampler grid: needs space=, the values to enumerate, e.g. space={'x': [1, 2, 3]}")
        self._space = space if isinstance(space, Space) else Space.parse(space)
        self._size = self._space.grid_size()
        self._point = lru_cache(maxsize=128)(self._encoded_point)

    def __len__(self) -> int:
        return self._size

    def __getstate__(self) -> dict[str, Any]:
        return {"_space": self._space, "_size": self._size}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._point = lru_cache(maxsize=128)(self._encoded_point)

    def describe(self, total: int) -> list[str]:
        """Lines for the user, before `total` trials start: the size of the grid."""
        rest = "" if total >= self._size else f"; the first {total} are trained"
        return [f"the grid has {counted(self._size, 'point')}{rest}"]

    def _encoded_point(self, number: int) -> dict[str, Any]:
        return self._space.encode(self._space.grid_point(number))

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        if trial.number >= self._size:
            raise ValueError(f"grid: trial {trial.number} is beyond the last of its {self._size} points")

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
