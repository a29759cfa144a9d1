"""What samplers have in common that propose all of a point at once, from the points and values of earlier trials."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..features import Features
from ..seeds import derive
from ..spaces import Space
from .history import told
from .modelling import ModelSampler


@dataclass(frozen=True)
class History:
    """The finished trials in trial order, n of them, and the running ones.

    Attributes:
        numbers: the trials' numbers (n,), ascending.
        codes: their points (n, d), see :class:`..features.Features`.
        values: what they gave, to minimise (n,); the worst of all for those that failed or diverged.
        failed: which of them did (n,).
        running: the points (r, d) of the trials that were asked and not told yet.
    """

    numbers: np.ndarray
    codes: np.ndarray
    values: np.ndarray
    failed: np.ndarray
    running: np.ndarray

    def known(self) -> set[bytes]:
        """All points, to ask whether one was tried already."""
        return {row.tobytes() for row in self.codes} | {row.tobytes() for row in self.running}


class WholeSampler(ModelSampler):
    """Base of samplers whose proposal is :meth:`_propose`, a function of the seed, the trial's number and the history.

    Args:
        seed: any integer.
        space: the Space (or its table) to search; without it, what the finished trials have used, and random points
            until there are some.

    A pruned trial counts with the last value it reported. One objective only: more raise ValueError.
    """

    def __init__(self, seed: int = 0, *, space: Space | Mapping[str, Any] | None = None) -> None:
        super().__init__(seed, space=space)
        self._forget()

    def _forget(self) -> None:
        """What an instance keeps between calls only spares it to compute the same again."""
        self._features: tuple[list[tuple[str, BaseDistribution]], Features] | None = None
        self._seen: dict[int, tuple[FrozenTrial, np.ndarray, float | None]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_features", "_seen")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    @property
    def startup(self) -> int:
        """How many results must be known before there is anything but chance to go by."""
        return 0

    def outline(self, total: int) -> list[str]:
        """What is told before ``total`` trials start."""
        if not self.startup:
            return []
        rest = ", and so are all, since there are no more" if total <= self.startup else ""
        return [f"the first {self.startup} trials are random points{rest}"]

    @abstractmethod
    def _propose(self, study: Study, trial: FrozenTrial, features: Features, history: History) -> np.ndarray | None:
        """The codes (d,) of a trial's point; None where random ones will do."""

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
            codes = features.quantile(u)[0]
        return features.decode(codes)

    def _axes(self, search_space: Mapping[str, BaseDistribution]) -> Features:
        key = list(search_space.items())
        if self._features is None or self._features[0] != key:
            self._forget()
            self._features = key, Features(search_space, self._space)
        return self._features[1]

    def _history(self, study: Study, trial: FrozenTrial, features: Features) -> History:
        numbers, codes, values, running = [], [], [], []
        for other in study._get_trials(deepcopy=False, use_cache=True):
            if other.number == trial.number or not other.params:
                continue
            if other.state.is_finished():
                _, point, value = self._read(other, study, features)
                numbers.append(other.number)
                codes.append(point)
                values.append(value)
            elif other.state == TrialState.RUNNING:
                running.append(features.encode(other.params))
        d = len(features.axes)
        worst = max((value for value in values if value is not None), default=0.0)
        return History(
            np.array(numbers, dtype=int),
            np.array(codes).reshape(-1, d),
            np.array([worst if value is None else value for value in values]),
            np.array([value is None for value in values], dtype=bool),
            np.array(running).reshape(-1, d),
        )

    def _read(
        self, trial: FrozenTrial, study: Study, features: Features
    ) -> tuple[FrozenTrial, np.ndarray, float | None]:
        # A finished trial is never changed; whoever does changes a copy, which is another object.
        seen = self._seen.get(trial.number)
        if seen is None or seen[0] is not trial:
            seen = self._seen[trial.number] = (trial, features.encode(trial.params), told(trial, study.direction))
        return seen
