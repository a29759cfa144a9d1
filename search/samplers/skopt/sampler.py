"""Bayesian optimisation: scikit-optimize behind Optuna's interface.

Snoek et al. 2012, "Practical Bayesian Optimization of Machine Learning Algorithms"; portfolio of acquisitions as in
Hoffman et al. 2011 ("gp_hedge": gains g_i, softmax with eta); batches by the constant liar of Ginsbourger et al. 2010.

scikit-optimize's optimizer has state: the results passed to its `tell`, in which batches, and the hedging gains that followed.
That state is never stored. Each trial records, when it is asked, which results were told since the one before; replaying these
batches gives the same optimizer, so a proposal is a function of (seed, study, trial number). What an instance keeps between
calls only saves it the replay.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FixedTrial, FrozenTrial, TrialState

from ...._text import hint
from ...plugins import check_integer
from ...seeds import derive32
from ...spaces.space import Space
from ..history import objective_to_minimize
from ..modelling import ModelSampler, one_thread
from ..random import from_unit
from .dimension import SkoptDimension

TOLD_BEFORE_ASK = "mlptune:bayesian:news"
"""Trial system attribute: the trials told between the previous ask and this one, by number, as [[first, last], ...]."""

_ESTIMATORS = ("GP", "RF", "ET")
_ACQUISITIONS = ("gp_hedge", "EI", "LCB", "PI", "EIps")
_COSTS = 1000
"""Random points whose cost is counted; the cost of candidates is predicted from theirs."""
_LIARS: dict[str, Callable[[list[float]], Any]] = {"cl_min": np.min, "cl_mean": np.mean, "cl_max": np.max}

_GROWTH = 1.2
"""A Gaussian process fits its length scales again once there are this many times as many points as at the last fit."""

Point = list[Any]
TellBatch = tuple[list[Point], list[float]]


@dataclass
class _ReplayCache:
    """An optimizer with what was passed to its `tell`: the replay of a longer history may start from here."""

    dimensions: tuple[SkoptDimension, ...]
    told: list[TellBatch]
    lies: list[Point]
    optimizer: Any
    unfitted: Any = None  # the surrogate before any fit of its hyperparameters
    n_fit_points: int = 0  # how many points these were fitted to


class BayesianSampler(ModelSampler):
    """Proposals of scikit-optimize's `Optimizer`.

    Args:
        seed: any integer.
        space: the Space (or its table) to model, all at once and from the first trial on; without it, what the
            finished trials have used, and random points until there are some. Inactive parameters are modelled at the
            middle of their range.
        base_estimator: the surrogate: "GP" (Gaussian process), "RF" (random forest) or "ET" (extra trees).
        cost: what training a configuration costs, as a function of its values in the space's own terms; above 0, and
            infinite where it cannot be trained. Only "EIps" needs it.
        acq_func: "gp_hedge" (a portfolio of the next three), "EI", "LCB", "PI" or "EIps" (improvement per cost).
        n_initial_points: random points before the surrogate is used.
        liar: the value assumed for the pending trials of a batch: "cl_min" (the best so far), "cl_mean" or "cl_max" (the
            worst).
        n_points: candidates among which the maximum of an acquisition function is sought; 10,000 unless given, 2,000 for
            forests.

    A trial that failed, diverged or has no finite value counts as the worst finite value so far; a pruned one with the last
    value it reported. One objective only: more raise ValueError.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        space: Space | Mapping[str, Any] | None = None,
        cost: Callable[[Mapping[str, Any]], float] | None = None,
        base_estimator: str = "GP",
        acq_func: str = "gp_hedge",
        n_initial_points: int = 10,
        liar: str = "cl_min",
        n_points: int | None = None,
    ) -> None:
        if base_estimator == "GBRT":
            raise ValueError("base_estimator: 'GBRT' does not work in scikit-optimize 0.10; use 'GP', 'RF' or 'ET'")
        if acq_func == "EIps" and cost is None:
            raise ValueError("acq_func: 'EIps' needs cost=, a function that counts what a configuration costs")
        options = {"base_estimator": _ESTIMATORS, "acq_func": _ACQUISITIONS, "liar": tuple(_LIARS)}
        for (option, known), value in zip(options.items(), (base_estimator, acq_func, liar), strict=True):
            if value not in known:
                raise ValueError(f"{option}: {value!r} is unknown{hint(value, known)}")
        n_points = (10_000 if base_estimator == "GP" else 2_000) if n_points is None else n_points
        super().__init__(seed, space=space)
        self._cost = cost
        self._base_estimator = base_estimator
        self._acq_func = acq_func
        self._n_initial_points = check_integer("n_initial_points", n_initial_points)
        self._liar = liar
        self._n_points = check_integer("n_points", n_points)
        self._cache: _ReplayCache | None = None
        self._liar_cache: _ReplayCache | None = None
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_lock"} | {"_cache": None, "_liar_cache": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = Lock()

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._raise_error_if_multi_objective(study)
        if not search_space:
            return {}
        dimensions = tuple(SkoptDimension(name, distribution) for name, distribution in search_space.items())
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        batches, new = _tell_batches(others)
        batches = [[t for t in batch if self._counts(t)] for batch in batches]
        if new:
            study._storage.set_trial_system_attr(trial._trial_id, TOLD_BEFORE_ASK, _ranges(new))
        history = self._history(batches, dimensions, study.direction)
        running = [t for t in others if t.state == TrialState.RUNNING and self._counts(t)]
        pending = [_point(t, dimensions) for t in running if _has_any(t, dimensions)]
        with self._lock, one_thread():
            optimizer = self._replay(dimensions, history)
            if pending:
                optimizer = self._lie(dimensions, history, pending, optimizer)
            point = self._ask(optimizer, trial.number)
        return _params(point, dimensions)

    def _history(
        self,
        batches: Sequence[Sequence[FrozenTrial]],
        dimensions: Sequence[SkoptDimension],
        direction: StudyDirection,
    ) -> list[TellBatch]:
        """What is passed to the optimizer's `tell`, batch by batch: points, and values to minimise."""
        finite: list[float] = []
        history = []
        for batch in batches:
            trials = [t for t in batch if _has_any(t, dimensions)]
            values = [objective_to_minimize(t, direction) for t in trials]
            finite += [v for v in values if v is not None]
            worst = max(finite, default=0.0)
            if trials:
                history.append(([_point(t, dimensions) for t in trials], [worst if v is None else v for v in values]))
        return history

    def _new_optimizer(self, dimensions: Sequence[SkoptDimension]) -> Any:
        from skopt import Optimizer
        from skopt.utils import normalize_dimensions

        described = [d.as_skopt() for d in dimensions]
        more: dict[str, Any] = {}
        if self._acq_func == "EIps":
            described = normalize_dimensions(described)
            # Costs have no gradient for L-BFGS.
            more = {"acq_optimizer": "sampling"}
        return Optimizer(
            described,
            base_estimator=self._surrogate(described, dimensions),
            n_initial_points=self._n_initial_points,
            acq_func="EI" if self._acq_func == "EIps" else self._acq_func,
            acq_optimizer_kwargs={"n_points": self._n_points},
            model_queue_size=1,
            random_state=derive32(self._seed, "bayesian"),
            **more,
        )

    def _surrogate(self, described: Sequence[Any], dimensions: Sequence[SkoptDimension]) -> Any:
        """What is fitted to values: an unfitted regressor, or the name of one that scikit-optimize makes itself."""
        name = self._base_estimator
        if name != "GP" and self._acq_func != "EIps":
            return name
        from skopt.utils import cook_estimator

        from .surrogate import gaussian_process

        seed = derive32(self._seed, "surrogate")
        regressor = gaussian_process(described, seed) if name == "GP" else cook_estimator(name, random_state=seed)
        if self._acq_func != "EIps":
            return regressor
        from .per_cost import PerCost

        return PerCost(regressor, self._log_cost(described, dimensions))

    def _log_cost(
        self, described: Sequence[Any], dimensions: Sequence[SkoptDimension]
    ) -> Callable[[np.ndarray], np.ndarray]:
        """The logarithm of a configuration's cost, fitted to random points: known before the first trial is."""
        from skopt.space import Space as SkoptSpace

        from .per_cost import fit_log_cost

        assert self._cost is not None
        space = SkoptSpace(described)
        points = space.rvs(_COSTS, random_state=np.random.RandomState(derive32(self._seed, "costs")))
        costs = [self._cost(self._configuration(_params(point, dimensions))) for point in points]
        return fit_log_cost(space.transform(points), costs)

    def _configuration(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a trial with these parameters would suggest, in the space's own terms."""
        if self._space is None:
            return params
        single = {n: from_unit(d, 0.0) for n, d in self._space.distributions.items() if d.single()}
        return self._space.suggest(FixedTrial({**single, **params}))

    def _replay(self, dimensions: tuple[SkoptDimension, ...], history: list[TellBatch]) -> Any:
        cache = self._cache
        if cache is None or cache.dimensions != dimensions or history[: len(cache.told)] != cache.told:
            optimizer = self._new_optimizer(dimensions)
            cache = _ReplayCache(dimensions, [], [], optimizer, unfitted=optimizer.base_estimator_)
            self._cache = cache
        for i in range(len(cache.told), len(history)):
            points, values = history[i]
            fits_kernel = self._prepare_surrogate(cache, len(points))
            # Only the hedging gains depend on the models in between.
            fit = fits_kernel or self._acq_func == "gp_hedge" or i == len(history) - 1
            self._tell(cache.optimizer, points, values, "told", fit)
            cache.told.append(history[i])
        return cache.optimizer

    def _prepare_surrogate(self, cache: _ReplayCache, more: int) -> bool:
        """Whether the next fit includes length scales and noise; else the surrogate keeps those of the last that did."""
        optimizer = cache.optimizer
        n = len(optimizer.Xi) + more
        if self._base_estimator != "GP" or n < self._n_initial_points:
            return False
        fits_kernel = n >= _GROWTH * cache.n_fit_points
        if fits_kernel:
            cache.n_fit_points = n
            optimizer.base_estimator_ = cache.unfitted
        else:
            optimizer.base_estimator_ = _with_fixed_kernel(cache.unfitted, optimizer.models[-1])
        return fits_kernel

    def _lie(
        self,
        dimensions: tuple[SkoptDimension, ...],
        history: list[TellBatch],
        pending: list[Point],
        optimizer: Any,
    ) -> Any:
        """A copy of the optimizer to which the lie was told, in order, as the value of each pending trial."""
        cache = self._liar_cache
        known = cache is not None and cache.dimensions == dimensions and cache.told == history
        if cache is None or not known or pending[: len(cache.lies)] != cache.lies:
            cache = _ReplayCache(dimensions, list(history), [], _fantasy_copy(optimizer))
            self._liar_cache = cache
        values = [value for _, batch in history for value in batch]
        lie = float(_LIARS[self._liar](values)) if values else 0.0
        for point in pending[len(cache.lies) :]:
            self._tell(cache.optimizer, [point], [lie], "lie", True)
            cache.lies.append(point)
        return cache.optimizer

    def _tell(self, optimizer: Any, points: list[Point], values: list[float], kind: str, fit: bool) -> None:
        optimizer.rng = np.random.RandomState(derive32(self._seed, kind, len(optimizer.Xi)))
        optimizer.tell(points, values, fit=fit)

    def _ask(self, optimizer: Any, number: int) -> Point:
        optimizer.rng = np.random.RandomState(derive32(self._seed, "ask", number))
        with warnings.catch_warnings():
            # A point that was tried before is replaced by a random one, as it should be.
            warnings.filterwarnings("ignore", "The objective has been evaluated at point")
            point: Point = optimizer.ask()
        return point


def _fantasy_copy(optimizer: Any) -> Any:
    """A copy for lies. Its Gaussian process keeps its hyperparameters: lies must not change its length scales."""
    copied = copy.deepcopy(optimizer)
    if copied.models and hasattr(copied.models[-1], "fixed_kernel_params"):
        copied.base_estimator_ = _with_fixed_kernel(copied.base_estimator_, copied.models[-1])
    return copied


def _with_fixed_kernel(surrogate: Any, fitted: Any) -> Any:
    """An unfitted surrogate that keeps the hyperparameters of a fitted one."""
    from sklearn.base import clone

    return clone(surrogate).set_params(**fitted.fixed_kernel_params())


def _tell_batches(trials: Sequence[FrozenTrial]) -> tuple[list[list[FrozenTrial]], list[int]]:
    """The finished trials in the batches in which they were told, and the numbers in the last batch, not recorded yet."""
    finished = {t.number: t for t in trials if t.state.is_finished()}
    known: set[int] = set()
    batches = []
    for trial in trials:
        recorded = trial.system_attrs.get(TOLD_BEFORE_ASK, [])
        new = [n for first, last in recorded for n in range(first, last + 1) if n in finished and n not in known]
        known.update(new)
        batches.append([finished[n] for n in new])
    rest = [n for n in finished if n not in known]
    return [*batches, [finished[n] for n in rest]], rest


def _ranges(numbers: Sequence[int]) -> list[list[int]]:
    """[0, 1, 2, 5] -> [[0, 2], [5, 5]]."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def _has_any(trial: FrozenTrial, dimensions: Sequence[SkoptDimension]) -> bool:
    return any(d.name in trial.params for d in dimensions)


def _point(trial: FrozenTrial, dimensions: Sequence[SkoptDimension]) -> Point:
    return [d.encode(trial.params[d.name]) if d.name in trial.params else d.middle for d in dimensions]


def _params(point: Point, dimensions: Sequence[SkoptDimension]) -> dict[str, Any]:
    return {d.name: d.decode(encoded) for d, encoded in zip(dimensions, point, strict=True)}
