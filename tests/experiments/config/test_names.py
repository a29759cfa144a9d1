"""The names of hyperparameters: whole, without doubles, and found where somebody writes what another library calls them."""

import inspect

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sklearn.neural_network import MLPClassifier

from mlptune.core.hyperparameters import NAMES
from mlptune.experiments.config.names import (
    MAX_LAYERS,
    hyperparameter_hint,
    hyperparameter_names,
    meant_hyperparameter,
    per_layer_names,
)


def test_no_name_is_there_twice_and_every_layer_has_its_own() -> None:
    names = hyperparameter_names()
    assert len(set(names)) == len(names)
    assert set(NAMES) <= set(names)
    for stem in ("units", "activation", "skip", "batch_norm"):
        assert {f"{stem}_{i}" for i in range(1, MAX_LAYERS + 1)} <= set(names)
        assert not {f"{stem}_0", f"{stem}_{MAX_LAYERS + 1}"} & set(names)
    assert all(name.rpartition("_")[0] == stem and stem in NAMES for name, stem in per_layer_names().items())


# How scikit-learn names things, and what that is here; of what it has besides there is nothing here.
OF_SCIKIT_LEARN = {
    "hidden_layer_sizes": "hidden",
    "activation": "activation",
    "solver": "optimizer",
    "alpha": "l2",
    "batch_size": "batch_size",
    "learning_rate_init": "learning_rate",
    "max_iter": "epochs",
    "n_iter_no_change": "early_stopping",
    "momentum": "momentum",
    "beta_1": "beta_1",
    "beta_2": "beta_2",
    "epsilon": "epsilon",
}


@pytest.mark.parametrize(("theirs", "ours"), OF_SCIKIT_LEARN.items())
def test_names_of_scikit_learn_are_understood(theirs: str, ours: str) -> None:
    assert theirs in inspect.signature(MLPClassifier).parameters
    assert ours in NAMES
    assert meant_hyperparameter(theirs) == ours


@given(st.sampled_from(NAMES), st.integers(0, 30))
@example("beta_1", 4)
def test_a_name_with_two_letters_changed_round_is_still_found(name: str, at: int) -> None:
    i = at % max(1, len(name) - 1)
    typed = name[:i] + name[i : i + 2][::-1] + name[i + 2 :]
    assume(len(name) > 5 and typed not in hyperparameter_names())
    assert meant_hyperparameter(typed) == name
    assert hyperparameter_hint(typed) == f"; did you mean {name!r}?"


def test_where_nothing_is_near_nothing_is_suggested() -> None:
    assert meant_hyperparameter("qqqqqq") is None
    assert hyperparameter_hint("qqqqqq") == ""
