"""The plan of a sweep: all that follows from a sweep file and its data, as plain facts, resolved and checked once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.hyperparameters import Hyperparameters
from ...core.losses import loss_for
from ...core.metrics import Metric
from ...core.metrics import resolve as resolve_metric
from ...search.methods import METHODS, Method
from ...search.searcher import Searcher, may_use_priors, split_options
from ...search.spaces.dimensions import Range
from ...search.spaces.space import Space
from ..config import Spec
from ..config.checks import check_space, searcher_of
from ..config.defaults import default_model, default_space_table, default_starts
from ..config.names import CLASS_WEIGHT
from ..config.schema import SearchConfig
from ..costs import Costs
from ..data.dataset import Dataset
from ..data.frames import MemoryTable
from ..errors import UserError
from ..execution.engine import Task
from ..gathered import Gathered
from ..scoring import Scoring
from . import forecast
from .extent import extent_of, refits_members, rows_of_refit
from .judging import check_judges
from .objective import Objective, check_defined, objective_of, rare_class
from .point_costs import PointCosts, point_costs
from .warm_start import Point, check_points, fits


@dataclass(frozen=True)
class SearchOptions:
    """[search] options by whose they are."""

    scheduler: Mapping[str, Any]
    pruner: Mapping[str, Any]
    sampler: Mapping[str, Any]


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep searches, how it trains and how it judges; `make_plan` makes one.

    Attributes:
        spec: The sweep file.
        dataset: Its data.
        space: What is searched, stated or the default.
        fixed: The hyperparameters that all trials share, with the default budget where [model] and [space] give none.
        objective: What a trial is judged by.
        searcher: The names of sampler, pruner and scheduler.
        options: Their options.
        max_epochs: Epochs of a trial that runs to its end, at most.
        total: How many trials.
        seeds: The seeds of each trial's networks, the same for all, so that trials differ by their configuration alone.
        loss: The loss that the target asks for.
        costs: What the model of a configuration costs, of that trial alone.
        trial_operations: Multiply-adds of one trial, roughly (see `forecast`).
        notes: For the user: settings that are not in force under the method, and a metric that is blind to a rare class.
        point_costs: What the points of the space cost, where that matters to the search.
        starts: What is tried first, as far as the sweep file has it itself; where it says nothing, the default space's.
    """

    spec: Spec
    dataset: Dataset
    space: Space
    fixed: Mapping[str, Any]
    objective: Objective
    searcher: Searcher
    options: SearchOptions
    max_epochs: int
    total: int
    seeds: tuple[int, ...]
    loss: str
    costs: Costs
    trial_operations: float = 0.0
    notes: tuple[str, ...] = ()
    point_costs: PointCosts | None = None
    starts: tuple[Point, ...] = ()

    @property
    def method(self) -> Method | None:
        """The row of the method's table; None for a sampler that was named itself."""
        return METHODS.get(self.spec.search.method)

    @property
    def race(self) -> bool:
        """Whether trials race over the folds."""
        return self.spec.search.race

    @property
    def model(self) -> dict[str, Any]:
        """What all trials share, for the record: `fixed`, and `class_weight` where [model] has one."""
        return {**self.fixed, **self.of_rows}

    @property
    def of_rows(self) -> dict[str, Any]:
        """`class_weight` where [model] has one: part of a configuration, and already in the weights of the training rows."""
        return {} if self.spec.class_weight is None else {CLASS_WEIGHT: self.spec.class_weight}

    @property
    def member_subset(self) -> float:
        """The share of the rows for what is trained again for the model: all, but where that would take too long."""
        was_planned = self.spec.space is None and "subset" not in self.spec.hyperparameters
        return forecast.member_share(self.fixed.get("subset", 1.0)) if was_planned else 1.0

    @property
    def expected_trials(self) -> int:
        """How many trials there are if each trains to its last epoch."""
        epochs = self.spec.search.epochs_total
        return self.total if epochs is None else min(self.total, math.ceil(epochs / self.max_epochs))

    @property
    def stops_early(self) -> bool:
        """Whether trials may end before their last epoch by themselves."""
        # Of the fixed ones alone, since others may be impossible without what is searched.
        named = {name: self.fixed[name] for name in ("preset", "early_stopping") if name in self.fixed}
        return bool(Hyperparameters.from_config(named).early_stopping)

    @property
    def refits_members(self) -> bool:
        """Whether the members of the model are trained on all rows too: with one validation part, where there is time."""
        return refits_members(self.spec, self.dataset)

    @property
    def retraining_operations(self) -> float:
        """Multiply-adds of training the members of the model again, roughly."""
        if not self.spec.objective.ensemble or self.spec.search.minutes is not None:
            return 0.0
        share, times = self.fixed.get("subset", 1.0), 0.0  # how many times a trial's rows each of them is given
        if share < 1.0:
            times = self.member_subset / share
        elif self.refits_members:
            times = rows_of_refit(self.dataset)
        return forecast.MEMBERS * times * self.trial_operations

    @property
    def operations(self) -> float:
        """Multiply-adds of the sweep, roughly: of its trials, and of the members that are trained again."""
        return self.trial_operations * self.expected_trials + self.retraining_operations

    def task(self) -> Task:
        """What the engine trains on: the folds' arrays, and how networks on them are scored."""
        folds = self.dataset.folds()
        return Task(
            folds=tuple(fold.arrays for fold in folds),
            fingerprint=self.dataset.fingerprint,
            loss=self.loss,
            n_outputs=folds[0].target.n_outputs,
            seeds=self.seeds,
            order_seed=self.spec.seed,
            objective=self.objective.key,
            metrics=(self.objective.metric,) if self.objective.metric else (),
            scale=tuple(fold.target.scale for fold in folds),
            n_plain=folds[0].encoder.n_plain,
            levels=folds[0].encoder.levels,
        )

    def prediction_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape (n, o) of a trial's predictions for each fold's validation rows."""
        folds = self.dataset.folds()
        return tuple(
            (0 if fold.arrays.X_val is None else len(fold.arrays.X_val), fold.target.n_outputs) for fold in folds
        )

    @property
    def has_probabilities(self) -> bool:
        """Whether all networks predict probabilities, which the perceptron's decisions are not."""
        activations = [self.fixed.get("activation"), *_values(self.space, "activation")]
        losses = [self.fixed.get("loss"), *_values(self.space, "loss")]
        return self.dataset.task == "classification" and "threshold" not in activations and "perceptron" not in losses

    @property
    def metric_code(self) -> str:
        """Which function of the user's the metric is; "" for any other."""
        metric = self.scoring().metric
        return "" if metric is None else metric.code

    @property
    def decision_metric(self) -> Metric | None:
        """The metric for which a threshold decides between the two classes; None where there are others, or none is needed."""
        metric = self.scoring().metric
        needed = metric is not None and metric.decision == "threshold"
        return metric if needed and self.has_probabilities and len(self.dataset.classes or ()) == 2 else None

    def scoring(self) -> Scoring:
        """The objective as a score of predictions."""
        classes = self.dataset.classes
        row = self.objective.row(self.dataset.task)
        metric = None if row is None else resolve_metric(row, self.dataset.task, len(classes or ()))
        return Scoring(metric, self.loss, self.dataset.folds()[0].target.scale)


