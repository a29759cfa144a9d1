"""The base of samplers that propose all of a point at once, from the points and values of earlier trials."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..._text import counted
from ..seeds import derive
from ..surrogate.features import Features
from .history import impute_worst
from .modelling import EncodedSampler, rows


@dataclass(frozen=True)
class History:
    """The finished trials, n of them in trial order, and the pending ones.

    Attributes:
        codes: the points (n, d) of the finished trials, see `surrogate.features.Features`.
        values: their values (n,), to be minimised; the worst of all for those that failed or diverged.
        failed: which of them did (n,).
        pending: the points (r, d) of the trials that still run.
    """

    codes: np.ndarray
    values: np.ndarray
    failed: np.ndarray
    pending: np.ndarray

    def known(self) -> set[bytes]:
        """All points as bytes, to check whether a point was proposed before."""
        return {row.tobytes() for row in self.codes} | {row.tobytes() for row in self.pending}


class JointSampler(EncodedSampler):
    """Base of samplers whose proposal is `_propose`, a function of the seed, the trial's number and the history.

    Args:
        seed: any integer.
        space: the Space (or its table) to search; without it, what the finished trials have used, and random points
            until there are some.

    A pruned trial counts with the last value it reported. One objective only: more raise ValueError.
    """

    @property
    def startup(self) -> int:
        """How many results there must be before anything but random points is proposed."""
        return 0

    def describe(self, total: int) -> list[str]:
        """Lines for the user, before `total` trials start."""
        if not self.startup:
            return []
        if total <= self.startup:
            return [f"all trials are random points: other proposals need {counted(self.startup, 'result')}"]
        first = "trial is a random point" if self.startup == 1 else f"{self.startup} trials are random points"
        return [f"the first {first}"]

    @abstractmethod
    def _propose(self, study: Study, trial: FrozenTrial, features: Features, history: History) -> np.ndarray | None:
        """The codes (d,) of a trial's point; None for a random point."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._raise_error_if_multi_objective(study)
        if not search_space:
            return {}
        features = self._axes(search_space)
        codes = self._propose(study, trial, features, self._history(study, trial, features))
        if codes is None:
            u = np.random.default_rng(derive(self._seed, "whole", trial.number)).random((1, len(features.axes)))
            codes = features.from_unit_cube(u)[0]
        return features.decode(codes)

    def _history(self, study: Study, trial: FrozenTrial, features: Features) -> History:
        codes, values, pending = [], [], []
        for other in study._get_trials(deepcopy=False, use_cache=True):
            if other.number == trial.number or not other.params:
                continue
            if other.state.is_finished():
                point, value = self._read(other, study, features)
                codes.append(point)
                values.append(value)
            elif other.state == TrialState.RUNNING:
                pending.append(self._read(other, study, features)[0])
        return History(
            rows(codes, features),
            impute_worst(values),
            np.array([value is None for value in values], dtype=bool),
            rows(pending, features),
        )
