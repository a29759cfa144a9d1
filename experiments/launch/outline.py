"""A plan in outline: what a sweep would do, as plain facts, for `sweep --dry-run`, `mlptune check` and whoever reads their JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ...core.cost import networks_per_job, state_bytes
from ...core.hyperparameters import Hyperparameters
from ...core.structure import Structure
from ...search.spaces.layers import configuration
from ..config.defaults import DEFAULT_BATCH
from ..data.dataset import Dataset
from ..data.understanding import Column, understood
from . import forecast
from .extremes import extreme
from .plan import SweepPlan

# What the processes take before there are data (measured): the coordinator, a worker, and the writer with MLflow in it.
COORDINATOR_BYTES, WORKER_BYTES, WRITER_BYTES = 150 << 20, 45 << 20, 210 << 20


@dataclass(frozen=True)
class Outline:
    """What a sweep would do.

    Attributes:
        name: The sweep's name.
        data: The source, how many rows there are, and how many are in each part; several folds have the largest's numbers.
        columns: What was understood of the table.
        target: The column to predict, the task, why it is that one, and the classes, where there are any.
        space: What is searched, each hyperparameter with its range or its choices, as a sweep file has them.
        fixed: The hyperparameters that all trials share.
        search: Method, sampler, scheduler and pruner, trials, the batch, and the time that the search is given, if it is.
        networks: How many a trial has, their inputs and outputs, and the number of weights of the smallest and the largest.
        epochs: Of a trial that runs to its end, at most.
        objective: The metric and its direction; `counted` costs that are minimised too, and their `limit`, where there are any.
        hands_back: What the sweep's model will be, in words.
        forecast: Multiply-adds (none where the time is given), seconds on so many workers (at most, where trials are stopped
            early), bytes of memory.
        notes: What there is to say of the data and the search.
    """

    name: str
    data: Mapping[str, Any]
    columns: Sequence[Column]
    target: Mapping[str, Any]
    space: Mapping[str, Any]
    fixed: Mapping[str, Any]
    search: Mapping[str, Any]
    networks: Mapping[str, Any]
    epochs: int
    objective: Mapping[str, Any]
    hands_back: str
    forecast: Mapping[str, Any]
    notes: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """The facts as a plain mapping."""
        return {**vars(self), "columns": [column.to_json() for column in self.columns]}


def outline(plan: SweepPlan, frame: pd.DataFrame, notes: Sequence[str], workers: int) -> Outline:
    """What a plan would do with the table that it was made for, on so many workers. Nothing is trained."""
    folds, spec = plan.dataset.folds(), plan.spec
    smallest, largest = _extremes(plan)
    return Outline(
        name=spec.name,
        data=_data(plan, frame),
        columns=understood(frame, plan.dataset, spec.data),
        target={
            "name": spec.data.target or "target",
            "task": plan.dataset.task,
            "why": _why(plan, frame),
            "classes": plan.dataset.classes,
        },
        space=plan.space.table(),
        fixed=plan.model,
        search={
            "method": spec.search.method,
            "sampler": plan.searcher.sampler,
            "scheduler": plan.searcher.scheduler,
            "pruner": plan.searcher.pruner,
            "trials": plan.total,
            "batch": spec.search.batch or DEFAULT_BATCH,
            "minutes": spec.search.minutes,
            "epochs_total": spec.search.epochs_total,
        },
        networks={
            "per_trial": len(folds) * len(plan.seeds),
            "inputs": folds[0].encoder.n_features,
            "outputs": folds[0].target.n_outputs,
            "smallest": None if smallest is None else smallest.n_parameters,
            "largest": None if largest is None else largest.n_parameters,
        },
        epochs=plan.max_epochs,
        objective={"metric": plan.objective.key, "direction": plan.objective.direction, **_counting(plan)},
        hands_back=_hands_back(plan),
        forecast={
            "operations": plan.operations if spec.search.minutes is None else None,
            "seconds": _seconds(plan, workers),
            "workers": workers,
            "memory_bytes": _memory(plan, largest, workers),
        },
        notes=[*plan.dataset.messages, *notes],
    )


def _data(plan: SweepPlan, frame: pd.DataFrame) -> dict[str, Any]:
    folds, test = plan.dataset.folds(), plan.dataset.test()
    return {
        "source": plan.spec.data.source,
        "rows": len(frame),
        "without_target": len(frame) - plan.dataset.n_rows,
        "train": max(len(fold.arrays.X) for fold in folds),
        "validation": max(0 if fold.arrays.X_val is None else len(fold.arrays.X_val) for fold in folds),
        "test": 0 if test is None else len(test[0]),
        "folds": len(folds),
        "seeds": len(plan.seeds),
    }


def _why(plan: SweepPlan, frame: pd.DataFrame) -> str:
    """Why the task is what it is."""
    if plan.spec.data.task != "auto":
        return f'data.task = "{plan.spec.data.task}"'
    classes = plan.dataset.classes
    if classes is None:
        return "its values are numbers, too many or not whole"
    kind = type(classes[0]).__name__
    return {"str": "its values are words", "bool": "it is true or false"}.get(kind, "its values are few whole numbers")


def _counting(plan: SweepPlan) -> dict[str, Any]:
    given = {"counted": list(plan.objective.counted), "limit": dict(plan.objective.limit)}
    return {key: value for key, value in given.items() if value}


def _hands_back(plan: SweepPlan) -> str:
    objective = plan.spec.objective
    scored = "" if plan.dataset.test() is None else "; scored once on the test part"
    if objective.ensemble and plan.total > 1:
        return f"an ensemble of finished trials, at most {objective.ensemble} picks{scored}"
    if objective.refit:
        return f"the best trial's configuration, trained again on all rows that are not test{scored}"
    return f"the best trial's own networks{scored}"


def _seconds(plan: SweepPlan, workers: int) -> float:
    minutes = plan.spec.search.minutes
    return forecast.seconds(plan.operations, workers) if minutes is None else 60.0 * minutes


def _memory(plan: SweepPlan, largest: Structure | None, workers: int) -> int:
    """Bytes, roughly: the encoded data in every process, and the networks that train at once, here and where they train."""
    arrays = (value for fold in plan.dataset.folds() for value in vars(fold.arrays).values())
    data = sum(int(getattr(value, "nbytes", 0)) for value in arrays)
    networks = 0
    if largest is not None:
        batch = (plan.spec.search.batch or DEFAULT_BATCH) * len(plan.dataset.folds()) * len(plan.seeds)
        networks = (batch + workers * min(networks_per_job(largest), batch)) * state_bytes(largest)
    return COORDINATOR_BYTES + WRITER_BYTES + workers * WORKER_BYTES + (1 + workers) * data + networks


def _extremes(plan: SweepPlan) -> tuple[Structure | None, Structure | None]:
    """The structures of the fewest and the most weights; None where no values that were tried go together."""

    def weights(params: Mapping[str, Any]) -> int | None:
        structure = _structure(plan.dataset, params, plan)
        return None if structure is None else structure.n_parameters

    points = (extreme(plan.space, weights, -1), extreme(plan.space, weights, 1))
    smallest, largest = (None if point is None else _structure(plan.dataset, point, plan) for point in points)
    return smallest, largest


def _structure(dataset: Dataset, params: Mapping[str, Any], plan: SweepPlan) -> Structure | None:
    try:
        hp = Hyperparameters.from_config(configuration(params, plan.fixed))
        return forecast.structure_on(dataset.folds()[0], hp, plan.loss)
    except (ValueError, KeyError):  # values that are possible one by one may not be so together
        return None