def plan_of(spec: Spec, table: MemoryTable) -> SweepPlan:
    """Resolve a sweep file with a table that is read already. Raises UserError for what does not fit."""
    data = Dataset.of_frame(table.frame, spec.data, spec.seed, spec.base, spec.class_weight, table.weight, table.said)
    return make_plan(spec, data)


def make_plan(spec: Spec, dataset: Dataset) -> SweepPlan:
    """Resolve a sweep file with its data. Raises UserError for what of the file does not fit the data or the method."""
    n_rows = len(dataset.folds()[0].arrays.X)
    searcher = searcher_of(spec)
    space = spec.parsed_space
    if space is None:  # not parsed when the file was loaded: the data decide what is searched
        table = spec.space if spec.space is not None else _default_table(spec, searcher, dataset)
        space = check_space(spec, table)
    fixed = _with_defaults(spec, searcher, space, n_rows)
    found = Gathered()
    objective = found.value(objective_of, spec.objective, dataset)
    options = found.value(_options, searcher, spec.search)
    if objective is None or options is None:
        raise UserError(*found.problems)
    notes = _check_metric(objective, dataset)
    method = METHODS.get(spec.search.method)
    if method is not None and method.full_length_trials:
        fixed, overruled = _require_full_length(spec, space, fixed)
        notes += overruled
    notes += _unused_priors(spec.search.method, space)
    if spec.search.race and len(dataset.folds()) < 2:
        raise UserError("[search] race: there is one validation part and no folds to race over; set [data] folds")
    loss = loss_for(None if dataset.classes is None else len(dataset.classes))
    costs = _costs(spec, dataset, loss)
    known = point_costs(costs, objective.limit, objective.counted, space, fixed)
    extent = extent_of(spec, dataset, searcher, space, fixed, loss, known)
    if extent.subset is not None:
        fixed["subset"] = extent.subset
    if isinstance(spec.search.start, list):
        check_points(spec.search.start, space, extent.total, None if known is None else known.over)
    return SweepPlan(
        spec=spec,
        dataset=dataset,
        space=space,
        fixed=fixed,
        objective=objective,
        searcher=searcher,
        options=options,
        max_epochs=extent.max_epochs,
        total=extent.total,
        seeds=tuple(spec.seed + i for i in range(spec.data.seeds)),
        loss=loss,
        trial_operations=extent.trial_operations,
        notes=(*notes, *extent.notes, *rare_class(objective, dataset, spec.class_weight)),
        costs=costs,
        point_costs=known,
        starts=tuple(_starts(spec, space, n_rows, known)[: extent.total]),
    )


