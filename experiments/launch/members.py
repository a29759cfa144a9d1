"""Which trials the sweep's model is made of, and the model of their networks."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.structure import Structure
from ...tracking.records import TrialRecord
from ..ensemble import (
    Expected,
    Predictions,
    ValidationRows,
    best_chooser,
    combine,
    deciding_chooser,
    ensemble_chooser,
    expected_score,
    select,
)
from ..execution.evaluation import EndedTrial, TrainedNetwork
from ..model import Part, TunedModel
from ..scoring import Scoring
from ..temperature import apply_temperature, fit_temperature
from ..threshold import decide, fit_threshold
from .library import Library
from .plan import SweepPlan
from .retraining import refit, train_again, trained_configuration


@dataclass(frozen=True)
class Chosen:
    """What the model is made of.

    Attributes:
        counts: How often each trial was picked, by number; none: the best trial alone.
        temperature: Of the probabilities.
        threshold: By which one of two classes is decided; None where the metric asks for none.
        expected: What that will score.
    """

    counts: Mapping[int, int]
    temperature: float = 1.0
    threshold: float | None = None
    expected: Expected | None = None


def complete_library(plan: SweepPlan, library: Library, trials: Iterable[TrialRecord], executor: Executor) -> None:
    """Train the best trials again whose predictions are not known, as after a resume of a sweep that did not store them."""
    missing = {trial.number: trial for trial in library.missing(trials)}
    for number, outcome in train_again(plan, missing.values(), executor).items():
        library.add(missing[number], outcome)


def choose_members(plan: SweepPlan, library: Library, best: int) -> Chosen:
    """Select the ensemble from `library`; with one trial, or with `ensemble = 0`, the trial `best` alone."""
    predictions = {entry.record.number: in_target_units(plan, entry.predictions) for entry in library.entries()}
    crossfit = {entry.record.number: in_target_units(plan, entry.crossfit) for entry in library.entries()}
    if not predictions:
        return Chosen({})
    rows, scoring = validation_rows(plan), plan.scoring()
    picks = plan.spec.objective.ensemble if len(predictions) > 1 else 0
    counts, temperature, together = dict[int, int](), 1.0, predictions.get(best)
    chooser = best_chooser(scoring)
    if picks:
        absolute, calibrate = _is_absolute(scoring), plan.has_probabilities
        counts, temperature, together = _select(plan, predictions, rows)
        chooser = ensemble_chooser(picks, calibrate=calibrate, absolute=absolute)
    threshold, metric = None, plan.decision_metric
    if metric is not None and together is not None:
        threshold = fit_threshold(together, rows.y, rows.weight, metric)
        chooser = deciding_chooser(chooser, metric)
    return Chosen(counts, temperature, threshold, expected_score(predictions, rows, chooser, scoring, crossfit))


def _select(
    plan: SweepPlan, predictions: Predictions, rows: ValidationRows
) -> tuple[dict[int, int], float, NDArray[np.float64]]:
    """How often each trial is picked, the temperature of their mean, and that mean with it."""
    counts = select(predictions, rows, plan.spec.objective.ensemble, absolute=_is_absolute(plan.scoring()))
    together = combine(predictions, counts)
    if not plan.has_probabilities:
        return counts, 1.0, together
    temperature = fit_temperature(together, rows.y, rows.weight)
    return counts, temperature, apply_temperature(together, temperature)


def _is_absolute(scoring: Scoring) -> bool:
    """Whether members are picked by the absolute error: where the metric is, whose best constant is the median."""
    return scoring.metric is not None and scoring.metric.best_constant == "median"


def ensemble_value(plan: SweepPlan, library: Library) -> float | None:
    """What the ensemble of `library` scores on the rows that it is selected on, as trials are; None where there is none."""
    predictions = {entry.record.number: in_target_units(plan, entry.predictions) for entry in library.entries()}
    if len(predictions) < 2 or not plan.spec.objective.ensemble:
        return None
    rows, metric = validation_rows(plan), plan.decision_metric
    _, _, together = _select(plan, predictions, rows)
    if metric is not None:
        together = decide(together, fit_threshold(together, rows.y, rows.weight, metric))
    value = plan.scoring()(rows.y, together, rows.weight)
    return value if np.isfinite(value) else None


def ensemble_model(
    plan: SweepPlan, library: Library, chosen: Chosen, best: Mapping[str, Any], executor: Executor
) -> TunedModel:
    """The model of the chosen trials' own networks: each fold's share its encoding, and those of one structure are a stack.

    With one validation part each member is also trained on all rows, and either counts half: the one has learned of a quarter
    more rows, the other was ended by rows that it has not seen. The gain of both is in docs/defaults.md.
    """
    entries = {entry.record.number: entry for entry in library.entries() if entry.record.number in chosen.counts}
    again = train_again(
        plan,
        [entry.record for entry in entries.values() if _lacks_networks(plan, entry)],
        executor,
        subset=plan.member_subset,
    )
    folds, on_all = list(plan.dataset.folds()), dict[int, list[TrainedNetwork]]()
    whole = [entry.record for entry in entries.values() if not _has_part(plan, entry)]
    if plan.refits_members and whole:
        development, on_all = refit(plan, whole, executor)
        folds.append(development)
    stacks: dict[tuple[int, Structure], list[tuple[TrainedNetwork, float]]] = {}
    for number, count in chosen.counts.items():
        own, more = again[number].networks if number in again else entries[number].networks, on_all.get(number, [])
        for network in (*own, *(replace(network, fold=len(folds) - 1) for network in more)):
            weight = count / 2 if more else float(count)
            stacks.setdefault((network.fold, network.structure), []).append((network, weight))
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
    return TunedModel(parts, best, weights, chosen.temperature, chosen.threshold)


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


def _lacks_networks(plan: SweepPlan, entry: EndedTrial) -> bool:
    """Whether a member's networks are not at hand, or have seen a part of the rows and there is time to train on more."""
    is_timed = plan.spec.search.minutes is not None
    return not entry.networks or (not is_timed and _has_part(plan, entry))


def _has_part(plan: SweepPlan, entry: EndedTrial) -> bool:
    """Whether a trial was trained on a `subset` of the rows."""
    return bool(trained_configuration(plan, entry.record).get("subset", 1.0) != 1.0)


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
