"""The estimators keep scikit-learn's contract."""

import inspect
import json
import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_info, threadpool_limits

from mlptune.core import estimators
from mlptune.core.estimators import MLPClassifier, MLPRegressor
from mlptune.core.hyperparameters import NAMES, Hyperparameters
from mlptune.core.presets import STRONG

from .reference import load

BATCHES = "a mini-batch holds a number of rows, so a row of weight 2 is not two rows and one of weight 0 is not none"


def expected_failures(estimator):
    # The classifier's predictions agree all the same: its check rounds to labels.
    return {"check_sample_weight_equivalence_on_dense_data": BATCHES} if isinstance(estimator, MLPRegressor) else {}


@parametrize_with_checks(
    [MLPClassifier(random_state=0), MLPRegressor(random_state=0, learning_rate=0.01)],
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_parameters_and_defaults_are_those_of_the_hyperparameters():
    own = {"validation_fraction", "random_state", "dtype", "gradient_norms", "n_threads"}
    defaults = Hyperparameters().as_config() | {"changes": ()}
    for estimator, names in ((MLPClassifier, {*own, "class_weight"}), (MLPRegressor, own)):
        parameters = estimator().get_params()
        assert {name: parameters[name] for name in NAMES} == {**defaults, **dict.fromkeys(STRONG)}
        assert set(parameters) - set(NAMES) == names
        assert set(inspect.signature(estimator).parameters) == set(parameters)
        assert list(inspect.signature(estimator).parameters)[: len(NAMES)] == list(NAMES)
    assert MLPRegressor((3,), "tanh").get_params()["activation"] == "tanh"
    for wrong in ({"hiden": (3,)}, {"class_weights": None}):
        with pytest.raises(TypeError, match=next(iter(wrong))):
            MLPClassifier(**wrong)
    with pytest.raises(TypeError, match="class_weight"):
        MLPRegressor(class_weight="balanced")


def test_subclasses_may_name_their_own_parameters():
    class Small(MLPClassifier):
        def __init__(self, hidden=(4,), epochs=2, random_state=None):
            super().__init__(hidden=hidden, epochs=epochs, random_state=random_state)

    X, y = load_iris(return_X_y=True)
    assert clone(Small(epochs=3)).fit(X, y).n_epochs_ == 3


def test_a_best_configuration_with_lists_is_accepted():
    config = Hyperparameters(hidden=(8, 4), epochs=3, early_stopping=2, dropout=0.1, optimizer="sgd", momentum=0.9)
    X, y = load_iris(return_X_y=True)
    model = MLPClassifier(**{**config.as_config(), "hidden": [8, 4]}, random_state=0).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert set(model.history_) == {"train_loss", "val_loss", "train_score", "val_score"}
    assert len(model.history_["val_loss"]) == model.n_epochs_


@pytest.mark.parametrize("labels", [[0, 1, 2], [-1.0, 1.0, 7.0], ["a", "b", "c"]])
def test_class_weights_may_name_labels_by_their_text(labels):
    X, y = load_iris(return_X_y=True)
    y = np.array(labels)[y]
    settings = {"hidden": (4,), "epochs": 3, "random_state": 0}
    by_text, by_label = (
        MLPClassifier(**settings, class_weight={key(labels[0]): 4.0, key(labels[2]): 0.5}).fit(X, y)
        for key in (str, lambda label: label)
    )
    np.testing.assert_array_equal(by_text.predict_proba(X), by_label.predict_proba(X))
    with pytest.raises(ValueError, match="class_weight"):
        MLPClassifier(**settings, class_weight={"9": 4.0}).fit(X, y)


def test_the_same_seed_gives_the_same_network_and_clones_and_pickles_predict_alike():
    X, y = load_iris(return_X_y=True)
    model = MLPClassifier(epochs=5, dropout=0.2, random_state=3).fit(X, y)
    again = clone(model).fit(X, y)
    other = MLPClassifier(epochs=5, dropout=0.2, random_state=4).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))
    unpickled = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.predict_proba(X), unpickled.predict_proba(X))
    assert not np.array_equal(model.predict_proba(X), other.predict_proba(X))


def test_grid_search_and_pipeline():
    X, y = load_iris(return_X_y=True)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MLPClassifier(epochs=20, random_state=0)),
        {"mlpclassifier__learning_rate": [1e-5, 1e-2]},
        cv=3,
    ).fit(X, y)
    assert search.best_params_ == {"mlpclassifier__learning_rate": 1e-2}
    assert search.best_score_ > 0.9


