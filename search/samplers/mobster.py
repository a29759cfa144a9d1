"""Proposals that also use paused, half-trained trials: the Gaussian process has the epoch as one more axis.

Klein, Tiao, Lienart, Archambeau, Seeger 2020, "Model-based Asynchronous Hyperparameter and Neural Architecture Search",
arXiv:2003.10865: a joint model of f(x, r), with the epoch r on a logarithmic scale, proposes by the expected improvement at the
largest r, while a scheduler that pauses and promotes (their ASHA) decides which trials continue. Many cheap results locate the
good region, and a few full trainings correct them. If every trial trains to its end, this is the sampler `auto`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..seeds import derive
from ..surrogate.acquisition import log_expected_improvement, maximise
from ..surrogate.gp import GaussianProcess, KernelParameters, fit_kernel_parameters, transform_objective
from .auto import STARTS, AutoSampler, n_fit_trials, select_training_trials
from .history import Curve, Observations, observations
from .modelling import one_thread


class MobsterSampler(AutoSampler):
    """Expected improvement at the largest epoch that any trial has reached, under a Gaussian process of (x, epoch).

    The data are each trial's best values up to the rungs (`history.observations`). Arguments as of `auto`.
    """

    def _reset_cache(self) -> None:
        super()._reset_cache()
        self._curves: dict[int, Curve] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_curves"}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._raise_error_if_multi_objective(study)
        if not search_space:
            return {}
        others = self._others(study, trial, search_space)
        known = observations(others, study.direction, self._curves)
        pending = [t for t in others if t.state == TrialState.RUNNING and not t.intermediate_values]
        with self._lock, one_thread():
            features = self._axes(search_space)
            codes = None
            if len(known.trials) >= self._n_startup_trials:
                codes = self._propose_at_the_end(
                    known, self._encoded(others, study, features), self._encoded(pending, study, features), trial.number
                )
            if codes is None:
                codes = self._first(features, self._encoded(others, study, features), trial.number)
        return self._decoded(features, codes, trial.number)

    def _propose_at_the_end(
        self, known: Observations, codes: np.ndarray, pending: np.ndarray, number: int
    ) -> np.ndarray | None:
        """The codes (d,) to try next after observations of trials at `codes` (t, d); `pending` (a, d) is the batch so far."""
        assert self._features is not None
        features = self._features[1]
        last = int(known.epoch.max())

        def place(rows: np.ndarray, epochs: np.ndarray | int = last) -> np.ndarray:
            """Features (n, p + 1) of codes (n, d) after these epochs, the last epoch being at 1."""
            scaled = np.full(len(rows), np.log(epochs) / (math.log(last) or 1.0))
            return np.concatenate([features.features(rows), scaled[:, None]], axis=1)

        X = place(codes[known.index], known.epoch)
        parameters = self._kernel_parameters_of(X, known)
        rows = select_training_trials(known.y)
        model = GaussianProcess(X[rows], transform_objective(known.y[rows]), parameters)
        seen = np.unique(codes[known.index[rows]], axis=0)
        means = model.predict(place(seen))[0]
        starts, best = seen[np.argsort(means, kind="stable")[:STARTS]], means.min()
        if len(pending):
            fantasies = model.predict(place(pending))[0]
            model, best = model.condition_on(place(pending), fantasies), min(best, fantasies.min())

        def improvement(candidates: np.ndarray) -> np.ndarray:
            return log_expected_improvement(*model.predict(place(candidates)), float(best))

        starts, score = self._with_priors(features, starts, improvement, len(known.trials))
        generator = np.random.default_rng(derive(self._seed, "mobster", number))
        copies = self._copies(place, codes, parameters)
        within = self._within(features, pending)
        costs = self._costs_of(features)
        admitted = None if costs is None else costs.admitted
        return maximise(score, features, starts, codes, generator, within=within, copies=copies, admitted=admitted)

    def _kernel_parameters_of(self, X: np.ndarray, known: Observations) -> KernelParameters:
        """The kernel parameters, fitted to the observations of the first trials, see `auto.n_fit_trials`."""
        m = n_fit_trials(self._n_startup_trials, len(known.trials))
        first = known.index <= known.trials[m - 1]
        X, y = X[first], known.y[first]
        key = X.tobytes() + y.tobytes()
        if self._fitted is None or self._fitted[0] != key:
            self._fitted = key, fit_kernel_parameters(X, transform_objective(y))
        return self._fitted[1]
