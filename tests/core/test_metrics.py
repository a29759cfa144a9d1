"""Every metric against scikit-learn's, on drawn data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from mlptune.core.metrics import METRICS, unit_of

CLASSIFICATION = {
    "accuracy": lambda y, p, w: reference.accuracy_score(y, p, sample_weight=w),
    "zero_one": lambda y, p, w: reference.zero_one_loss(y, p, sample_weight=w),
    "balanced_accuracy": lambda y, p, w: reference.balanced_accuracy_score(y, p, sample_weight=w),
    "f1_macro": lambda y, p, w: reference.f1_score(y, p, sample_weight=w, average="macro", zero_division=0.0),
}
REGRESSION = {
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "r2": reference.r2_score,
}


def test_every_metric_is_checked():
    assert set(METRICS) == {*CLASSIFICATION, *REGRESSION, "roc_auc"}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 40), st.booleans())
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
def test_classification(seed, classes, n, weighted):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, classes, n)
    output = generator.integers(1, 6, size=(n, classes)).astype(float)
    output /= output.sum(axis=1, keepdims=True)
    if classes == 2:
        output = output[:, 1:]
    predicted = (output[:, 0] > 0.5).astype(int) if classes == 2 else output.argmax(axis=1)
    weight = generator.uniform(0.1, 3, n) if weighted else None
    for name, function in CLASSIFICATION.items():
        assert METRICS[name].function(y, output, weight) == pytest.approx(function(y, predicted, weight)), name
    auc = METRICS["roc_auc"].function(y, output, weight)
    if len(np.unique(y)) < classes:
        assert np.isnan(auc)
    elif classes == 2:
        assert auc == pytest.approx(reference.roc_auc_score(y, output[:, 0], sample_weight=weight))
    else:
        expected = reference.roc_auc_score(y, output, multi_class="ovr", sample_weight=weight)
        assert auc == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(2, 40), st.booleans(), st.booleans())
def test_regression(seed, outputs, n, weighted, constant):
    generator = np.random.default_rng(seed)
    y = generator.normal(size=(n, outputs))
    if constant:
        y[:, 0] = 2.0
    output = y + generator.normal(size=y.shape)
    weight = generator.uniform(0.1, 3, n) if weighted else None
    for name, function in REGRESSION.items():
        assert METRICS[name].function(y, output, weight) == pytest.approx(function(y, output, sample_weight=weight)), (
            name
        )


def test_directions_and_tasks():
    assert {name for name, metric in METRICS.items() if metric.direction == "minimize"} == {"rmse", "mae", "zero_one"}
    assert {name for name, metric in METRICS.items() if metric.tasks == ("regression",)} == set(REGRESSION)


@pytest.mark.parametrize("name", REGRESSION)
def test_what_has_the_targets_unit_grows_with_it(name):
    generator = np.random.default_rng(0)
    y, output = generator.normal(size=(2, 30, 1))
    factor = 10.0 if METRICS[name].unit == "target" else 1.0
    assert METRICS[name].function(10.0 * y, 10.0 * output, None) == pytest.approx(
        factor * METRICS[name].function(y, output, None)
    )


def test_units_of_curves():
    curves = ["val_rmse", "val_mae", "val_r2", "val_score", "val_loss", "train_loss", "grad_norm_1"]
    assert [unit_of(curve) for curve in curves] == ["target", "target", *["none"] * 5]


def test_the_direction_says_whether_greater_is_better():
    assert {name for name, metric in METRICS.items() if not metric.greater_is_better} == {"zero_one", "rmse", "mae"}
