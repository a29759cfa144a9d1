"""Bayesian optimisation: scikit-optimize behind Optuna's interface, and the only file that knows it.

Snoek et al. 2012, "Practical Bayesian Optimization of Machine Learning Algorithms"; portfolio of acquisitions as in
Hoffman et al. 2011 ("gp_hedge": gains g_i, softmax with eta); batches by the constant liar of Ginsbourger et al. 2010.

scikit-optimize's optimizer has a state: what it was told, in which portions, and the hedging gains that followed. That
state is never stored. Each trial records, when it is asked, which results were news to it; replaying them portion by
portion gives the optimizer again, so a proposal is a function of (seed, study, trial number). What an instance keeps
between calls only spares it the replay.
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
from ..axes import Axis
from ..history import told
from ..modelling import ModelSampler, one_thread
from ..random import from_unit

NEWS = "mlptune:bayesian:news"
"""Trial system attribute: the numbers of the trials told before this one was asked, as [[first, last], ...]."""

_ESTIMATORS = ("GP", "RF", "ET")
_ACQUISITIONS = ("gp_hedge", "EI", "LCB", "PI", "EIps")
_COSTS = 1000
"""Random points whose cost is counted, so that the cost of candidates can be told from theirs."""
_LIARS: dict[str, Callable[[list[float]], Any]] = {"cl_min": np.min, "cl_mean": np.mean, "cl_max": np.max}

_GROWTH = 1.2
"""A Gaussian process learns its length scales anew once it has been told so many times as many points as the last time."""

Point = list[Any]
Portion = tuple[list[Point], list[float]]


@dataclass
class _Memory:
    """An optimizer with what it has been told: the replay of a longer history may start from here."""

    axes: tuple[Axis, ...]
    told: list[Portion]
    lies: list[Point]
    optimizer: Any
    unlearned: Any = None  # the surrogate as it was before it had hyperparameters of its own
    learned_from: int = 0  # how many points these were learned from


class BayesianSampler(ModelSampler):
    """Proposals of scikit-optimize's `Optimizer`.

    Args:
        seed: any integer.
        space: the Space (or its table) to model, all at once and from the first trial on; without it, what the
            finished trials have used, and random points until there are some. Inactive parameters are modelled at
            the middle of their range.
        base_estimator: the surrogate: "GP" (Gaussian process), "RF" (random forest) or "ET" (extra trees).
        cost: what training a configuration costs, as a function of its values in the space's own terms; above 0, and
            infinite where it cannot be trained. Only "EIps" asks for it.
        acq_func: "gp_hedge" (a portfolio of the next three), "EI", "LCB", "PI" or "EIps" (improvement per cost).
        n_initial_points: random points before the surrogate is used.
        liar: what the running trials of a batch are assumed to give: "cl_min" (the best value so far), "cl_mean" or
            "cl_max" (the worst).
        n_points: candidates among which an acquisition's best is looked for; 10,000 unless given, 2,000 for forests.

    A trial that failed, diverged or has no finite value is told as the worst finite value so far; a pruned one with
    the last value it reported. One objective only: more raise ValueError.
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
        self._memory: _Memory | None = None
        self._liar_memory: _Memory | None = None
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_lock"} | {"_memory": None, "_liar_memory": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = Lock()

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._raise_error_if_multi_objective(study)
        if not search_space:
            return {}
        axes = tuple(Axis(name, distribution) for name, distribution in search_space.items())
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        portions, news = _portions(others)
        if news:
            study._storage.set_trial_system_attr(trial._trial_id, NEWS, _ranges(news))
        history = self._history(portions, axes, study.direction)
        pending = [_point(t, axes) for t in others if t.state == TrialState.RUNNING and _has(t, axes)]
        with self._lock, one_thread():
            optimizer = self._replay(axes, history)
            if pending:
                optimizer = self._lie(axes, history, pending, optimizer)
            point = self._ask(optimizer, trial.number)
        return {a.name: a.value(coordinate) for a, coordinate in zip(axes, point, strict=True)}

    def _history(
        self, portions: Sequence[Sequence[FrozenTrial]], axes: Sequence[Axis], direction: StudyDirection
    ) -> list[Portion]:
        """What the optimizer is told, portion by portion: points, and values to minimise."""
        finite: list[float] = []
        history = []
        for portion in portions:
            trials = [t for t in portion if _has(t, axes)]
            values = [told(t, direction) for t in trials]
            finite += [v for v in values if v is not None]
            worst = max(finite, default=0.0)
            if trials:
                history.append(([_point(t, axes) for t in trials], [worst if v is None else v for v in values]))
        return history

    def _new(self, axes: Sequence[Axis]) -> Any:
        from skopt import Optimizer
        from skopt.utils import normalize_dimensions

        dimensions = [a.dimension() for a in axes]
        more: dict[str, Any] = {}
        if self._acq_func == "EIps":
            dimensions = normalize_dimensions(dimensions)
            # Costs have no gradient to climb along.
            more = {"acq_optimizer": "sampling"}
        return Optimizer(
            dimensions,
            base_estimator=self._surrogate(dimensions, axes),
            n_initial_points=self._n_initial_points,
            acq_func="EI" if self._acq_func == "EIps" else self._acq_func,
            acq_optimizer_kwargs={"n_points": self._n_points},
            model_queue_size=1,
            random_state=derive32(self._seed, "bayesian"),
            **more,
        )

    def _surrogate(self, dimensions: Sequence[Any], axes: Sequence[Axis]) -> Any:
        """What is fitted to values: an unfitted regressor, or the name of one that scikit-optimize makes itself."""
        name = self._base_estimator
        if name != "GP" and self._acq_func != "EIps":
            return name
        from skopt.utils import cook_estimator

        from .surrogate import gaussian_process

        seed = derive32(self._seed, "surrogate")
        regressor = gaussian_process(dimensions, seed) if name == "GP" else cook_estimator(name, random_state=seed)
        if self._acq_func != "EIps":
            return regressor
        from .per_cost import PerCost

        return PerCost(regressor, self._log_cost(dimensions, axes))

    def _log_cost(self, dimensions: Sequence[Any], axes: Sequence[Axis]) -> Callable[[np.ndarray], np.ndarray]:
        """The logarithm of a configuration's cost, learned from random points: known before the first trial is."""
        from skopt.space import Space as Dimensions

        from .per_cost import log_cost

        assert self._cost is not None
        drawn = Dimensions(dimensions)
        points = drawn.rvs(_COSTS, random_state=np.random.RandomState(derive32(self._seed, "costs")))
        params = ({a.name: a.value(c) for a, c in zip(axes, point, strict=True)} for point in points)
        return log_cost(drawn.transform(points), [self._cost(self._configuration(p)) for p in params])

    def _configuration(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a trial with these parameters would suggest, in the space's own terms."""
        if self._space is None:
            return params
        single = {n: from_unit(d, 0.0) for n, d in self._space.distributions.items() if d.single()}
        return self._space.suggest(FixedTrial({**single, **params}))

    def _replay(self, axes: tuple[Axis, ...], history: list[Portion]) -> Any:
        memory = self._memory
        if memory is None or memory.axes != axes or history[: len(memory.told)] != memory.told:
            optimizer = self._new(axes)
            memory = _Memory(axes, [], [], optimizer, unlearned=optimizer.base_estimator_)
            self._memory = memory
        for i in range(len(memory.told), len(history)):
            points, values = history[i]
            learn = self._learn(memory, len(points))
            # Only the hedging gains remember the models in between.
            fit = learn or self._acq_func == "gp_hedge" or i == len(history) - 1
            self._tell(memory.optimizer, points, values, "told", fit)
            memory.told.append(history[i])
        return memory.optimizer

    def _learn(self, memory: _Memory, more: int) -> bool:
        """Whether the next fit shall learn length scales and noise; else it keeps those of the last that did."""
        optimizer = memory.optimizer
        n = len(optimizer.Xi) + more
        if self._base_estimator != "GP" or n < self._n_initial_points:
            return False
        learn = n >= _GROWTH * memory.learned_from
        if learn:
            memory.learned_from = n
            optimizer.base_estimator_ = memory.unlearned
        else:
            optimizer.base_estimator_ = _keeping(memory.unlearned, optimizer.models[-1])
        return learn

    def _lie(self, axes: tuple[Axis, ...], history: list[Portion], pending: list[Point], optimizer: Any) -> Any:
        """A copy of the optimizer that believes the running trials, in order, to have given the lie."""
        memory = self._liar_memory
        known = memory is not None and memory.axes == axes and memory.told == history
        if memory is None or not known or pending[: len(memory.lies)] != memory.lies:
            memory = _Memory(axes, list(history), [], _believer(optimizer))
            self._liar_memory = memory
        seen = [value for _, values in history for value in values]
        lie = float(_LIARS[self._liar](seen)) if seen else 0.0
        for point in pending[len(memory.lies) :]:
            self._tell(memory.optimizer, [point], [lie], "lie", True)
            memory.lies.append(point)
        return memory.optimizer

    def _tell(self, optimizer: Any, points: list[Point], values: list[float], kind: str, fit: bool) -> None:
        optimizer.rng = np.random.RandomState(derive32(self._seed, kind, len(optimizer.Xi)))
        optimizer.tell(points, values, fit=fit)

    def _ask(self, optimizer: Any, number: int) -> Point:
        optimizer.rng = np.random.RandomState(derive32(self._seed, "ask", number))
        with warnings.catch_warnings():
            # A point that was tried before is replaced by a random one: as it should be, and no news to anybody.
            warnings.filterwarnings("ignore", "The objective has been evaluated at point")
            point: Point = optimizer.ask()
        return point


def _believer(optimizer: Any) -> Any:
    """A copy to be lied to. A Gaussian process keeps its hyperparameters: lies shall not teach it length scales."""
    believer = copy.deepcopy(optimizer)
    if believer.models and hasattr(believer.models[-1], "learned"):
        believer.base_estimator_ = _keeping(believer.base_estimator_, believer.models[-1])
    return believer


def _keeping(surrogate: Any, fitted: Any) -> Any:
    """An unfitted surrogate that keeps the hyperparameters of a fitted one."""
    from sklearn.base import clone

    return clone(surrogate).set_params(**fitted.learned())


def _portions(trials: Sequence[FrozenTrial]) -> tuple[list[list[FrozenTrial]], list[int]]:
    """The finished trials in the portions in which they became known, and the numbers in the last, still unrecorded."""
    finished = {t.number: t for t in trials if t.state.is_finished()}
    known: set[int] = set()
    portions = []
    for trial in trials:
        recorded = trial.system_attrs.get(NEWS, [])
        news = [n for first, last in recorded for n in range(first, last + 1) if n in finished and n not in known]
        known.update(news)
        portions.append([finished[n] for n in news])
    rest = [n for n in finished if n not in known]
    return [*portions, [finished[n] for n in rest]], rest


def _ranges(numbers: Sequence[int]) -> list[list[int]]:
    """[0, 1, 2, 5] -> [[0, 2], [5, 5]]."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def _has(trial: FrozenTrial, axes: Sequence[Axis]) -> bool:
    return any(a.name in trial.params for a in axes)


def _point(trial: FrozenTrial, axes: Sequence[Axis]) -> Point:
    return [a.coordinate(trial.params[a.name]) if a.name in trial.params else a.middle for a in axes]
