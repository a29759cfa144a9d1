"""Random search: independent points, each value a function of (seed, trial number, name) and of nothing else.

Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization", JMLR 13:281-305. There is no generator
whose state could depend on the batch size, the workers or a resume. Where the space has priors, the first trial has the values
that they name, and every second one is drawn from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial

from ..._text import counted
from ..seeds import uniform
from ..spaces.priors import Favourite, Normal, Prior, follows
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


def prior_near(distribution: BaseDistribution, value: Any) -> Prior:
    """The prior on the scale of `from_unit` whose peak is at a value of the distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return Favourite(distribution.choices.index(value), len(distribution.choices))
    return Normal(_to_unit(distribution, value))


def _to_unit(distribution: BaseDistribution, value: float) -> float:
    """The quantile of a number, that in the middle where several give it."""
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        half = 0.5 if isinstance(distribution, IntDistribution) else 0.0
        return math.log(value / (low - half)) / math.log((high + half) / (low - half))
    if step is not None:
        return (round((value - low) / step) + 0.5) / (round((high - low) / step) + 1)
    return (value - low) / (high - low)


def _log_scale(low: float, high: float, u: float) -> float:
    return math.exp(math.log(low) + u * (math.log(high) - math.log(low)))


class RandomSampler(IndependentSampler):
    """Independent, uniform (or log-uniform) values.

    Args:
        seed: any integer; with the trial's number and the parameter's name it gives the value.
        space: the Space (or its table) whose priors are used; without it there are none.
    """

    def __init__(self, seed: int = 0, *, space: Space | Mapping[str, Any] | None = None) -> None:
        self._seed = seed
        self._guess: dict[str, Any] = {}
        if space is not None:
            self.move_to(space if isinstance(space, Space) else Space.parse(space))

    def describe(self, total: int) -> list[str]:
        """Lines for the user, before `total` trials start."""
        return [f"every second trial is drawn from {counted(len(self._guess), 'prior')}"] if self._guess else []

    def move_to(self, space: Space) -> None:
        """Search other ranges from now on: a value is drawn from the range that it is asked for; priors are those of `space`."""
        self._guess = space.guess

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        u = uniform(self._seed, trial.number, param_name)
        if param_name in self._guess and follows(trial.number):
            guess = self._guess[param_name]
            if trial.number == 0:
                return guess
            u = float(prior_near(param_distribution, guess).quantile(np.array([u]))[0])
        return from_unit(param_distribution, u)
