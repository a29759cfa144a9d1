"""Random search: independent points, each value a function of (seed, trial number, name) and of nothing else.

Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization", JMLR 13:281-305. There is no generator
whose state could depend on the batch size, the workers or a resume.
"""

from __future__ import annotations

import math
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial

from ..seeds import uniform
from ..spaces.space import Space
from .independent import IndependentSampler


def from_unit(distribution: BaseDistribution, u: float) -> Any:
    """The value at quantile `u` in [0, 1) of a distribution: uniform, or log-uniform."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(u * len(distribution.choices))]
    if not isinstance(distribution, IntDistribution | FloatDistribution):
        raise ValueError(f"cannot draw from {distribution!r}")
    low, high = distribution.low, distribution.high
    if isinstance(distribution, IntDistribution):
        if distribution.log:
            # Half a unit more on either side makes the bounds as likely as their neighbours.
            return min(max(round(_log_scale(low - 0.5, high + 0.5, u)), low), high)
        return low + int(u * ((high - low) // distribution.step + 1)) * distribution.step
    if distribution.log:
        return min(max(_log_scale(low, high, u), low), high)
    if distribution.step is not None:
        return min(low + int(u * (round((high - low) / distribution.step) + 1)) * distribution.step, high)
    return low + u * (high - low)


def _log_scale(low: float, high: float, u: float) -> float:
    return math.exp(math.log(low) + u * (math.log(high) - math.log(low)))


class RandomSampler(IndependentSampler):
    """Independent, uniform (or log-uniform) values.

    Args:
        seed: any integer; with the trial's number and the parameter's name it gives the value.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def move_to(self, space: Space) -> None:
        """Search other ranges from now on: a value is drawn from the range that it is asked for, so nothing changes."""

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return from_unit(param_distribution, uniform(self._seed, trial.number, param_name))
