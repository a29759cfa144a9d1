"""Data at the edges of what numbers and batches can be: a result or one clear line, and never a warning."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV

from mlptune.core.activations import ACTIVATIONS
from mlptune.core.estimators import MLPClassifier, MLPRegressor
from mlptune.core.hyperparameters import PARAMETERS

TRAINABLE = sorted(set(ACTIVATIONS) - {"threshold"})
SIZES = {"hidden": (5,), "epochs": 2, "random_state": 0}


def iris(classes=3):
    X, y = load_iris(return_X_y=True)
    keep = y < classes
    return (X[keep] - X.mean(axis=0)) / X.std(axis=0), y[keep]


@pytest.mark.parametrize("name", ["activation", "optimizer", "schedule", "init"])
def test_every_name_in_the_table_trains_in_both_estimators(name):
    X, y = iris()
    for value in PARAMETERS[name].choices:
        if value != "threshold":
            for model in (MLPClassifier(**SIZES), MLPRegressor(**SIZES)):
                model.set_params(**{name: value}).fit(X, y)
                assert np.isfinite(model.predict(X)).all(), value


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("loss", PARAMETERS["loss"].choices)
def test_every_loss_learns_classes(loss, classes):
    X, y = iris(classes)
    model = MLPClassifier(hidden=(8,), loss=loss, epochs=40, learning_rate=0.01, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


@pytest.mark.parametrize("loss", ["cross_entropy", "brier"])
@pytest.mark.parametrize("classes", [2, 3])
def test_label_smoothing_pulls_every_loss_of_probabilities_from_the_corners(loss, classes):
    X, y = iris(classes)
    settings = {"hidden": (8,), "loss": loss, "epochs": 150, "learning_rate": 0.02, "random_state": 0}
    highest = [
        MLPClassifier(**settings, label_smoothing=smoothing).fit(X, y).predict_proba(X).max(axis=1).mean()
        for smoothing in (0.0, 0.3)
    ]
    assert highest[0] > 0.95
    assert highest[1] == pytest.approx(1 - 0.3 + 0.3 / classes, abs=0.05)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", TRAINABLE)
@pytest.mark.parametrize("size", [1e6, 1e30])
def test_large_inputs_give_numbers_or_a_line(size, activation, dtype):
    X, y = iris()
    for model in (MLPClassifier(**SIZES), MLPRegressor(**SIZES)):
        model.set_params(activation=activation, dtype=dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                assert np.isfinite(model.fit(size * X, y).predict(size * X)).all()
            except ValueError as error:
                assert str(error).startswith("training diverged in epoch")


@pytest.mark.parametrize("activation", TRAINABLE)
def test_constant_features_and_batches_of_one_row_or_one_class(activation):
    X, y = iris()
    X[:, 1] = 7.0
    # Sorted labels and the last batch of a single row.
    for batch_size in (1, 149):
        model = MLPClassifier(hidden=(5,), epochs=5, batch_size=batch_size, activation=activation, random_state=0)
        assert np.isfinite(model.fit(X, y).predict_proba(X)).all()
        assert np.isfinite(model.history_["train_loss"]).all()


def test_one_row_is_enough():
    assert MLPRegressor(**SIZES).fit([[1.0, 2.0]], [3.0]).predict([[1.0, 2.0]]).shape == (1,)
    assert MLPClassifier(**SIZES).fit([[1.0, 2.0]], ["a"]).predict([[0.0, 0.0]]).tolist() == ["a"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(bad):
    X, y = iris()
    for model in (MLPClassifier(**SIZES), MLPRegressor(**SIZES)):
        model.fit(X, y)
        wrong = X.copy()
        wrong[3, 2] = bad
        for call in (lambda m=model, w=wrong: m.fit(w, y), lambda m=model, w=wrong: m.predict(w)):
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                call()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_precisions_learn_the_same(dtype):
    X, y = iris()
    model = MLPClassifier(epochs=30, learning_rate=0.01, dtype=dtype, random_state=0).fit(X, y)
    assert model._state.theta.dtype == dtype
    assert accuracy_score(y, model.predict(X)) > 0.95


def test_class_weights_are_weights_of_rows():
    X, y = iris()
    y = np.array(["a", "b", "c"])[y]
    weight = np.where(y == "b", 5.0, np.where(y == "c", 0.5, 1.0))
    settings = {"hidden": (5,), "epochs": 5, "random_state": 0}
    by_class = MLPClassifier(**settings, class_weight={"b": 5.0, "c": 0.5}).fit(X, y)
    by_row = MLPClassifier(**settings).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(by_class.predict_proba(X), by_row.predict_proba(X))
    both = MLPClassifier(**settings, class_weight={"b": 5.0}).fit(X, y, sample_weight=np.where(y == "c", 0.5, 1.0))
    np.testing.assert_array_equal(both.predict_proba(X), by_row.predict_proba(X))


def test_balanced_classes_count_alike():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(400, 1))
    y = (generator.uniform(size=400) < 0.1).astype(int)
    settings = {"hidden": (), "epochs": 200, "learning_rate": 0.05, "batch_size": 400, "random_state": 0}
    shares = [
        MLPClassifier(**settings, class_weight=weight).fit(X, y).predict_proba(X)[:, 1].mean()
        for weight in (None, "balanced")
    ]
    assert shares[0] == pytest.approx(y.mean(), abs=0.01)
    assert shares[1] == pytest.approx(0.5, abs=0.01)


def test_class_weights_in_partial_fit_and_wrong_ones():
    X, y = iris()
    whole = MLPClassifier(hidden=(5,), epochs=1, class_weight={0: 3.0}, random_state=0).fit(X, y)
    step = MLPClassifier(hidden=(5,), class_weight={0: 3.0}, random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(whole.predict_proba(X), step.predict_proba(X))
    with pytest.raises(ValueError, match="class_weight must be a dict or None with partial_fit"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="class_weight"):
        MLPClassifier(class_weight="ballanced").fit(X, y)


def test_grid_search_over_names_and_class_weights():
    X, y = iris()
    grid = {"activation": ["mish", "maxout"], "optimizer": ["nadam"], "class_weight": [None, "balanced"]}
    search = GridSearchCV(MLPClassifier(epochs=15, random_state=0), grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.8
