"""Scores of predictions by name, against scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics

from mlptune.core.metrics import METRICS, Metric
from mlptune.experiments.scoring import Scoring


def test_a_metric_and_the_loss_of_classes() -> None:
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(3), 50)
    y = random.integers(3, size=50)
    weight = random.uniform(0.1, 1, 50)
    accuracy = metrics.accuracy_score(y, p.argmax(axis=1), sample_weight=weight)
    assert Scoring(METRICS["accuracy"], "cross_entropy")(y, p, weight) == pytest.approx(accuracy)
    expected = metrics.log_loss(y, p, sample_weight=weight)
    assert Scoring(None, "cross_entropy")(y, p, weight) == pytest.approx(expected)


def test_the_loss_of_numbers_is_in_units_of_the_training_targets() -> None:
    y, predicted = np.array([[1.0], [5.0]]), np.array([[2.0], [1.0]])
    mean = metrics.mean_squared_error(y, predicted) / 4.0
    assert Scoring(None, "squared_error", unit=2.0)(y, predicted) == pytest.approx(mean)
    assert Scoring(METRICS["r2"], "squared_error")(y, predicted) == pytest.approx(metrics.r2_score(y, predicted))


def test_the_direction_is_the_metrics_own() -> None:
    assert Scoring(METRICS["accuracy"], "log_loss").greater_is_better
    assert not Scoring(None, "log_loss").greater_is_better
    assert not Scoring(METRICS["rmse"], "squared_error").greater_is_better


def test_a_loss_that_predictions_do_not_determine_is_not_a_number() -> None:
    assert math.isnan(Scoring(None, "perceptron")(np.array([0, 1]), np.array([[0.0], [1.0]])))


def test_no_score_is_better_than_the_best() -> None:
    assert Scoring(METRICS["r2"], "squared_error").best == Scoring(METRICS["matthews"], "log_loss").best == 1.0
    assert Scoring(METRICS["rmse"], "squared_error").best == Scoring(None, "log_loss").best == 0.0
    gain = Metric("gain", lambda y, output, weight: 0.0, "maximize", ("classification",))
    assert Scoring(gain, "log_loss").best == math.inf
