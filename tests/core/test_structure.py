"""The structure of a network: what splits a stack, what does not, and what cannot be."""

from dataclasses import fields

import numpy as np
import pytest

from mlptune.core.hyperparameters import PARAMETERS, Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from tests.support.stacks import same_states

SIZES = {"n_inputs": 4, "n_outputs": 2, "n_rows": 100}


def test_structural_rows_are_fields_of_the_structure():
    structural = {name for name, row in PARAMETERS.items() if row.structural}
    assert structural <= {field.name for field in fields(Structure)}


def test_numbers_do_not_split_a_stack_and_shapes_do():
    def key(**config):
        return Structure.of(Hyperparameters(**config), loss="cross_entropy", **SIZES)

    same = key()
    for config in (
        {"learning_rate": 0.5},
        {"dropout": 0.5},
        {"l1": 1.0},
        {"epochs": 3},
        {"init": "he"},
        {"init": "data"},
        {"fade": True},
        {"embedding_sigma": 2.0},
        {"momentum": 0.5},
    ):
        assert key(**config) == same
        assert hash(key(**config)) == hash(same)
    for config in (
        {"hidden": ()},
        {"batch_size": 16},
        {"optimizer": "sgd"},
        {"schedule": "cosine"},
        {"activation": "tanh"},
        {"batch_norm": True},
        {"layer_norm": True},
        {"skip": True},
        {"subset": 0.5},
        {"hidden": (64, 64), "skip": [True, False]},
        {"hidden": (64, 64), "activation": ["relu", "tanh"]},
        {"scaling": "robust"},
        {"embedding": "periodic"},
        {"embedding": "plr"},
        {"embedding": "piecewise"},
        {"feature_scale": True},
        {"parametrization": "ntk"},
    ):
        assert key(**config) != same
    assert key(batch_size=1000) == key(batch_size=100)
    assert key(optimizer="sgd", momentum=0.5) == key(optimizer="sgd", momentum=0.9) != key(optimizer="sgd")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "hinge"}, "loss must be one of"),
        ({"loss": "log_loss"}, "n_outputs must be 1"),
        ({"n_rows": 0}, "n_rows must be at least 1, got 0"),
        ({"dtype": "float16"}, "dtype must be float32 or float64"),
    ],
)
def test_impossible_structures_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Structure.of(Hyperparameters(), **{**SIZES, "loss": "cross_entropy", **change})


def test_a_list_of_equal_values_trains_like_the_one_value():
    X, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    states = []
    for values in ({"activation": "tanh", "skip": True}, {"activation": ["tanh"] * 2, "skip": [True] * 2}):
        hp = Hyperparameters(hidden=(6, 5), epochs=3, **values)
        group = Structure.of(hp, n_inputs=4, n_outputs=3, n_rows=60, loss="cross_entropy")
        states.append(train(group, [Network(hp, 0)], [Fold(X, y)], start(group, [Network(hp, 0)]), 3, order_seed=0)[0])
    same_states(*states)