def _default_table(spec: Spec, searcher: Searcher, dataset: Dataset) -> dict[str, Any]:
    """What is searched where the sweep file does not say."""
    fold = dataset.folds()[0]
    return default_space_table(spec.hyperparameters, searcher, len(fold.arrays.X), dataset.task, fold.encoder.n_numeric)


def _check_metric(objective: Objective, dataset: Dataset) -> tuple[str, ...]:
    """Refuse a metric that is not defined on the validation rows; return notes on what it judges by."""
    notes = check_judges(dataset, objective.row(dataset.task))
    check_defined(objective, dataset)
    return notes


def _starts(spec: Spec, space: Space, n_rows: int, costs: PointCosts | None) -> list[Point]:
    """What the sweep file tries first; where it says nothing of it, what of the default space is within the limits."""
    if isinstance(spec.search.start, list):
        return list(spec.search.start)
    if spec.space is not None or spec.search.start is not None:
        return []
    points = default_starts(spec.hyperparameters, spec.search.method, n_rows, space)
    return [point for point in points if fits(point, space, costs)]


def _unused_priors(method: str, space: Space) -> tuple[str, ...]:
    """A note where priors are given to a method that does not use them: they are hints, without which it searches as well."""
    if not space.guess or may_use_priors(method):
        return ()
    users = ", ".join(name for name, row in METHODS.items() if row.priors)
    return (f"priors ({', '.join(space.guess)}) are not used by method {method}, but by {users}",)


def _with_defaults(spec: Spec, searcher: Searcher, space: Space, n_rows: int) -> dict[str, Any]:
    """[model], with what it leaves open where the data decide."""
    model = spec.hyperparameters
    own = spec.space is not None or searcher.searches_layers
    found = default_model({**dict.fromkeys(space), **model}, n_rows, with_space=own)
    return {**found, **model, "standardize": True}


def _options(searcher: Searcher, search: SearchConfig) -> SearchOptions:
    try:
        return SearchOptions(*split_options(searcher, search.options))
    except ValueError as error:
        raise UserError(str(error)) from error


def _require_full_length(spec: Spec, space: Space, fixed: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The fixed values with which every trial trains to its last epoch, and notes on what of the sweep file that overrules."""
    method, notes = spec.search.method, []
    if spec.search.timeout is not None:
        notes.append("timeout acts between populations, never inside one")
    if spec.search.batch is not None:
        notes.append(f"batch = {spec.search.batch} is not used: search.options.population says who trains together")
    if "changes" in fixed:
        raise UserError(f"[model] changes: method {method} makes the changes itself; leave them out")
    result = dict(fixed)
    for name in ("early_stopping", "tolerance"):
        if name in space:
            raise UserError(f"[space] {name}: cannot be searched by {method}, which trains all to the last epoch")
        if fixed.get(name):
            result[name] = 0
            if name in spec.hyperparameters:
                notes.append(f"{name} is off: under method {method} all trials train to the last epoch")
    return result, tuple(notes)


def _costs(spec: Spec, dataset: Dataset, loss: str) -> Costs:
    """The costs of the model that a trial alone would be: trained again on all rows once for each seed, or its own networks."""
    fold = dataset.folds()[0]
    encoder = fold.encoder
    networks = spec.data.seeds * (1 if spec.objective.refit else len(dataset.folds()))
    return Costs(fold.arrays.X.shape[1], fold.target.n_outputs, encoder.n_plain, tuple(encoder.levels), loss, networks)


def _values(space: Space, name: str) -> list[Any]:
    """The choices of a searched hyperparameter; none if it is not searched."""
    dimension = space.dimensions.get(name)
    return [] if dimension is None or isinstance(dimension, Range) else list(dimension.values)