def test_no_hidden_layer_is_logistic_regression():
    X, y = load_iris(return_X_y=True)
    X, y = StandardScaler().fit_transform(X), (y == 2).astype(int)
    n = len(X)
    reference = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(X, y)
    model = MLPClassifier(
        hidden=(), optimizer="sgd", learning_rate=1.0, batch_size=n, epochs=4000, l2=1.0 / n, dtype="float64"
    ).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), atol=1e-6)


def test_partial_fit_continues_and_fit_starts_afresh():
    X, y = load_iris(return_X_y=True)
    stepwise = MLPClassifier(epochs=4, random_state=0)
    for _ in range(4):
        stepwise.partial_fit(X, y, classes=[0, 1, 2])
    whole = MLPClassifier(epochs=4, random_state=0).fit(X, y)
    np.testing.assert_array_equal(stepwise.predict_proba(X), whole.predict_proba(X))
    assert stepwise.history_ == whole.history_
    stepwise.partial_fit(X, y)
    assert stepwise.n_epochs_ == 5
    np.testing.assert_array_equal(stepwise.fit(X, y).predict_proba(X), whole.predict_proba(X))


def test_early_stopping_keeps_the_best_epoch():
    X, y = load_diabetes(return_X_y=True)
    X, y = StandardScaler().fit_transform(X), (y - y.mean()) / y.std()
    model = MLPRegressor(hidden=(128,), learning_rate=0.01, epochs=200, early_stopping=5, random_state=0).fit(X, y)
    losses = model.history_["val_loss"]
    assert model.n_epochs_ < 200
    assert model.best_epoch_ == int(np.argmin(losses)) + 1 == model.n_epochs_ - 5
    with pytest.warns(DeprecationWarning, match="kept_epoch_ is now best_epoch_"):
        assert model.kept_epoch_ == model.best_epoch_


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dropout": 1.5}, r"dropout must be a number at least 0 and below 1, got 1\.5"),
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"hidden": (0,)}, "hidden must be a list of whole numbers"),
        ({"learning_rate": 1e30, "optimizer": "sgd"}, "diverged in epoch 1"),
        ({"early_stopping": True}, "early_stopping must be a whole number at least 0, got True"),
        ({"validation_fraction": 1.0}, "validation_fraction must be"),
        ({"n_threads": 0}, "n_threads must be a whole number at least 1, got 0"),
    ],
)
def test_errors_name_the_parameter_and_the_rule(parameters, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message) as error:
        MLPClassifier(**parameters).fit(X, y)
    assert "\n" not in str(error.value)


def test_sample_weights_count():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 2))
    y = np.repeat([0, 1], 30)
    weight = np.where(y == 1, 50.0, 1.0)
    model = MLPClassifier(hidden=(), learning_rate=0.1, batch_size=60, random_state=0).fit(X, y, sample_weight=weight)
    assert (model.predict(X) == 1).all()


def test_read_only_and_non_contiguous_arrays_train_alike():
    X, y = load_iris(return_X_y=True)
    reference = MLPClassifier(epochs=2, random_state=0).fit(X, y).predict_proba(X)
    frozen, wide = X.copy(), np.repeat(X, 2, axis=1)
    frozen.flags.writeable = False
    for variant in (frozen, np.asfortranarray(X), wide[:, ::2], X.astype(np.float32)):
        np.testing.assert_array_equal(
            MLPClassifier(epochs=2, random_state=0).fit(variant, y).predict_proba(X), reference
        )


@pytest.mark.parametrize("scaling", ["minmax", "standard", "robust"])
def test_rows_that_the_network_scales_keep_their_digits(scaling):
    # Seconds since 1970 differ by less than float32 can tell.
    generator = np.random.default_rng(0)
    times = 1.7e9 + generator.uniform(0, 20, 400)
    y = (times - 1.7e9 > 10).astype(int)
    model = MLPClassifier(scaling=scaling, learning_rate=0.01, random_state=0).fit(times[:, None], y)
    assert model.score(times[:, None], y) > 0.97


