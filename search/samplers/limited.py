"""Proposals within limits: what a sampler proposes beyond them is refused before it is a trial, and another is asked for.

The sampler is asked again as if for later trials, with the same history. So the proposal stays a function of (seed, trial number,
history), a refused configuration has no number, and a study that was rebuilt proposes the same.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..known_costs import KnownCosts
from ..seeds import derive
from ..spaces.space import Space, single_value
from . import move_to
from .random import RandomSampler

PROPOSALS = 16
"""How often the sampler is asked for a trial; then random points are."""

RANDOM_POINTS = 10_000
"""How many random points are looked at before nothing is said to fit."""

_APART = 1 << 12
"""How far apart the numbers are as which the sampler is asked for one trial: further than most sweeps are long."""


class NothingFits(ValueError):
    """No configuration within the limits was found."""


class LimitedSampler(BaseSampler):
    """Another sampler's proposals, as far as they are within the limits.

    Args:
        sampler: Proposes.
        space: What is searched.
        known_costs: Says which configurations may train.
        seed: Any integer, for the random points where the sampler finds none.
    """

    def __init__(self, sampler: BaseSampler, space: Space, known_costs: KnownCosts, seed: int) -> None:
        self._sampler, self._space, self._known_costs = sampler, space, known_costs
        self._random = RandomSampler(derive(seed, "limited"))

    @property
    def ignores_history(self) -> bool:
        """Whether proposals depend on the seed and the trial's number alone."""
        return bool(getattr(self._sampler, "ignores_history", False))

    def describe(self, total: int) -> list[str]:
        """Lines for the user, before `total` trials start."""
        described = getattr(self._sampler, "describe", None)
        return described(total) if described is not None else []

    def move_to(self, space: Space) -> None:
        """Search `space` from now on, the same hyperparameters in other ranges; the limits stay."""
        self._space = space
        move_to(self._sampler, space)

    def reseed_rng(self) -> None:
        self._sampler.reseed_rng()

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._sampler.before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        self._sampler.after_trial(study, trial, state, values)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._space.distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        for i in range(PROPOSALS + RANDOM_POINTS):
            asked = copy.copy(trial)
            asked.number = trial.number + i * _APART
            point = self._point(self._sampler if i < PROPOSALS else self._random, study, asked)
            if self._known_costs.admits(self._space.decode(point)):
                return point
        raise NothingFits(f"none of {RANDOM_POINTS} random configurations is within it")

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def _point(self, sampler: BaseSampler, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        """What Optuna would make of this sampler's proposal for all of the space, what is given with the trial first."""
        given = trial.system_attrs.get("fixed_params", {})
        relative = sampler.infer_relative_search_space(study, trial)
        proposed = sampler.sample_relative(study, trial, relative)
        point: dict[str, Any] = {}
        for name, distribution in self._space.distributions.items():
            if not self._space.active(name, point):
                continue
            if name in given:
                point[name] = given[name]
            elif distribution.single():
                point[name] = single_value(distribution)
            elif name in proposed and relative[name] == distribution:
                point[name] = proposed[name]
            else:
                point[name] = sampler.sample_independent(study, trial, name, distribution)
        return point
