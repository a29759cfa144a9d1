"""The base of samplers that learn from results: which hyperparameters they model, and how a trial is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..spaces.space import Space
from ..surrogate.features import Features
from .history import objective_to_minimize
from .random import RandomSampler


class ModelSampler(BaseSampler):
    """Base of samplers that propose all of a point at once from earlier results; parameters outside the model are random.

    Args:
        seed: any integer.
        space: the Space (or its table) to model; without it, what the finished trials have used, and random points until
            there are some.

    One objective only: more raise ValueError.
    """

    def __init__(self, seed: int = 0, *, space: Space | Mapping[str, Any] | None = None) -> None:
        self._seed = seed
        self._space = space if space is None or isinstance(space, Space) else Space.parse(space)
        self._random = RandomSampler(seed)
        self._moved = False

    def move_to(self, space: Space) -> None:
        """Search `space` from now on, the same hyperparameters in other ranges; trials outside of it are left alone."""
        self._space, self._moved = space, True

    def _counts(self, trial: FrozenTrial) -> bool:
        """Whether a trial is part of the model: after a move all of its values must be in the space."""
        if not self._moved or self._space is None:
            return True
        return inside(trial, self._space.distributions)

    def _check_objectives(self, study: Study) -> None:
        """Raise ValueError for a study with more objectives than this sampler can search for."""
        self._raise_error_if_multi_objective(study)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        self._check_objectives(study)
        if self._space is not None:
            return drop_single(self._space.distributions)
        found: dict[str, BaseDistribution] = {}
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        for other in study._get_trials(deepcopy=False, states=states, use_cache=True):
            found.update(other.distributions)
        return drop_single(found)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        self._check_objectives(study)
        return self._random.sample_independent(study, trial, param_name, param_distribution)


class EncodedSampler(ModelSampler):
    """Base of those that work on encoded points (`surrogate.features`). Arguments as of `ModelSampler`."""

    def __init__(self, seed: int = 0, *, space: Space | Mapping[str, Any] | None = None) -> None:
        super().__init__(seed, space=space)
        self._reset_cache()

    def _reset_cache(self) -> None:
        """Forget everything kept between calls: it only saves computing the same again."""
        self._features: tuple[list[tuple[str, BaseDistribution]], Features] | None = None
        self._seen: dict[int, tuple[FrozenTrial, np.ndarray, float | None]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_features", "_seen")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset_cache()

    def _axes(self, search_space: Mapping[str, BaseDistribution]) -> Features:
        key = list(search_space.items())
        if self._features is None or self._features[0] != key:
            self._reset_cache()
            self._features = key, Features(search_space, self._space)
        return self._features[1]

    def _read(self, trial: FrozenTrial, study: Study, features: Features) -> tuple[np.ndarray, float | None]:
        """A trial's codes (d,), and its value (`history.objective_to_minimize`)."""
        # All of Optuna's storages replace the object of a trial that changes.
        seen = self._seen.get(trial.number)
        if seen is None or seen[0] is not trial:
            seen = self._seen[trial.number] = (
                trial,
                features.encode(trial.params),
                objective_to_minimize(trial, study.directions[0]),
            )
        return seen[1:]


def inside(trial: FrozenTrial, distributions: Mapping[str, BaseDistribution]) -> bool:
    """Whether all values of a trial are in these ranges; names that they do not have do not matter."""
    return all(
        distributions[name]._contains(trial.distributions[name].to_internal_repr(value))
        for name, value in trial.params.items()
        if name in distributions
    )


def rows(codes: Sequence[np.ndarray], features: Features) -> np.ndarray:
    """The codes (d,) of n points as one array (n, d)."""
    return np.concatenate(codes).reshape(-1, len(features.axes)) if codes else np.empty((0, len(features.axes)))


def drop_single(distributions: Mapping[str, BaseDistribution]) -> dict[str, BaseDistribution]:
    """The distributions that have more than one value."""
    return {name: distribution for name, distribution in distributions.items() if not distribution.single()}


@cache
def _threads() -> Any:
    import scipy.linalg  # its BLAS must be loaded to be limited  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS to one thread: with more, matrix products round differently, and proposals would change."""
    with _threads().limit(limits=1, user_api="blas"):
        yield
