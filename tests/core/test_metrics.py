"""Every metric against scikit-learn's, on drawn data."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from mlptune.core.metrics import METRICS, Metric, find, installed_names, names_for, resolve, unit_of

CLASSIFICATION = {
    "accuracy": lambda y, p, w: reference.accuracy_score(y, p, sample_weight=w),
    "zero_one": lambda y, p, w: reference.zero_one_loss(y, p, sample_weight=w),
    "balanced_accuracy": lambda y, p, w: reference.balanced_accuracy_score(y, p, sample_weight=w),
    "f1_macro": lambda y, p, w: reference.f1_score(y, p, sample_weight=w, average="macro", zero_division=0.0),
    "matthews": lambda y, p, w: reference.matthews_corrcoef(y, p, sample_weight=w),
}
PROBABILITIES = {
    "log_loss": lambda y, p, w, labels: reference.log_loss(y, p, sample_weight=w, labels=labels),
    "brier": lambda y, p, w, labels: reference.brier_score_loss(
        y, p, sample_weight=w, labels=labels, scale_by_half=len(labels) == 2
    ),
}
REGRESSION = {
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "r2": reference.r2_score,
}

SMALLER_IS_BETTER = {"zero_one", "log_loss", "brier", "rmse", "mae"}


def test_every_metric_is_checked():
    assert set(METRICS) == {*CLASSIFICATION, *PROBABILITIES, *REGRESSION, "f1", "roc_auc", "average_precision"}


@settings(max_examples=60)
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


@st.composite
def predictions(draw, most_classes=4):
    """Classes (n,), the probabilities of C classes (n, C) with many ties, and weights (n,), many of them 0, or None."""
    classes, n = draw(st.integers(2, most_classes)), draw(st.integers(2, 25))
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    y = generator.integers(0, draw(st.integers(1, classes)), n)
    p = generator.integers(1, 4, size=(n, classes)).astype(float)
    weight = None
    if draw(st.booleans()):
        weight = np.where(generator.random(n) < 0.3, 0.0, generator.uniform(0.1, 3, n))
        weight[generator.integers(n)] = 1.0
    return y, p / p.sum(axis=1, keepdims=True), weight


def as_outputs(p):
    return p[:, 1:] if p.shape[1] == 2 else p


@settings(max_examples=60)
@given(predictions())
def test_what_judges_probabilities(drawn):
    y, p, weight = drawn
    for name, function in PROBABILITIES.items():
        expected = function(y, p, weight, labels=range(p.shape[1]))
        assert METRICS[name].function(y, as_outputs(p), weight) == pytest.approx(expected), name
        assert METRICS[name].function(y, p, weight) == pytest.approx(
            expected * (2 if name == "brier" and p.shape[1] == 2 else 1)
        )


@settings(max_examples=60)
@given(predictions())
@pytest.mark.filterwarnings("ignore:No positive class found in y_true:UserWarning")
def test_average_precision(drawn):
    y, p, weight = drawn
    found = METRICS["average_precision"].function(y, as_outputs(p), weight)
    own = [1] if p.shape[1] == 2 else range(p.shape[1])
    total = np.bincount(y, weight, minlength=p.shape[1])
    if any(total[c] == 0 for c in own):
        assert np.isnan(found)
    else:
        one_against_rest = [reference.average_precision_score(y == c, p[:, c], sample_weight=weight) for c in own]
        assert found == pytest.approx(np.mean(one_against_rest))


@settings(max_examples=60)
@given(predictions(most_classes=2))
def test_f1_of_the_second_class(drawn):
    y, p, weight = drawn
    expected = reference.f1_score(y, p.argmax(axis=1), sample_weight=weight, pos_label=1, zero_division=0.0)
    assert METRICS["f1"].function(y, p[:, 1:], weight) == pytest.approx(expected)


@settings(max_examples=60)
@given(predictions())
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
def test_matthews_is_0_where_there_is_one_class_only(drawn):
    y, p, weight = drawn
    predicted, counts = p.argmax(axis=1), np.ones(len(y)) if weight is None else weight
    found = METRICS["matthews"].function(y, as_outputs(p), weight)
    if any(len(np.unique(classes[counts > 0])) < 2 for classes in (y, predicted)):
        assert found == 0.0
    else:
        expected = reference.matthews_corrcoef(y, predicted, sample_weight=weight)
        assert found == pytest.approx(expected, abs=1e-12)


def test_a_probability_of_0_is_clipped_as_in_the_loss():
    y, output = np.array([1, 0, 1]), np.array([[0.0], [1.0], [1.0]])
    least = -float(np.log(np.finfo(np.float32).tiny))
    assert METRICS["log_loss"].function(y, output, None) == pytest.approx(2 * least / 3)
    assert METRICS["log_loss"].function(y, output.astype(np.float32), np.array([1.0, 0.0, 1.0])) == pytest.approx(
        least / 2
    )


@pytest.mark.parametrize("name", ["log_loss", "brier", "average_precision", "roc_auc"])
@pytest.mark.parametrize("classes", [2, 3])
def test_outputs_that_are_not_numbers_give_none(name, classes):
    output = np.full((4, classes if classes > 2 else 1), np.nan)
    assert np.isnan(METRICS[name].function(np.array([0, 1, 0, 1]), output, None))


def test_a_metric_of_two_classes_names_the_one_for_more():
    line = "'f1' is of two classes, not of 3; take 'f1_macro'"
    with pytest.raises(ValueError, match=line):
        METRICS["f1"].check_classes(3)
    with pytest.raises(ValueError, match=line):
        METRICS["f1"].function(np.array([0, 1, 2]), np.eye(3), None)
    for metric in METRICS.values():
        metric.check_classes(2)
        assert metric.for_more_classes is None or metric.for_more_classes in names_for("classification", 3)
    assert set(names_for("classification")) - set(names_for("classification", 3)) == {"f1"}
    assert names_for("regression", 0) == list(REGRESSION)


@settings(max_examples=60)
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


INSTALLED = """
from mlptune.core.metrics import Metric

