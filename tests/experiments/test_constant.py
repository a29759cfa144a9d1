"""The best constant prediction against scikit-learn's dummy estimators, and what is said of a model that is not better."""

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.dummy import DummyClassifier, DummyRegressor

import mlptune
from mlptune.core.metrics import METRICS
from mlptune.experiments.constant import best_constant
from mlptune.experiments.ensemble import ValidationRows
from mlptune.experiments.scoring import Scoring
from tests.support.sweeps import small

Y = np.array([0] * 12 + [1] * 5 + [2] * 3)
WEIGHT = np.linspace(1.5, 0.5, len(Y))
NOTHING = np.zeros((len(Y), 1))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_of_classes(n_classes: int) -> None:
    y = np.minimum(Y, n_classes - 1)
    rows, labels = ValidationRows(y, WEIGHT), ["a", "b", "c"][:n_classes]
    dummy = DummyClassifier(strategy="prior").fit(NOTHING, y, WEIGHT)
    told, score = best_constant(rows, Scoring(METRICS["accuracy"], "cross_entropy"), labels)
    assert told == "'a' for all rows"
    assert score == pytest.approx(dummy.score(NOTHING, y, WEIGHT))
    told, score = best_constant(rows, Scoring(METRICS["log_loss"], "cross_entropy"), labels)
    assert told == "the classes' shares for all rows"
    assert score == pytest.approx(reference.log_loss(y, dummy.predict_proba(NOTHING), sample_weight=WEIGHT))
    loss = "log_loss" if n_classes == 2 else "cross_entropy"
    assert best_constant(rows, Scoring(None, loss), labels)[1] == pytest.approx(score)
    assert best_constant(rows, Scoring(METRICS["roc_auc"], "cross_entropy"), labels)[1] == 0.5


def test_of_decisions_it_is_the_class_that_the_metric_likes_best() -> None:
    y = np.array([0] * 9 + [1])
    told, score = best_constant(ValidationRows(y), Scoring(METRICS["f1"], "log_loss"), ["no", "yes"])
    assert told == "'yes' for all rows"
    assert score == pytest.approx(reference.f1_score(y, np.ones(10)))


@pytest.mark.parametrize(("name", "strategy"), [("rmse", "mean"), ("mae", "median"), ("r2", "mean")])
def test_of_numbers(name: str, strategy: str) -> None:
    y = np.random.default_rng(0).exponential(size=(31, 1))
    told, score = best_constant(ValidationRows(y), Scoring(METRICS[name], "squared_error"), ())
    found = DummyRegressor(strategy=strategy).fit(np.zeros((31, 1)), y).predict(np.zeros((31, 1)))
    assert told == f"the {strategy} for all rows"
    assert score == pytest.approx(METRICS[name].function(y, found.reshape(-1, 1), None), abs=1e-12)


def test_a_sweep_that_has_learned_nothing_says_so_and_names_metrics(store: str) -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(400, 3)), np.where(random.random(400) < 0.03, "yes", "no")
    spec = small("random", search__trials=2)
    del spec["data"]["source"], spec["data"]["target"]
    [found] = [entry for entry in mlptune.run_sweep(spec, data=(X, y)).diagnosis if entry["rule"] == "constant"]
    assert "and 'no' for all rows scores" in found["text"]
    assert "average_precision" in found["advice"]
