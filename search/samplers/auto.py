"""The default: Bayesian optimisation with a Gaussian process that costs a few milliseconds a proposal.

Each proposal maximises the logarithm of the expected improvement (Jones et al. 1998; Ament et al. 2023) under a Gaussian process
of the results (`surrogate.gp`). Pending trials have the model's prediction as their fantasy value ("kriging believer", Ginsbourger
et al. 2010). The value to beat is the model's at a tried point, not the best result, which may be luck; and what is worth no more
than a repeat of a tried point is left alone (`surrogate.copies`). Priors of the space weigh the expected improvement
(`surrogate.pibo`).

A proposal is a function of (seed, trial number, history). Fitting the kernel parameters costs more than all the rest, so it is
done each time the history has grown by a tenth, always from the same start: for a study that was rebuilt it gives the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..._text import counted
from ..known_costs import KnownCosts
from ..pareto import non_dominated
from ..plugins import check_integer
from ..seeds import derive
from ..spaces.space import Space
from ..surrogate.acquisition import log_expected_improvement, maximise
from ..surrogate.copies import near_copies
from ..surrogate.features import Features
from ..surrogate.gp import GaussianProcess, KernelParameters, fit_kernel_parameters, transform_objective
from ..surrogate.hypervolume import log_expected_hypervolume_improvement
from ..surrogate.pibo import PointPriors, Score
from .costs_of_codes import CostsOfCodes
from .history import impute_worst
from .modelling import EncodedSampler, drop_single, one_thread, rows

MAX_TRAINING_TRIALS = 200
"""The most trials that the model is conditioned on, half of them the best and half the latest; it bounds a proposal's cost."""

_GROWTH = 1.1
"""The kernel parameters are fitted again once there are this many times as many results as at the last fit."""

STARTS = 5
"""How many of the best trials' neighbourhoods are searched."""

FRONT_STARTS = 10
"""How many neighbourhoods are searched where the best trials are a front."""


