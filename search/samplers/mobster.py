"""Proposals that also learn from trials that wait half-trained: the Gaussian process knows the epoch as one more axis.

Klein, Tiao, Lienart, Archambeau, Seeger 2020, "Model-based Asynchronous Hyperparameter and Neural Architecture Search",
arXiv:2003.10865: a joint model of f(x, r), with the epoch r on a logarithmic scale, proposes by the expected improvement at the
largest r, while a scheduler that pauses and promotes (their ASHA) decides who trains on. Many cheap results tell where the good
region is, a few full trainings correct them. Where every trial trains to its end, this is the sampler `auto`.
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
    """Expected improvement, after the most epochs that any trial has trained, under a Gaussian process of (x, epoch).

    What is known of a trial are its best values up to those epochs at which trials stand still. Arguments as of `auto`.
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
        asked = [t for t in others if t.state == TrialState.RUNNING and not t.intermediate_values]
        with self._lock, one_thread():
            features = self._axes(search_space)
            codes = None
            if len(known.trials) >= self._n_startup_trials:
                codes = self._propose_at_the_end(
                    known, self._encoded(others, study, features), self._encoded(asked, study, features), trial.number
                )
            if codes is None:
                codes = features.from_unit_cube(self._startup(trial.number, len(features.axes))[None])[0]
        return features.decode(codes)

    def _propose_at_the_end(
        self, known: Observations, codes: np.ndarray, asked: np.ndarray, number: int
    ) -> np.ndarray | None:
        """The codes (d,) to try next after what is `known` of `codes` (t, d); `asked` (a, d) is the batch so far."""
        assert self._features is not None
        features = self._features[1]
        last = int(known.epoch.max())

        def place(rows: np.ndarray, epochs: np.ndarray | int = last) -> np.ndarray:
            """Features (n, p + 1) of codes (n, d) after so many epochs, the last of them at 1."""
            scaled = np.full(len(rows), np.log(epochs) / (math.log(last) or 1.0))
            return np.concatenate([features.features(rows), scaled[:, None]], axis=1)

        X = place(codes[known.index], known.epoch)
        hyperparameters = self._learn_from_first(X, known)
        rows = select_training_trials(known.y)
        model = GaussianProcess(X[rows], transform_objective(known.y[rows]), hyperparameters)
        seen = np.unique(codes[known.index[rows]], axis=0)
        means = model.predict(place(seen))[0]
        starts, best = seen[np.argsort(means, kind="stable")[:STARTS]], means.min()
        if len(asked):
            believed = model.predict(place(asked))[0]
            model, best = model.condition_on(place(asked), believed), min(best, believed.min())

        def score(candidates: np.ndarray) -> np.ndarray:
            return log_expected_improvement(*model.predict(place(candidates)), float(best))

        generator = np.random.default_rng(derive(self._seed, "mobster", number))
        return maximise(score, features, starts, codes, generator, within=self._within(features, asked))

    def _learn_from_first(self, X: np.ndarray, known: Observations) -> KernelParameters:
        """KernelParameters learned from the first of the trials, see `auto.n_fit_trials`."""
        m = n_fit_trials(self._n_startup_trials, len(known.trials))
        first = known.index <= known.trials[m - 1]
        X, y = X[first], known.y[first]
        key = X.tobytes() + y.tobytes()
        if self._learned is None or self._learned[0] != key:
            self._learned = key, fit_kernel_parameters(X, transform_objective(y))
        return self._learned[1]
