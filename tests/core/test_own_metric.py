"""A function as a metric: what it judges and which way is better is found by trying, against scikit-learn's own naming."""

import numpy as np
import pytest
from sklearn import metrics as reference

from mlptune.core.metrics import METRICS, find, give, resolve, sent
from mlptune.core.own_metric import from_function

BOTH, CLASSES, NUMBERS = {"classification", "regression"}, {"classification"}, {"regression"}
CASES = [
    (reference.f1_score, CLASSES, "maximize", "none", "threshold"),
    (reference.cohen_kappa_score, CLASSES, "maximize", "none", "threshold"),
    (reference.hamming_loss, CLASSES, "minimize", "none", "threshold"),
    (reference.roc_auc_score, CLASSES, "maximize", "none", None),
    (reference.brier_score_loss, CLASSES, "minimize", "none", None),
    (reference.median_absolute_error, BOTH, "minimize", "target", "threshold"),
    (reference.explained_variance_score, BOTH, "maximize", "none", "threshold"),
    (reference.root_mean_squared_error, BOTH, "minimize", "target", "threshold"),
]


@pytest.mark.parametrize(("function", "tasks", "direction", "unit", "decision"), CASES)
def test_what_scikit_learns_functions_are_is_found(function, tasks, direction, unit, decision) -> None:
    metric = from_function(function)
    assert metric.name == function.__name__
    assert (set(metric.tasks), metric.direction, metric.unit, metric.decision) == (tasks, direction, unit, decision)


@pytest.mark.parametrize(
    "function",
    [reference.mean_squared_error, reference.mean_absolute_percentage_error, reference.mean_squared_log_error],
)
def test_what_depends_on_the_targets_zero_or_a_power_of_its_unit_is_not_for_regression(function) -> None:
    assert "regression" not in from_function(function).tasks


@pytest.mark.parametrize("weighted", [False, True])
def test_it_gives_what_the_function_gives(weighted: bool) -> None:
    random = np.random.default_rng(0)
    y, p = random.integers(2, size=50), random.random((50, 1))
    weight = random.random(50) if weighted else None
    found = from_function(reference.f1_score).function(y, p, weight)
    assert found == pytest.approx(reference.f1_score(y, p[:, 0] > 0.5, sample_weight=weight))
    found = from_function(reference.roc_auc_score).function(y, p, weight)
    assert found == pytest.approx(reference.roc_auc_score(y, p[:, 0], sample_weight=weight))
    t, o = random.normal(size=(2, 50, 1))
    found = from_function(reference.median_absolute_error).function(t, o, weight)
    assert found == pytest.approx(reference.median_absolute_error(t.ravel(), o.ravel(), sample_weight=weight))


def test_without_a_parameter_for_weights_rows_are_repeated() -> None:
    def hits(y_true, y_pred):
        return float(np.mean(y_true == y_pred))

    y, p, times = np.array([0, 1, 1]), np.array([[0.1], [0.2], [0.9]]), np.array([2.0, 3.0, 0.0])
    metric = from_function(hits)
    assert metric.function(y, p, times) == METRICS["accuracy"].function(y, p, times)
    with pytest.raises(ValueError, match="needs a parameter sample_weight"):
        metric.function(y, p, times / 2)


def test_what_a_function_says_of_itself_counts() -> None:
    def odd(y_true, found):
        return float(np.mean(np.abs(y_true - found)))

    odd.greater_is_better, odd.needs_probabilities = True, True  # type: ignore[attr-defined]
    metric = from_function(odd)
    assert (metric.direction, metric.decision) == ("maximize", None)
    assert metric.function(np.array([1, 0]), np.array([[0.75], [0.5]]), None) == pytest.approx(0.375)


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (lambda y, p: 1.0, "a function needs a name that tells it, got '<lambda>'; use def"),
        (len, r"metric 'len': called as f\(y_true, y_pred\) with classes it gave TypeError"),
        (np.cumsum, "metric 'cumsum': called as"),
    ],
)
def test_what_cannot_be_a_metric_is_refused_in_one_line(function, line: str) -> None:
    with pytest.raises(ValueError, match=line) as caught:
        from_function(function)
    assert "\n" not in str(caught.value)


def test_it_is_known_by_its_name_and_sent_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlptune.core.metrics._given", {})
    metric = from_function(reference.f1_score)
    give(metric)
    assert find("f1_score") is resolve("f1_score", "classification", 2) is sent("f1_score") is metric
    assert sent("accuracy") == "accuracy"
    with pytest.raises(ValueError, match=r"must be one of .* in regression, got 'f1_score'"):
        resolve(metric.name, "regression", 0)

    def accuracy(y_true, y_pred):
        return float(np.mean(y_true == y_pred))

    with pytest.raises(ValueError, match="metric 'accuracy': there is one of this name; give the function another"):
        give(from_function(accuracy))


def test_another_body_is_another_function() -> None:
    def make(text: str):
        space: dict = {"np": np}
        exec(f"def hits(y_true, y_pred):\n    return float({text}(y_true == y_pred))\n", space)
        return space["hits"]

    assert from_function(make("np.mean")).code == from_function(make("np.mean")).code
    assert from_function(make("np.mean")).code != from_function(make("np.sum")).code
    assert from_function(make("np.sum")).code != from_function(make("2 * np.sum")).code
    assert from_function(reference.f1_score).code != from_function(reference.jaccard_score).code
