"""The ensemble of a sweep: which of its finished trials predict together, and what that can be expected to score.

All of it is a function of the trials' predictions for rows that their networks were not trained on.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.metrics import Metric
from .scoring import Scoring
from .temperature import TINY, apply_temperature, fit_temperature
from .threshold import decide, fit_threshold

Predictions = Mapping[int, NDArray[Any]]

# Selection compares trials on at most so many rows: beyond them it costs time and changes nothing.
SELECTION_ROWS = 20_000
# What is expected is measured on parts that selection has not seen, one after the other.
PARTS = 5
# Samples of rows with replacement by which the error of a score is estimated.
BOOTSTRAP_SAMPLES = 200


@dataclass(frozen=True)
class ValidationRows:
    """The rows that trials are compared on, fold after fold.

    Attributes:
        y: Class indices (n,), or numbers (n, o) in the target's own unit.
        weight: (n,), or None.
    """

    y: NDArray[Any]
    weight: NDArray[Any] | None = None

    @property
    def is_classification(self) -> bool:
        """Whether `y` are classes."""
        return self.y.ndim == 1

    def take(self, rows: NDArray[np.intp]) -> "ValidationRows":
        """The rows at these positions."""
        return ValidationRows(self.y[rows], None if self.weight is None else self.weight[rows])


@dataclass(frozen=True)
class Expected:
    """What a model can be expected to score on new rows, with the ends of an interval that holds it with 95 %."""

    score: float
    low: float
    high: float


def select(predictions: Predictions, rows: ValidationRows, picks: int, *, absolute: bool = False) -> dict[int, int]:
    """Greedy ensemble selection with replacement (Caruana et al. 2004): how often each trial is picked, by trial number.

    One after the other the trial is picked whose predictions make the mean of all picked so far best: of classes by the log
    loss, of numbers by the squared error, or by the `absolute` one. Of equals the lowest number is picked. Of the picks those
    up to the best mean are kept.

    Args:
        predictions: For each trial (n, o): probabilities, or numbers in the target's own unit.
        rows: What is true of these n rows.
        picks: How many picks at most.
        absolute: Compare by the absolute error.
    """
    numbers = sorted(predictions)
    if len(rows.y) > SELECTION_ROWS:
        some = np.sort(np.random.default_rng(0).choice(len(rows.y), SELECTION_ROWS, replace=False))
        predictions, rows = {number: predictions[number][some] for number in numbers}, rows.take(some)
    # The mean's loss needs of each trial only this: the probability of the true class, or the error.
    columns = np.stack([_column(predictions[number], rows) for number in numbers])
    weight = (
        np.ones(columns.shape[1]) if rows.weight is None else np.repeat(rows.weight, columns.shape[1] // len(rows.y))
    )
    total = np.zeros(columns.shape[1])
    order, best, kept = [], np.inf, 0
    for i_pick in range(1, picks + 1):
        mean = (total + columns) / i_pick
        if rows.is_classification:
            losses = -(np.log(np.maximum(mean, TINY)) @ weight)
        else:
            losses = (np.abs(mean) if absolute else mean**2) @ weight
        losses = np.where(np.isnan(losses), np.inf, losses)
        i = int(np.argmin(losses))
        order.append(numbers[i])
        total += columns[i]
        if losses[i] < best or not kept:
            best, kept = float(losses[i]), i_pick
    return dict(sorted(Counter(order[:kept]).items()))


def _column(predicted: NDArray[Any], rows: ValidationRows) -> NDArray[np.float64]:
    p = np.asarray(predicted, dtype=np.float64)
    if not rows.is_classification:
        return np.asarray((p - rows.y).reshape(-1))
    if p.shape[1] == 1:
        return np.asarray(np.where(rows.y == 1, p[:, 0], 1.0 - p[:, 0]))
    return np.asarray(p[np.arange(len(p)), rows.y])


def combine(predictions: Predictions, counts: Mapping[int, float]) -> NDArray[np.float64]:
    """The mean (n, o) of the picked trials' predictions, each as often as it counts."""
    total = sum(counts.values())
    first = next(iter(counts))
    result = np.zeros(predictions[first].shape)
    for number, count in counts.items():
        result += count * np.asarray(predictions[number], dtype=np.float64)
    return result / total


def weighted_mean(outputs: Iterable[NDArray[Any]], weights: Sequence[float] | NDArray[Any]) -> NDArray[Any]:
    """The mean of arrays (n, o), added one after the other: NumPy's own order depends on whether n is 1."""
    return np.asarray(sum(weight * array for weight, array in zip(weights, outputs, strict=True)) / np.sum(weights))


