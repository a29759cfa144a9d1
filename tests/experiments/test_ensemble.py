"""Greedy selection against a plain loop over scikit-learn's losses, and what is expected against fresh rows."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error

from mlptune.core.metrics import METRICS
from mlptune.experiments.ensemble import ValidationRows, best_chooser, combine, ensemble_chooser, expected_score, select
from mlptune.experiments.scoring import Scoring


def classes(n: int, trials: int, n_classes: int, seed: int = 0) -> tuple[dict[int, np.ndarray], np.ndarray]:
    random = np.random.default_rng(seed)
    y = random.integers(n_classes, size=n)
    found = {}
    for t in range(trials):
        logits = random.normal(0, 1, (n, n_classes)) + random.uniform(0.2, 2) * np.eye(n_classes)[y]
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        found[3 * t] = p if n_classes > 2 else p[:, 1:]
    return found, y


def plainly(predictions: dict[int, np.ndarray], picks: int, loss) -> dict[int, int]:
    """Caruana's loop as one would write it down."""
    chosen: list[int] = []
    history = []
    for _ in range(picks):
        losses = {n: loss(np.mean([predictions[m] for m in (*chosen, n)], axis=0)) for n in sorted(predictions)}
        best = min(losses, key=losses.get)
        chosen.append(best)
        history.append(losses[best])
    kept = chosen[: int(np.argmin(history)) + 1]
    return {n: kept.count(n) for n in sorted(set(kept))}


@pytest.mark.parametrize("n_classes", [2, 4])
def test_of_classes_it_picks_by_the_log_loss(n_classes: int) -> None:
    predictions, y = classes(80, 6, n_classes)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))

    def loss(p: np.ndarray) -> float:
        full = p if p.shape[1] > 1 else np.hstack([1 - p, p])
        return log_loss(y, full, sample_weight=weight)

    assert select(predictions, ValidationRows(y, weight), 12) == plainly(predictions, 12, loss)


@pytest.mark.parametrize(("absolute", "metric"), [(False, mean_squared_error), (True, mean_absolute_error)])
def test_of_numbers_it_picks_by_the_squared_error_or_the_absolute_one(absolute: bool, metric) -> None:
    random = np.random.default_rng(2)
    y = random.normal(5, 3, (60, 1))
    predictions = {n: y + random.normal(0.3 * (n - 2), 1 + n / 4, y.shape) for n in range(5)}
    found = select(predictions, ValidationRows(y), 10, absolute=absolute)
    assert found == plainly(predictions, 10, lambda p: metric(y, p))


def test_equal_trials_are_picked_by_number_and_a_lone_one_is_picked_once() -> None:
    predictions, y = classes(40, 1, 3)
    same = {7: predictions[0], 2: predictions[0]}
    assert select(same, ValidationRows(y), 5) == {2: 1}


def test_it_is_never_worse_than_its_best_member_on_its_own_rows() -> None:
    for seed in range(20):
        predictions, y = classes(50, 8, 3, seed)
        together = combine(predictions, select(predictions, ValidationRows(y), 16))
        assert log_loss(y, together) <= min(log_loss(y, p) for p in predictions.values()) + 1e-12


def test_trials_of_chance_are_expected_to_score_chance_though_the_best_looks_better() -> None:
    """The promise minus the truth has mean 0 over many sweeps on noise; that of the best trial's own value has not."""
    scoring = Scoring(METRICS["accuracy"], "log_loss")
    promised, naive = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        y = random.integers(2, size=200)
        predictions = {n: random.uniform(0.2, 0.8, (200, 1)) for n in range(30)}
        rows = ValidationRows(y)
        found = expected_score(predictions, rows, best_chooser(scoring), scoring)
        together = expected_score(predictions, rows, ensemble_chooser(16, calibrate=True, absolute=False), scoring)
        assert found is not None
        assert together is not None
        promised += [found.score, together.score]
        naive.append(max(scoring(y, p) for p in predictions.values()))
    error = np.std(promised) / np.sqrt(len(promised) / 2)
    assert abs(np.mean(promised) - 0.5) < 3 * error
    assert np.mean(naive) > 0.55


def test_the_interval_holds_the_score_on_fresh_rows_as_often_as_it_says() -> None:
    scoring = Scoring(METRICS["accuracy"], "log_loss")
    hits = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        y = random.integers(2, size=300)
        is_right = random.uniform(size=300) < 0.8  # a predictor that is right with 80 %
        predictions = {0: np.where((y == 1) == is_right, 0.9, 0.1)[:, None]}
        found = expected_score(predictions, ValidationRows(y), best_chooser(scoring), scoring)
        assert found is not None
        hits += found.low <= 0.8 <= found.high
    assert 88 <= hits <= 100


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_the_interval_ends_at_the_best_score_that_there_is(metric: str) -> None:
    scoring, y = Scoring(METRICS[metric], "log_loss"), np.arange(60) % 2
    p = np.where(y == 1, 0.999, 0.001)
    p[7] = 0.01
    found = expected_score({0: p[:, None]}, ValidationRows(y), best_chooser(scoring), scoring)
    assert found is not None
    assert (found.high == 1.0 > found.score > found.low) if metric == "accuracy" else (found.low == 0.0 < found.score)


def test_too_few_rows_promise_nothing() -> None:
    scoring = Scoring(METRICS["accuracy"], "log_loss")
    predictions = {0: np.array([[0.4], [0.6], [0.1]])}
    assert expected_score(predictions, ValidationRows(np.array([0, 1, 0])), best_chooser(scoring), scoring) is None