def test_large_targets_are_learned_when_they_are_scaled():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(300, 3))
    y = np.column_stack([1e6 + 1e4 * np.sin(2 * X[:, 0]), 1e-4 * X[:, 1]])
    model = MLPRegressor(target_scaling=True, learning_rate=0.01, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    one = MLPRegressor(target_scaling=True, random_state=0).fit(X, y[:, 0])
    assert one.predict(X).shape == (300,)
    assert one.predict(1e3 * X).max() <= y[:, 0].max() * (1 + 1e-6)


def test_one_thread_unless_more_are_asked_for_whatever_the_environment_says(monkeypatch):
    X, y = make_classification(300, 20, random_state=0)
    seen = []

    def watched(function):
        def run(*args, **kwargs):
            seen.append({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
            return function(*args, **kwargs)

        return run

    monkeypatch.setattr(estimators, "train", watched(estimators.train))
    monkeypatch.setattr(estimators, "outputs", watched(estimators.outputs))
    options = {"hidden": (64,), "epochs": 3, "random_state": 0}
    with threadpool_limits(3, "blas"):
        alone = MLPClassifier(**options).fit(X, y)
        p = alone.predict_proba(X)
        alone.partial_fit(X, y)
        assert seen == [{1}, {1}, {1}]
        seen.clear()
        together = MLPClassifier(**options, n_threads=2).fit(X, y)
        np.testing.assert_allclose(together.predict_proba(X), p, atol=1e-4)
        assert seen == [{2}, {2}]
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {3}
    with threadpool_limits(1, "blas"):
        np.testing.assert_array_equal(MLPClassifier(**options).fit(X, y).predict_proba(X), p)


def test_estimators_take_lists_and_json_lists():
    X, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    mixed = load("layers")["settings_json"]["mixed"]
    config = json.loads(json.dumps(Hyperparameters(**mixed, epochs=4).as_config()))
    model = MLPClassifier(**config, random_state=0).fit(X, y)
    stepwise = MLPClassifier(**mixed, epochs=4, random_state=0)
    for _ in range(4):
        stepwise.partial_fit(X, y, classes=range(3))
    np.testing.assert_array_equal(model.predict_proba(X), stepwise.predict_proba(X))
    with pytest.raises(ValueError, match="must stay as they were"):
        stepwise.set_params(skip=False).partial_fit(X, y)


@pytest.mark.parametrize("labels", [["a", "b", "c"], [3, 5, 9], [False, True], [1.0, 2.0]])
def test_partial_fit_takes_known_labels_alone_in_every_call(labels: list[Any]) -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(40, 3)), random.choice(labels, 40)
    model = MLPClassifier(hidden=(4,), random_state=0).partial_fit(X, y, classes=labels)
    again = MLPClassifier(hidden=(4,), random_state=0).partial_fit(X, y, classes=labels)
    model.partial_fit(X, y)
    again.partial_fit(
        X, y.astype(object) if isinstance(labels[0], str) else y.astype(float)
    )  # not of the classes' kind
    assert model.history_ == again.history_
    for wrong in (["d"] * 40, [7] * 40, random.normal(size=40)):
        before = model.n_epochs_
        with pytest.raises((ValueError, TypeError)):
            model.partial_fit(X, wrong)
        assert model.n_epochs_ == before


def test_numbers_in_their_own_units_are_standardised_on_request_and_warned_of_otherwise():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)) * [1.0, 500.0, 0.01] + [0.0, 9000.0, 3.0]
    y = 50_000 + 4000 * X[:, 0] + 8 * X[:, 1] + 100_000 * X[:, 2]
    settings = {"hidden": (16,), "epochs": 30, "learning_rate": 0.01, "random_state": 0}
    with pytest.warns(ConvergenceWarning, match=r"worse than their mean \(R2 -.*standardize=True"):
        assert MLPRegressor(**settings).fit(X[:, :1], y).score(X[:, :1], y) < 0
    own = MLPRegressor(standardize=True, **settings).fit(X, y)
    assert own.score(X, y) > 0.95
    pipeline = make_pipeline(StandardScaler(), MLPRegressor(target_scaling=True, **settings)).fit(X, y)
    np.testing.assert_allclose(own.predict(X), pipeline.predict(X), rtol=1e-3)
    labels = (y > np.median(y)).astype(int)
    assert MLPClassifier(standardize=True, **settings).fit(X, labels).score(X, labels) > 0.9
    kept = MLPClassifier(standardize=True, scaling="robust", **settings).fit(X, labels)
    np.testing.assert_array_equal(
        kept.predict_proba(X), MLPClassifier(scaling="robust", **settings).fit(X, labels).predict_proba(X)
    )
