"""Tree-structured Parzen estimator: Optuna's, with each proposal made a function of (seed, trial number, history).

Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"; multivariate as in Falkner et al. 2018 (BOHB).
l(x) and g(x) of the papers are the densities of the best and of the remaining trials; x maximises l(x) / g(x).

Optuna keeps two things between trials that a resumed process lacks: the generator's state, and the partition of the space
into groups, which depends on every study the sampler has seen. Here both are made again for each trial.
The proposals are those of Optuna's steps, at a seventh of their cost after 1,000 trials of a space with integers and layers:
densities are computed without loops (`parzen`), finished trials are read once, and all are sorted once a proposal.
"""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_gamma_multiobjective
from optuna.search_space.group_decomposed import _SearchSpaceGroup
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..plugins import check_integer
from ..seeds import derive32
from ..spaces.space import Space
from .modelling import inside
from .parzen import ParzenEstimator


class TPESampler(optuna.samplers.TPESampler):
    """Optuna's TPE: multivariate, by groups (so conditional parameters are modelled too), with constant liar.

    Args:
        seed: any integer.
        n_startup_trials: random points before the model is used.
        n_ei_candidates: draws from l(x) among which the best is proposed.
        constant_liar: whether pending trials count as bad ones, which spreads a batch.
        group: whether conditional parameters are modelled in groups; needs `multivariate`.
        multivariate: whether parameters are modelled jointly.

    Pruned trials count, ranked by how far they trained; failed ones are ignored; infinite values count as such.
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
        check_integer("n_startup_trials", n_startup_trials, low=0)
        check_integer("n_ei_candidates", n_ei_candidates)
        with warnings.catch_warnings():
            # "group" has been experimental since 2021; it is tested with the pinned version.
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
        self._moved: dict[str, BaseDistribution] = {}
        self._parzen_estimator_cls = ParzenEstimator
        self._reset_cache()

    def _reset_cache(self) -> None:
        """Forget everything kept between calls: it only saves computing the same again."""
        self._split_cache: tuple[list[FrozenTrial], list[FrozenTrial], list[FrozenTrial]] | None = None
        self._groups: tuple[list[FrozenTrial], _SearchSpaceGroup] | None = None
        self._read: dict[tuple[str, ...], dict[int, tuple[dict[str, Any], list[float] | None]]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_split_cache", "_groups", "_read")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset_cache()

    def move_to(self, space: Space) -> None:
        """Search `space` from now on, the same hyperparameters in other ranges; trials outside of it are left alone."""
        self._moved = space.distributions
        self._reset_cache()

    def reseed_rng(self) -> None:
        """Nothing: the generators are seeded for each trial, also when `study.optimize` runs several at once."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if not self._group:
            return super().infer_relative_search_space(study, trial)
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        trials = study._get_trials(deepcopy=False, states=states, use_cache=True)
        known = self._groups
        if known is None or not same_trials(known[0], trials):
            known = self._groups = trials, _groups(trials, self._moved)
        self._search_space_group = groups = known[1]
        # Sorted, because the order of a set of strings differs between processes.
        found = [item for space in groups.search_spaces for item in sorted(space.items())]
        return {name: distribution for name, distribution in found if not distribution.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        # Called lazily, perhaps after other trials were asked: the groups must be this trial's.
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

    def _sample(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """The values of one group. Optuna's own splits all trials into good and bad ones again for each group."""
        below, above = self._split(study, trial)
        good = self._build_parzen_estimator(study, search_space, below, handle_below=True)
        bad = self._build_parzen_estimator(study, search_space, above, handle_below=False)
        candidates = good.sample(self._rng.rng, self._n_ei_candidates)
        chosen = self._compare(candidates, self._compute_acquisition_func(candidates, good, bad))
        return {name: search_space[name].to_external_repr(value) for name, value in chosen.items()}

    def _split(self, study: Study, trial: FrozenTrial) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
        """The trials of l, the best ones, and those of g."""
        states = (TrialState.COMPLETE, TrialState.PRUNED, *((TrialState.RUNNING,) if self._constant_liar else ()))
        trials = [t for t in study._get_trials(deepcopy=False, states=states) if t.number != trial.number]
        if self._moved:
            trials = [t for t in trials if inside(t, self._moved)]
        known = self._split_cache
        if known is None or not same_trials(known[0], trials):
            finished = sum(t.state != TrialState.RUNNING for t in trials)
            gamma = default_gamma_multiobjective if len(study.directions) > 1 else default_gamma
            known = self._split_cache = (trials, *_split_trials(study, trials, gamma(finished)))
        return known[1:]

    def _get_internal_repr(
        self, trials: list[FrozenTrial], search_space: dict[str, BaseDistribution], study: Study
    ) -> dict[str, np.ndarray]:
        """The values (n,) of each parameter in the trials that have them all; each finished trial is read once."""
        read = self._read.setdefault(tuple(search_space), {})
        rows = []
        for t in trials:
            # The dictionary is kept beside what was read from it, so that its id stays its own.
            found = read.get(id(t.params))
            if found is None:
                params = self._get_params(t, study)
                whole = search_space.keys() <= params.keys()
                row = [d.to_internal_repr(params[name]) for name, d in search_space.items()] if whole else None
                found = t.params, row
                if t.state.is_finished():
                    read[id(t.params)] = found
            if found[1] is not None:
                rows.append(found[1])
        columns = np.array(rows, dtype=float).reshape(-1, len(search_space)).T
        return dict(zip(search_space, columns, strict=True))


def _groups(trials: list[FrozenTrial], moved: dict[str, BaseDistribution]) -> _SearchSpaceGroup:
    """The partition of the space into groups of names that occur together; `moved` ranges replace those of the trials."""
    groups = _SearchSpaceGroup()
    # A set of names splits the groups once, however many trials have it.
    seen: set[frozenset[str]] = set()
    for t in trials:
        names = frozenset(t.distributions)
        if names not in seen:
            seen.add(names)
            groups.add_distributions({name: moved.get(name, d) for name, d in t.distributions.items()})
    return groups


def same_trials(trials: list[FrozenTrial], others: list[FrozenTrial]) -> bool:
    """Whether these are the same objects; the object of a trial that changes is replaced."""
    return len(trials) == len(others) and all(map(operator.is_, trials, others))
