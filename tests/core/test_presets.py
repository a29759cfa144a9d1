"""Presets: they fill in what is not given, and what they fill in trains."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from mlptune.core.estimators import MLPClassifier, MLPRegressor
from mlptune.core.hyperparameters import PARAMETERS, Hyperparameters, check
from mlptune.core.presets import PRESETS, STRONG


def test_a_preset_fills_what_is_not_given_and_nothing_else():
    strong = MLPClassifier(preset="strong")._hyperparameters()
    assert {name: getattr(strong, name) for name in STRONG} == dict(STRONG)
    mine = {"hidden": (64,), "embedding": "none", "epochs": 3}
    given = clone(MLPClassifier(preset="strong", **mine))._hyperparameters()
    assert {name: getattr(given, name) for name in STRONG} == {**STRONG, **mine}
    assert Hyperparameters.from_config({"preset": "strong", **mine}) == given
    assert Hyperparameters.from_config(given.as_config()) == given
    assert MLPClassifier()._hyperparameters() == Hyperparameters()
    with pytest.raises(
        ValueError, match=r"preset must be one of none, plain, strong, got 'stron'; did you mean 'strong'"
    ):
        MLPClassifier(preset="stron").fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_the_strong_preset_fits_predicts_pickles_and_goes_on(estimator):
    X, y = load_iris(return_X_y=True)
    model = estimator(preset="strong", hidden=(32,), epochs=100, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    for n in (1, 2, 3):
        model.fit(X[50 : 50 + n], y[50 : 50 + n])
        assert np.isfinite(model.predict(X)).all()
    model.partial_fit(X[51:60], y[51:60])


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_choice_whose_values_follow_their_rules(name):
    assert check("preset", name) == name
    for parameter, value in PRESETS[name].items():
        assert check(parameter, value) == value
        assert value != PARAMETERS[parameter].default, f"{parameter} has this value without a preset"
