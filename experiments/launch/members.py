"""Which trials the sweep's model is made of, and the model of their networks."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.structure import Structure
from ...search.spaces.layers import configuration
from ...tracking.records import TrialRecord
from ..ensemble import (
    Expected,
    Predictions,
    ValidationRows,
    best_chooser,
    combine,
    ensemble_chooser,
    expected_score,
    select,
)
from ..errors import SweepFailed
from ..execution.engine import EngineEvaluator
from ..execution.evaluation import Outcome, Request, TrainedNetwork
from ..model import Part, TunedModel
from ..temperature import apply_temperature, fit_temperature
from .library import Entry, Library
from .plan import SweepPlan


@dataclass(frozen=True)
class Chosen:
    """How often each trial was picked, by number (none: the best trial alone), the temperature, and what that will score."""

    counts: Mapping[int, int]
    temperature: float
    expected: Expected | None


def complete_library(plan: SweepPlan, library: Library, trials: Iterable[TrialRecord], executor: Executor) -> None:
    """Train the best trials again whose predictions are not known, as after a resume of a sweep that did not store them."""
    missing = {trial.number: trial for trial in library.missing(trials)}
    for number, outcome in _train_again(plan, missing.values(), executor).items():
        library.add(missing[number], outcome)


def choose_members(plan: SweepPlan, library: Library) -> Chosen:
    """Select the ensemble from `library`; with one trial, or with `ensemble = 0`, the best trial alone."""
    rows, scoring = validation_rows(plan), plan.scoring()
    predictions = {entry.record.number: in_target_units(plan, entry.predictions) for entry in library.entries()}
    crossfit = {entry.record.number: in_target_units(plan, entry.crossfit) for entry in library.entries()}
    picks = plan.spec.objective.ensemble if len(predictions) > 1 else 0
    if not predictions:
        return Chosen({}, 1.0, None)
    if not picks:
        return Chosen({}, 1.0, expected_score(predictions, rows, best_chooser(scoring), scoring, crossfit))
    absolute, calibrate = plan.objective.metric == "mae", plan.has_probabilities
    counts, temperature = _select(plan, predictions, rows)
    chooser = ensemble_chooser(picks, calibrate=calibrate, absolute=absolute)
    return Chosen(counts, temperature, expected_score(predictions, rows, chooser, scoring, crossfit))


def _select(plan: SweepPlan, predictions: Predictions, rows: ValidationRows) -> tuple[dict[int, int], float]:
    """How often each trial is picked, and the temperature of their mean."""
    counts = select(predictions, rows, plan.spec.objective.ensemble, absolute=plan.objective.metric == "mae")
    if not plan.has_probabilities:
        return counts, 1.0
    return counts, fit_temperature(combine(predictions, counts), rows.y, rows.weight)


def ensemble_value(plan: SweepPlan, library: Library) -> float | None:
    """What the ensemble of `library` scores on the rows that it is selected on, as trials are; None where there is none."""
    predictions = {entry.record.number: in_target_units(plan, entry.predictions) for entry in library.entries()}
    if len(predictions) < 2 or not plan.spec.objective.ensemble:
        return None
    rows = validation_rows(plan)
    counts, temperature = _select(plan, predictions, rows)
    value = plan.scoring()(rows.y, apply_temperature(combine(predictions, counts), temperature), rows.weight)
    return value if np.isfinite(value) else None


def ensemble_model(
    plan: SweepPlan, library: Library, chosen: Chosen, best: Mapping[str, Any], executor: Executor
) -> TunedModel:
    """The model of the chosen trials' own networks: each fold's share its encoding, and those of one structure are a stack."""
    entries = {entry.record.number: entry for entry in library.entries() if entry.record.number in chosen.counts}
    again = _train_again(
        plan, [entry.record for entry in entries.values() if _lacks_networks(plan, entry)], executor, subset=1.0
    )
    stacks: dict[tuple[int, Structure], list[tuple[TrainedNetwork, float]]] = {}
    for number, count in chosen.counts.items():
        for network in again[number].networks if number in again else entries[number].networks:
            stacks.setdefault((network.fold, network.structure), []).append((network, float(count)))
    folds = plan.dataset.folds()
    parts = [
        Part(
            encoder=folds[fold].encoder,
            target=folds[fold].target,
            structure=structure,
            theta=np.stack([network.theta for network, _ in members]),
            running=np.stack([network.buffers for network, _ in members]),
            weights=np.array([weight for _, weight in members]),
        )
        for (fold, structure), members in sorted(stacks.items(), key=lambda item: item[0][0])
    ]
    total = sum(chosen.counts.values())
    weights = {number: count / total for number, count in chosen.counts.items()}
    return TunedModel(parts, best, weights, chosen.temperature)


def validation_outputs(plan: SweepPlan, library: Library, model: TunedModel, best: int) -> NDArray[np.float64] | None:
    """What the model's trials predict together for the validation rows (n, o), fold after fold, in the target's own unit.

    Without members it is what the trial `best` predicts; None where that is not known.
    """
    weights = model.members or {best: 1.0}
    entries = {entry.record.number: entry for entry in library.entries() if entry.record.number in weights}
    if len(entries) < len(weights):
        return None
    predictions = {number: in_target_units(plan, entry.predictions) for number, entry in entries.items()}
    return apply_temperature(combine(predictions, weights), model.temperature)


def _lacks_networks(plan: SweepPlan, entry: Entry) -> bool:
    """Whether a member's networks are not at hand, or have been trained on a `subset` that was enough for the search."""
    return not entry.networks or trained_configuration(plan, entry.record).get("subset", 1.0) != 1.0


def trained_configuration(plan: SweepPlan, trial: TrialRecord) -> dict[str, Any]:
    """The hyperparameters that a trial trained with, fixed and searched ones together."""
    return dict(trial.configuration or configuration(trial.params, plan.fixed))


def validation_rows(plan: SweepPlan) -> ValidationRows:
    """The validation rows of all folds, fold after fold."""
    folds = plan.dataset.folds()
    y = [
        fold.arrays.y_val
        if fold.target.classes is not None
        else fold.arrays.y_val * fold.target.scale + fold.target.mean
        for fold in folds
        if fold.arrays.y_val is not None
    ]
    weights = [fold.arrays.weight_val for fold in folds if fold.arrays.weight_val is not None]
    return ValidationRows(np.concatenate(y), np.concatenate(weights).astype(np.float64) if weights else None)


def in_target_units(plan: SweepPlan, predictions: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """A trial's predictions by fold as one array (n, o): probabilities, or numbers in the target's own unit."""
    parts = []
    for fold, part in zip(plan.dataset.folds(), predictions, strict=True):
        exact = np.asarray(part, dtype=np.float64)
        parts.append(exact if fold.target.classes is not None else fold.target.restore(exact))
    return np.concatenate(parts)


def _train_again(
    plan: SweepPlan, trials: Iterable[TrialRecord], executor: Executor, **changes: Any
) -> dict[int, Outcome]:
    """Train finished trials once more, all together; the outcome of each, which without `changes` is what it was."""
    requests = [
        Request(trial.number, {**trained_configuration(plan, trial), **changes}, plan.max_epochs) for trial in trials
    ]
    if not requests:
        return {}
    workers = len(executor) if hasattr(executor, "__len__") else 1
    evaluator = EngineEvaluator(plan.task(), executor, workers)
    outcomes = {outcome.number: outcome for outcome in evaluator.advance(requests) if outcome.ended is not None}
    for request in requests:
        if request.number not in outcomes or outcomes[request.number].ended != "finished":
            raise SweepFailed(f"training trial {request.number} again did not give the recorded result")
    return outcomes
