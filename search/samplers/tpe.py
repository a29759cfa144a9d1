"""Tree-structured Parzen estimator: Optuna's, with each proposal made a function of (seed, trial number, history).

Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"; multivariate as in Falkner et al. 2018 (BOHB).
l(x) and g(x) of the papers are the densities of the best and of the remaining trials; x maximises l(x) / g(x).

Optuna keeps two things between trials that a resumed process lacks: the generator's state, and the partition of the
space into groups, which remembers every bracket of Hyperband it ever saw. Both are made anew for each trial here.
"""

from __future__ import annotations

import warnings
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.search_space.group_decomposed import _SearchSpaceGroup
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..options import positive
from ..seeds import derive32


class TPESampler(optuna.samplers.TPESampler):
    """Optuna's TPE: multivariate, by groups (so conditional parameters are modelled too), with constant liar.

    Args:
        seed: any integer.
        n_startup_trials: random points before the model is used.
        n_ei_candidates: draws from l(x) among which the best is proposed.
        constant_liar: whether running trials count as bad ones, which keeps a batch apart.
        group: whether conditional parameters are modelled in groups; needs ``multivariate``.
        multivariate: whether parameters are modelled jointly.

    Pruned trials count, those that came furthest first; failed ones are ignored; infinite values count as such.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        n_startup_trials: int = 10,
        n_ei_candidates: int = 24,
        multivariate: bool = True,
        group: bool = True,
        constant_liar: bool = True,
    ) -> None:
        positive("n_startup_trials", n_startup_trials, low=0)
        positive("n_ei_candidates", n_ei_candidates)
        with warnings.catch_warnings():
            # "group" has been experimental since 2021; the pinned version is tested here.
            warnings.simplefilter("ignore", ExperimentalWarning)
            super().__init__(
                seed=0,
                n_startup_trials=n_startup_trials,
                n_ei_candidates=n_ei_candidates,
                multivariate=multivariate,
                group=group,
                constant_liar=constant_liar,
            )
        self._base_seed = seed

    def reseed_rng(self) -> None:
        """Nothing: the generators are seeded for each trial, also when ``study.optimize`` runs several at once."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if not self._group:
            return super().infer_relative_search_space(study, trial)
        # A set of names splits the groups once, however many trials had it.
        groups = _SearchSpaceGroup()
        seen: set[frozenset[str]] = set()
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        for other in study._get_trials(deepcopy=False, states=states, use_cache=True):
            names = frozenset(other.distributions)
            if names not in seen:
                seen.add(names)
                groups.add_distributions(other.distributions)
        self._search_space_group = groups
        # Sorted, because the order of a set of strings differs between processes.
        found = [item for space in groups.search_spaces for item in sorted(space.items())]
        return {name: distribution for name, distribution in found if not distribution.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        # Asked lazily, perhaps after other trials were begun: the groups must be this trial's.
        self.infer_relative_search_space(study, trial)
        self._rng.rng.seed(derive32(self._base_seed, "tpe", trial.number))
        return super().sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        seed = derive32(self._base_seed, "tpe", trial.number, param_name)
        self._rng.rng.seed(seed)
        self._random_sampler._rng.rng.seed(seed)
        return super().sample_independent(study, trial, param_name, param_distribution)
