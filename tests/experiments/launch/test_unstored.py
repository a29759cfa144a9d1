"""A search that is stored nowhere is the search that would have been stored."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.frames import memory_table
from mlptune.experiments.errors import SweepFailed
from mlptune.experiments.launch.unstored import search_unstored
from tests.support.sweeps import iris


def test_trials_model_and_what_is_expected_are_those_of_the_stored_sweep(store: str) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    table = memory_table((X, y))
    for ensemble in (16, 0):
        spec, _ = load_spec(iris(search__trials=5, objective__ensemble=ensemble))
        found = search_unstored(spec, table)
        result = mlptune.run_sweep(spec)
        stored = [(trial["number"], trial["state"], trial["value"]) for trial in result.summary()["trials"]]
        assert [(trial.number, trial.state, trial.value) for trial in found.trials] == stored
        assert (found.best.number, vars(found.expected)) == (result.best["number"], result.best["expected"])
        np.testing.assert_array_equal(found.model.predict_proba(X), mlptune.load_model("iris").predict_proba(X))


def test_no_complete_trial_is_no_model() -> None:
    spec, _ = load_spec(iris(model={"optimizer": "sgd", "epochs": 2}, space={"learning_rate": [1e20]}))
    with pytest.raises(SweepFailed, match="diverged"):
        search_unstored(spec, memory_table(load_iris(return_X_y=True)))
