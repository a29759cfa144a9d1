"""The best constant prediction against scikit-learn's dummy estimators, and what is said of a model that is not better."""

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.dummy import DummyClassifier, DummyRegressor

import mlptune
from mlptune.core.metrics import METRICS
from mlptune.experiments.constant import best_constant, constant_remark
from mlptune.experiments.ensemble import Expected, ValidationRows
from mlptune.experiments.scoring import Scoring
from tests.support.observers import Listener
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


def test_only_an_interval_that_leaves_the_constant_behind_is_better() -> None:
    accuracy, rmse = Scoring(METRICS["accuracy"], "log_loss"), Scoring(METRICS["rmse"], "squared_error")
    assert constant_remark(Expected(0.9, 0.8, 1.0), accuracy, ("it", 0.7)) is None
    assert "against 0.85" in (constant_remark(Expected(0.9, 0.8, 1.0), accuracy, ("it", 0.85)) or "")
    assert constant_remark(Expected(2.0, 1.5, 2.5), rmse, ("it", 3.0)) is None
    assert "against 2.4" in (constant_remark(Expected(2.0, 1.5, 2.5), rmse, ("it", 2.4)) or "")


def test_a_sweep_that_has_learned_nothing_says_so_and_names_metrics(store: str) -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(400, 3)), np.where(random.random(400) < 0.03, "yes", "no")
    said = []
    for metric in ("val_score", "val_log_loss"):
        spec = small("random", search__trials=2, objective__metric=metric)
        del spec["data"]["source"], spec["data"]["target"]
        listener = Listener()
        mlptune.run_sweep({**spec, "name": metric}, data=(X, y), observer=listener)
        said.append([text for text in listener.messages if "not clearly better than predicting" in text])
    [accuracy], [log_loss] = said
    assert "predicting 'no' for all rows" in accuracy
    assert "average_precision" in accuracy
    assert "average_precision" not in log_loss
    listener = Listener()
    mlptune.run_sweep(small("random", search__trials=2), observer=listener)
    assert not [text for text in listener.messages if "clearly" in text]