Chooser = Callable[[Predictions, ValidationRows], Callable[[Predictions], NDArray[Any]]]
"""Chooses by predictions for some rows, and returns what makes one prediction of all trials' for others."""


def ensemble_chooser(picks: int, *, calibrate: bool, absolute: bool) -> Chooser:
    """Greedy selection, and of classes with `calibrate` the temperature."""

    def choose(predictions: Predictions, rows: ValidationRows) -> Callable[[Predictions], NDArray[Any]]:
        counts = select(predictions, rows, picks, absolute=absolute)
        temperature = 1.0
        if calibrate and rows.is_classification:
            temperature = fit_temperature(combine(predictions, counts), rows.y, rows.weight)
        return lambda others: apply_temperature(combine(others, counts), temperature)

    return choose


def best_chooser(scoring: Scoring) -> Chooser:
    """The one trial of the best score; of equals the one with the lowest number."""

    def choose(predictions: Predictions, rows: ValidationRows) -> Callable[[Predictions], NDArray[Any]]:
        sign = -1.0 if scoring.greater_is_better else 1.0
        scores = {
            n: sign * scoring(rows.y, np.asarray(p, dtype=np.float64), rows.weight) for n, p in predictions.items()
        }
        best = min(sorted(scores), key=lambda n: np.inf if np.isnan(scores[n]) else scores[n])
        return lambda others: np.asarray(others[best], dtype=np.float64)

    return choose


def deciding_chooser(choose: Chooser, metric: Metric) -> Chooser:
    """What `choose` chooses, of two classes, decided by the threshold that is best for `metric` on the same rows."""

    def choose_both(predictions: Predictions, rows: ValidationRows) -> Callable[[Predictions], NDArray[Any]]:
        chosen = choose(predictions, rows)
        threshold = fit_threshold(chosen(predictions), rows.y, rows.weight, metric)
        return lambda others: decide(chosen(others), threshold)

    return choose_both


def expected_score(
    predictions: Predictions,
    rows: ValidationRows,
    choose: Chooser,
    scoring: Scoring,
    crossfit: Predictions | None = None,
) -> Expected | None:
    """What the chosen model scores on rows that it was not chosen on: the optimism of choosing is taken out.

    The rows are cut into parts; each is predicted by what is chosen on the others (cross-fitting), and all are scored together.
    What is scored are the `crossfit` predictions where there are such: those at epochs that were not chosen on the rows themselves.
    The interval is 1.96 standard errors to both sides, those of the bootstrap over rows, but ends at the best score that there is.
    None where there are too few rows.
    """
    scored = predictions if crossfit is None else crossfit
    n = len(rows.y)
    parts = min(PARTS, n // 2)
    if parts < 2:
        return None
    part_of = np.random.default_rng(1).permutation(n) % parts
    outputs: NDArray[Any] | None = None
    for part in range(parts):
        held, rest = np.flatnonzero(part_of == part), np.flatnonzero(part_of != part)
        weight = None if rows.weight is None else rows.weight[rest]
        if weight is not None and not weight.any():
            return None
        chosen = choose({number: p[rest] for number, p in predictions.items()}, rows.take(rest))
        found = chosen({number: p[held] for number, p in scored.items()})
        if outputs is None:
            outputs = np.empty((n, found.shape[1]))
        outputs[held] = found
    assert outputs is not None
    score = scoring(rows.y, outputs, rows.weight)
    error = 1.96 * _standard_error(rows, outputs, scoring)
    if not np.isfinite([score, error]).all():
        return None
    low, high = score - error, score + error
    return (
        Expected(score, low, min(high, scoring.best))
        if scoring.greater_is_better
        else Expected(score, max(low, scoring.best), high)
    )


def _standard_error(rows: ValidationRows, outputs: NDArray[Any], scoring: Scoring) -> float:
    """The standard deviation of the score over samples of the rows with replacement, which are weights here."""
    random, n = np.random.default_rng(2), len(rows.y)
    some: Sequence[int] | NDArray[Any] = np.arange(n)
    if n > SELECTION_ROWS:  # the error falls by the root of the rows
        some = np.sort(random.choice(n, SELECTION_ROWS, replace=False))
    y, p = rows.y[some], outputs[some]
    weight = np.ones(len(y)) if rows.weight is None else np.asarray(rows.weight, dtype=np.float64)[some]
    scores = []
    for _ in range(BOOTSTRAP_SAMPLES):
        sample = weight * np.bincount(random.integers(len(y), size=len(y)), minlength=len(y))
        kept = sample > 0
        if kept.any():
            scores.append(scoring(y[kept], p[kept], sample[kept]))
    finite = np.array(scores)[np.isfinite(scores)]
    return float(np.std(finite) * np.sqrt(len(y) / n)) if len(finite) > 1 else float("nan")
