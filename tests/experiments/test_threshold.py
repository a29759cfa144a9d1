"""The decision threshold against a plain loop over all of them with scikit-learn's metrics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from mlptune.core.metrics import METRICS, Metric
from mlptune.experiments.ensemble import ValidationRows, best_chooser, deciding_chooser, expected_score
from mlptune.experiments.scoring import Scoring
from mlptune.experiments.threshold import decide, fit_threshold

REFERENCE = {
    "f1": lambda y, found, w: reference.f1_score(y, found, sample_weight=w, zero_division=0.0),
    "f1_macro": lambda y, found, w: reference.f1_score(y, found, sample_weight=w, average="macro", zero_division=0.0),
    "balanced_accuracy": lambda y, found, w: reference.balanced_accuracy_score(y, found, sample_weight=w),
    "matthews": lambda y, found, w: reference.matthews_corrcoef(y, found, sample_weight=w),
}


def test_the_metrics_that_ask_for_one() -> None:
    assert {name for name, metric in METRICS.items() if metric.decision == "threshold"} == set(REFERENCE)


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 30), st.sampled_from([4, 1000]), st.booleans())
def test_it_is_as_good_as_the_best_of_all_thresholds(name: str, seed: int, n: int, steps: int, weighted: bool) -> None:
    """With ties (few steps) and without, with weights and without."""
    random = np.random.default_rng(seed)
    y = random.integers(2, size=n)
    p = np.clip(np.round((0.3 * y + random.uniform(0, 0.7, n)) * steps) / steps, 0.0, 1.0)
    weight = random.uniform(0.1, 3, n) if weighted else None
    threshold = fit_threshold(p[:, None], y, weight, METRICS[name])
    edges = np.unique([-1.0, *p])
    every = [REFERENCE[name](y, (p > edge).astype(int), weight) for edge in edges]
    found = decide(p[:, None], threshold)
    assert 0.0 <= threshold <= 1.0
    if p.min() > 0:  # else none predicts class 1 for all
        assert METRICS[name].function(y, found, weight) == pytest.approx(max(every))
    else:
        assert METRICS[name].function(y, found, weight) >= max(every[1:]) - 1e-12


def test_of_equals_it_is_the_nearest_to_one_half() -> None:
    p, y = np.array([[0.1], [0.2], [0.7], [0.9]]), np.array([0, 0, 1, 1])
    assert fit_threshold(p, y, None, METRICS["f1"]) == 0.5
    assert fit_threshold(p / 2, y, None, METRICS["f1"]) == pytest.approx((0.1 + 0.35) / 2)
    assert fit_threshold(p, y[::-1] * 0, None, METRICS["matthews"]) == 0.5, "where nothing is better"


def test_between_neighbouring_numbers_it_still_tells_them_apart() -> None:
    low = 0.3
    p = np.array([[low], [np.nextafter(low, 1)]])
    for _ in range(2):
        assert decide(p, fit_threshold(p, np.array([0, 1]), None, METRICS["f1"])).ravel().tolist() == [0.0, 1.0]
        p = np.nextafter(p, 1)


def test_a_metric_of_others_may_want_the_least() -> None:
    misses = Metric(
        "misses",
        lambda y, output, weight: float(np.average((y == 1) & (output[:, 0] <= 0.5), weights=weight)),
        "minimize",
        ("classification",),
        decision="threshold",
    )
    p, y = np.array([[0.1], [0.3], [0.8]]), np.array([0, 1, 1])
    assert decide(p, fit_threshold(p, y, None, misses)).ravel().tolist()[1:] == [1.0, 1.0]


def test_what_is_expected_of_it_is_measured_on_rows_that_it_was_not_fitted_to() -> None:
    """On noise the fitted threshold looks better than chance by its own rows; the promise does not."""
    scoring = Scoring(METRICS["balanced_accuracy"], "log_loss")
    chooser = deciding_chooser(best_chooser(scoring), METRICS["balanced_accuracy"])
    own, promised = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        y, p = random.integers(2, size=150), random.uniform(size=(150, 1))
        threshold = fit_threshold(p, y, None, METRICS["balanced_accuracy"])
        own.append(scoring(y, decide(p, threshold)))
        found = expected_score({0: p}, ValidationRows(y), chooser, scoring)
        assert found is not None
        promised.append(found.score)
    assert np.mean(own) > 0.53
    assert abs(np.mean(promised) - 0.5) < 3 * np.std(promised) / np.sqrt(len(promised))