class AutoSampler(EncodedSampler):
    """Expected improvement under a Gaussian process.

    Args:
        seed: any integer.
        space: the Space (or its table) to model, all at once and from the first trial on; without it, what the finished trials
            have used. Inactive parameters are modelled at the middle of their range.
        trials: how many trials there will be, and
        batch: how many are asked at a time, and
        given: how many of the first ones are enqueued configurations; all three are used only to describe the search (`choice`).
        n_startup_trials: results before the model is used; until then, points of a Latin hypercube.
        structures: the most different structures that the model may propose in a batch; any number unless given. Trials of one
            structure train as one stack.
        structural: the names of the hyperparameters that make the structure.
        repeats: whether near copies of tried points may be proposed, and the first points of a small space more than once, as
            by mlptune 0.1.0, whose sweeps are continued so.
        known_costs: the costs that are minimised beside the value, and the limits; with them (and a space) a study may have
            several objectives, of which those after the first are these costs.

    A trial that failed, diverged or has no finite value counts as the worst finite value so far; a pruned one with the last
    value it reported. Other studies with several objectives raise ValueError.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        space: Space | Mapping[str, Any] | None = None,
        trials: int | None = None,
        batch: int | None = None,
        given: int = 0,
        n_startup_trials: int = 8,
        structures: int | None = None,
        structural: Collection[str] = (),
        repeats: bool = False,
        known_costs: KnownCosts | None = None,
    ) -> None:
        super().__init__(seed, space=space)
        if isinstance(structural, str) or not isinstance(structural, Collection):
            raise ValueError(f"structural: {structural!r} is not a list of names")
        self._structures = structures if structures is None else check_integer("structures", structures)
        self._structural = frozenset(structural)
        self._trials, self._batch, self._given, self._repeats = trials, batch, given, repeats
        self._known_costs = known_costs
        self._n_startup_trials = check_integer("n_startup_trials", n_startup_trials)
        self._lock = Lock()

    def _reset_cache(self) -> None:
        super()._reset_cache()
        self._fitted: tuple[bytes, KernelParameters] | None = None
        self._of_codes: CostsOfCodes | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k not in ("_fitted", "_of_codes", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._lock = Lock()

    def describe(self, total: int) -> list[str]:
        """Lines for the user, before `total` trials start."""
        return [] if self._space is not None and not drop_single(self._space.distributions) else [self.choice]

    @property
    def choice(self) -> str:
        """How this space is searched with this many trials in batches of this size, in one line."""
        batch = self._batch or 1
        # No results are known while the first batches are asked.
        startup = -(-max(self._n_startup_trials, self._given) // batch) * batch
        if self._space is not None and self._trials is not None:
            features = Features(drop_single(self._space.distributions), self._space)
            if not features.axes:
                return "auto: the space has one point"
            if features.points <= self._trials:
                return f"auto: the space has {counted(len(features.all_points()), 'point')}{self._once(startup)}"
        if self._trials is not None and self._trials <= startup:
            return f"auto: {counted(self._trials, 'trial')}, too few to learn from; {self._begins(self._trials)}"
        has_cost = self._known_costs is not None and self._known_costs.count > 0
        gain = "expected improvement of the hypervolume" if has_cost else "expected improvement"
        weighed = f", weighed by {counted(len(self._guess), 'prior')}" if self._guess else ""
        return f"auto: {self._begins(startup)}, then {gain} under a Gaussian process{weighed}"

    def _begins(self, startup: int) -> str:
        """Where the first points come from."""
        random = startup - self._given
        parts = [f"{counted(self._given, 'configuration')} to start with"] if self._given else []
        parts += [f"{counted(random, 'point')} of a Latin hypercube"] if random > 0 else []
        return " and ".join(parts)

    def _once(self, startup: int) -> str:
        """How a space of no more points than trials is gone through."""
        if not self._repeats:
            return "; each is tried once before any is tried again"
        if self._trials is not None and self._trials <= startup:
            return '; a Latin hypercube may repeat some, method "grid" tries each once'
        return f"; of {startup} in a Latin hypercube some may repeat, later none before all are tried"

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._check_objectives(study)
        if not search_space:
            return {}
        others = self._others(study, trial, search_space)
        finished = [t for t in others if t.state.is_finished()]
        pending = [t for t in others if t.state == TrialState.RUNNING]
        with self._lock, one_thread():
            features = self._axes(search_space)
            codes = None
            if len(finished) >= self._n_startup_trials:
                y = impute_worst([self._read(t, study, features)[1] for t in finished])
                # A trial that was paused has reported something; the others are those of the batch that is being asked.
                batch = self._encoded([t for t in pending if not t.intermediate_values], study, features)
                codes = self._propose(
                    features,
                    self._encoded(finished, study, features),
                    y,
                    self._encoded(pending, study, features),
                    trial.number,
                    self._within(features, batch),
                    has_cost=len(study.directions) > 1,
                )
            if codes is None:
                codes = self._first(features, self._encoded(others, study, features), trial.number)
        return self._decoded(features, codes, trial.number)

    def _decoded(self, features: Features, codes: np.ndarray, number: int) -> dict[str, Any]:
        """The point of a trial; the first has what the priors name, exactly."""
        guess = self._guess if number == 0 else {}
        return {name: guess.get(name, value) for name, value in features.decode(codes).items()}

    @property
    def _guess(self) -> Mapping[str, Any]:
        return {} if self._space is None else self._space.guess

    def _check_objectives(self, study: Study) -> None:
        """Several objectives are searched for, if those after the first are costs that are known."""
        known = self._known_costs
        if known is None or self._space is None or len(study.directions) != 1 + known.count:
            super()._check_objectives(study)

    def _others(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> list[FrozenTrial]:
        """The other trials that have any of the modelled parameters."""
        trials = study._get_trials(deepcopy=False, use_cache=True)
        others = [t for t in trials if t.number != trial.number and not search_space.keys().isdisjoint(t.params)]
        return [t for t in others if self._counts(t)]

    def _encoded(self, trials: Sequence[FrozenTrial], study: Study, features: Features) -> np.ndarray:
        return rows([self._read(t, study, features)[0] for t in trials], features)

    def _first(self, features: Features, taken: np.ndarray, number: int) -> np.ndarray:
        """The codes (d,) of a trial before there is a model: of a Latin hypercube; another point where that one is taken."""
        u = PointPriors(features, self._guess).drawn(self._startup(number, len(features.axes)), number)
        codes = features.from_unit_cube(u[None])
        if self._repeats or not (codes == taken).all(axis=1).any():
            return codes[0]
        generator = np.random.default_rng(derive(self._seed, "auto", "another", number))
        other = maximise(lambda points: generator.random(len(points)), features, codes[:0], taken, generator, n_steps=1)
        return codes[0] if other is None else other

    def _startup(self, number: int, dimensions: int) -> np.ndarray:
        """The point in [0, 1)^d of a trial before there is a model: each block is a Latin hypercube (McKay et al. 1979)."""
        block, row = divmod(number, self._n_startup_trials)
        generator = np.random.default_rng(derive(self._seed, "auto", "startup", block))
        strata = generator.permuted(np.tile(np.arange(self._n_startup_trials), (dimensions, 1)), axis=1)
        return (strata[:, row] + generator.random((self._n_startup_trials, dimensions))[row]) / self._n_startup_trials

    def _within(self, features: Features, batch: np.ndarray) -> tuple[list[int], np.ndarray] | None:
        """The axes of structure and the structures (k, axes) of a batch (n, d) that may have no others; None if it may."""
        axes = [i for i, axis in enumerate(features.axes) if axis.name in self._structural]
        if self._structures is None or not axes or not len(batch):
            return None
        found = np.unique(batch[:, axes], axis=0)
        return (axes, found) if len(found) >= self._structures else None

    def _propose(
        self,
        features: Features,
        codes: np.ndarray,
        y: np.ndarray,
        pending: np.ndarray,
        number: int,
        within: tuple[list[int], np.ndarray] | None,
        *,
        has_cost: bool = False,
    ) -> np.ndarray | None:
        """The codes (d,) to try next after results y (n,) at `codes` (n, d); None if nothing is left to try."""
        parameters = self._kernel_parameters(features, codes, y)
        taken = np.concatenate([codes, pending])
        costs = self._costs_of(features)
        chosen = select_training_trials(y)
        if costs is not None and has_cost:  # the cheap ones of the front are among neither the best nor the latest
            on_front = np.flatnonzero(non_dominated(np.column_stack([y, costs.logarithms(codes)])))
            chosen = np.union1d(chosen, on_front)
        codes, scores = codes[chosen], transform_objective(y[chosen])
        model = GaussianProcess(features.features(codes), scores, parameters)
        means = model.predict(model.X)[0]
        fantasies = np.empty(0)
        if len(pending):
            X = features.features(pending)
            fantasies = model.predict(X)[0]
            model = model.condition_on(X, fantasies)
        if costs is not None and has_cost:
            tried = np.concatenate([codes, pending])
            values = np.column_stack([np.concatenate([means, fantasies]), costs.logarithms(tried)])
            starts, score = self._hypervolume(features, model, costs, tried, values)
        else:
            starts = codes[np.argsort(means, kind="stable")[:STARTS]]
            best = np.concatenate([means, fantasies]).min()

            def score(candidates: np.ndarray) -> np.ndarray:
                return log_expected_improvement(*model.predict(features.features(candidates)), float(best))

        starts, score = self._with_priors(features, starts, score, len(y))
        generator = np.random.default_rng(derive(self._seed, "auto", number))
        copies = self._copies(features.features, taken, parameters)
        admitted = costs.admitted if costs is not None else None
        return maximise(score, features, starts, taken, generator, within=within, copies=copies, admitted=admitted)

    def _with_priors(self, features: Features, starts: np.ndarray, score: Score, n: int) -> tuple[np.ndarray, Score]:
        """Where to search around, and the score, as the priors of the space have it after n results."""
        priors = PointPriors(features, self._guess)
        if not priors:
            return starts, score
        return np.concatenate([starts, priors.guessed(starts[:1])]), priors.weighed(score, n)

    def _costs_of(self, features: Features) -> CostsOfCodes | None:
        """What is known of the costs of points of this space; None if nothing is."""
        if self._of_codes is None and self._known_costs is not None and self._space is not None:
            self._of_codes = CostsOfCodes(self._known_costs, features, self._space)
        return self._of_codes

    def _hypervolume(
        self,
        features: Features,
        model: GaussianProcess,
        costs: CostsOfCodes,
        tried: np.ndarray,
        values: np.ndarray,
    ) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        """Where to search around, and the score, after points `tried` (n, d) whose value and m costs are `values` (n, 1 + m).

        The reference point is the worst value so far, and of each cost a tenth of the space's range above its highest. Costs that
        are in proportion, such as parameters and their bytes, are one: more of them would only weigh more.
        """
        on_front = np.flatnonzero(non_dominated(values))
        on_front = on_front[np.argsort(values[on_front, 1], kind="stable")]
        spread = np.unique(np.linspace(0, len(on_front) - 1, FRONT_STARTS).round().astype(int))
        known = np.concatenate([values[:, 1:], costs.sample])
        known = known[np.isfinite(known).all(axis=1)]
        own = _not_in_proportion(known)
        highest = known.max(axis=0)
        ends = [float(high + (0.1 * (high - low) or 1.0)) for low, high in zip(known.min(axis=0), highest, strict=True)]
        reference = [float(values[:, 0].max()), *(ends[j] for j in own)]
        front = values[on_front][:, [0, *(1 + j for j in own)]]

        def score(candidates: np.ndarray) -> np.ndarray:
            mean, deviation = model.predict(features.features(candidates))
            cost = costs.logarithms(candidates)[:, own]
            return log_expected_hypervolume_improvement(mean, deviation, cost, front, reference)

        return tried[on_front[spread]], score

    def _copies(
        self, place: Callable[[np.ndarray], np.ndarray], taken: np.ndarray, parameters: KernelParameters
    ) -> Callable[[np.ndarray], np.ndarray] | None:
        """What says which codes (n, d) are near copies of those that are taken; `place` gives features (n, p) of codes."""
        if self._repeats:
            return None
        tried = place(taken)
        return lambda codes: near_copies(place(codes), tried, parameters)

    def _kernel_parameters(self, features: Features, codes: np.ndarray, y: np.ndarray) -> KernelParameters:
        """The kernel parameters, fitted to the first of the trials, see `n_fit_trials`."""
        m = n_fit_trials(self._n_startup_trials, len(y))
        codes, y = codes[:m], y[:m]
        key = codes.tobytes() + y.tobytes()
        if self._fitted is None or self._fitted[0] != key:
            self._fitted = key, fit_kernel_parameters(features.features(codes), transform_objective(y))
        return self._fitted[1]


def _not_in_proportion(logarithms: np.ndarray) -> list[int]:
    """Which of the costs with these logarithms (n, m) are not some other one, that comes before, times a constant."""
    own: list[int] = []
    for j in range(logarithms.shape[1]):
        if all(np.ptp(logarithms[:, j] - logarithms[:, i]) > 1e-9 for i in own):
            own.append(j)
    return own


def n_fit_trials(startup: int, n: int) -> int:
    """To how many of n trials the kernel is fitted: the largest of startup, 1.1 startup, 1.21 startup ... that is at most n."""
    while (following := max(startup + 1, int(startup * _GROWTH))) <= n:
        startup = following
    return startup


def select_training_trials(y: np.ndarray) -> np.ndarray:
    """The indices, ascending, of the trials that the model is conditioned on."""
    if len(y) <= MAX_TRAINING_TRIALS:
        return np.arange(len(y))
    best = np.argsort(y, kind="stable")[: MAX_TRAINING_TRIALS // 2]
    rest = np.setdiff1d(np.arange(len(y)), best)
    return np.sort(np.concatenate([best, rest[-(MAX_TRAINING_TRIALS - MAX_TRAINING_TRIALS // 2) :]]))