WORST = Metric("worst", lambda y, output, weight: float(abs(output - y).max()), "minimize", ("regression",), unit="target")
"""
ENTRY_POINTS = """
[mlptune.metrics]
worst = rulers:WORST
other_name = rulers:WORST
a_list = rulers:__all__
absent = rulers:ABSENT
broken = crooked
loss = rulers:WORST
accuracy = rulers:WORST
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package of another distribution, as an installer leaves it."""
    (tmp_path / "rulers.py").write_text(f"{INSTALLED}\n__all__ = []\n")
    (tmp_path / "crooked.py").write_text("raise RuntimeError('no\\nruler')\n")
    info = tmp_path / "rulers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rulers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rulers", raising=False)
    monkeypatch.setattr("mlptune.core.metrics._installed", {})


def test_metrics_of_installed_packages_are_found_by_name(installed):
    assert unit_of("val_worst") == "none"
    worst = find("worst")
    assert (worst.name, worst.direction, worst.unit) == ("worst", "minimize", "target")
    assert worst is find("worst") is resolve("worst", "regression", 0)
    assert unit_of("val_worst") == "target"
    assert installed_names() == ["a_list", "absent", "broken", "other_name", "worst"]
    assert find("accuracy") is METRICS["accuracy"]
    assert find("loss") is find("wurst") is None
    with pytest.raises(ValueError, match=r"metric must be one of accuracy, .* in classification, got 'worst'"):
        resolve("worst", "classification", 3)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "other_name",
            "metric 'other_name': 'rulers:WORST' must be a Metric called 'other_name', got a Metric called 'worst'",
        ),
        ("a_list", "metric 'a_list': 'rulers:__all__' must be a Metric called 'a_list', got a list"),
        (
            "absent",
            "metric 'absent': 'rulers:ABSENT' cannot be loaded, AttributeError: module 'rulers' has no attribute 'ABSENT'",
        ),
        ("broken", "metric 'broken': 'crooked' cannot be loaded, RuntimeError: no ruler"),
    ],
)
def test_what_a_package_names_must_be_a_metric_of_that_name(installed, name, line):
    with pytest.raises(ValueError, match=r"^metric") as caught:
        find(name)
    assert str(caught.value) == line


def test_a_metric_is_maximized_or_minimized():
    with pytest.raises(ValueError, match="metric 'mine': direction must be maximize or minimize, got 'max'"):
        Metric("mine", METRICS["r2"].function, "max", ("regression",))


def test_directions_and_tasks():
    assert {name for name, metric in METRICS.items() if metric.direction == "minimize"} == SMALLER_IS_BETTER
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
    assert {name for name, metric in METRICS.items() if not metric.greater_is_better} == SMALLER_IS_BETTER
