"""The table of hyperparameters: defaults, ranges and errors that help."""

import subprocess
import sys

import numpy as np
import pytest

from mlptune.core.activations import ACTIVATIONS
from mlptune.core.hyperparameters import NAMES, PARAMETERS, Hyperparameters, check
from mlptune.core.structure import Structure


def test_the_class_and_the_table_agree():
    assert Hyperparameters().as_config() == {name: PARAMETERS[name].default for name in NAMES} | {"changes": []}


def test_every_row_says_what_it_does():
    for name, row in PARAMETERS.items():
        assert row.name == name
        assert row.about.endswith("."), name
        assert "\n" not in row.about, name


def test_a_row_added_to_a_table_is_accepted_at_once(monkeypatch):
    with pytest.raises(ValueError, match="did you mean"):
        check("activation", "relu2")
    monkeypatch.setitem(ACTIVATIONS, "relu2", ACTIVATIONS["relu"])
    assert Hyperparameters(activation="relu2").activation == "relu2"


def test_a_configuration_goes_round():
    hp = Hyperparameters(hidden=[3, 4], learning_rate=np.float64(0.1), epochs=np.int64(3), nesterov=np.True_)
    assert hp.hidden == (3, 4)
    assert (type(hp.learning_rate), type(hp.epochs), type(hp.nesterov)) == (float, int, bool)
    assert Hyperparameters.from_config(hp.as_config()) == hp
    assert hash(hp) == hash(Hyperparameters.from_config(hp.as_config()))


@pytest.mark.parametrize(
    ("optimizer", "rate", "second", "decay"),
    [
        ("sgd", 0.01, 0.999, 0.0),
        ("rmsprop", 0.001, 0.99, 0.0),
        ("adagrad", 0.01, 0.999, 0.0),
        ("nadam", 0.002, 0.999, 0.0),
        ("adam", 0.001, 0.999, 0.0),
        ("adamw", 0.001, 0.999, 0.01),
    ],
)
def test_defaults_that_depend_on_the_optimizer(optimizer, rate, second, decay):
    hp = Hyperparameters(optimizer=optimizer)
    assert (hp.effective_learning_rate, hp.effective_beta_2, hp.effective_weight_decay) == (rate, second, decay)
    assert Hyperparameters(optimizer=optimizer, weight_decay=0.0).effective_weight_decay == 0.0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("learning_rate", 0.0, "must be a number above 0 or None, got 0.0"),
        ("learning_rate", float("nan"), "got nan"),
        ("learning_rate", "0.1", "got '0.1'"),
        ("learning_rate", True, "got True"),
        ("momentum", 1.0, "at least 0 and below 1"),
        ("dropout", -0.1, "at least 0 and below 1"),
        ("hidden", "64", "list of whole numbers"),
        ("hidden", [64, 0], "each at least 1"),
        ("hidden", [1.5], "got [1.5]"),
        ("hidden", 64, "got 64"),
        ("activation", "sigmod", "must be one of identity, logistic, tanh, relu"),
        ("optimizer", "adma", "did you mean 'adam'?"),
        ("batch_size", 0, "a whole number at least 1"),
        ("epochs", 2.5, "a whole number at least 1"),
        ("nesterov", 1, "must be true or false"),
        ("clip_norm", 0, "above 0 or None"),
        ("init", None, "must be one of auto"),
        ("learning_rat", 0.1, "unknown hyperparameter 'learning_rat'; did you mean 'learning_rate'?"),
        ("zzz", 0.1, "known: activation"),
        ("subset", 0.0, "must be a number above 0 and at most 1, got 0.0"),
        ("subset", 1.5, "at most 1, got 1.5"),
        ("skip", 1, "must be true or false, or a list with one for each hidden layer, got 1"),
        ("activation", ["relu", "sigmoid"], "must be one of identity"),
        ("batch_norm", [True, None], "must be true or false, got None"),
    ],
)
def test_errors_say_name_rule_value_and_the_nearest(name, value, words):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        check(name, value)
    assert words in str(error.value)
    assert name in str(error.value)
    with pytest.raises(ValueError, match=r"^[^\n]*$"):
        Hyperparameters.from_config({name: value})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"hidden": [4], "skip": [True, False]},
            "skip must be one value, or a list with one for each hidden layer (1), got [T",
        ),
        (
            {"hidden": [4, 5], "activation": ["tanh"] * 3},
            "activation must be one value, or a list with one for each hidden layer (2), got ['tanh', ",
        ),
        ({"hidden": [4, 5], "batch_norm": []}, "each hidden layer (2), got []"),
        ({"hidden": [4, 5], "activation": ["tanh", "threshold"]}, "hidden must be empty with threshold units"),
        (
            {"hidden": [4, 5], "batch_norm": True, "layer_norm": [False, True]},
            "layer_norm must be false where batch_norm is true, got True for both in hidden layer 2",
        ),
    ],
)
def test_lists_that_do_not_fit_the_layers_are_refused(config, words):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        Hyperparameters.from_config(config)
    assert words in str(error.value)


def test_a_list_of_equal_values_is_the_one_value():
    sizes = {"n_inputs": 4, "n_outputs": 2, "n_rows": 100, "loss": "cross_entropy"}
    for name, value in (("activation", "tanh"), ("batch_norm", True), ("layer_norm", True), ("skip", True)):
        for hidden in ((7,), (7, 7, 3)):
            one = Hyperparameters(hidden=hidden, **{name: value})
            listed = Hyperparameters(hidden=list(hidden), **{name: [value] * len(hidden)})
            assert one == listed
            assert Structure.of(one, **sizes) == Structure.of(listed, **sizes)
    hp = Hyperparameters(hidden=(7, 7), activation=["tanh", "relu"], skip=[False, True])
    assert Hyperparameters.from_config(hp.as_config()) == hp
    assert Hyperparameters(hidden=(), activation=[], skip=[]) == Hyperparameters(hidden=())


def test_the_engine_loads_without_scikit_learn():
    code = "import sys, mlptune.core.training; assert not {'sklearn', 'scipy', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_default_keeps_its_own_rule(name):
    """Which is why it is not checked when a network is made."""
    row = PARAMETERS[name]
    checked = row.check(row.default)
    assert (type(checked), checked) == (type(row.default), row.default)
