"""Counted costs against counts by hand, and against the arrays of a real network."""

import pytest

from mlptune.core.counted import COUNTED
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import Network, start


def structure_of(dtype="float32", **config):
    return Structure.of(
        Hyperparameters(**config), n_inputs=10, n_outputs=3, n_rows=100, loss="cross_entropy", dtype=dtype
    )


def test_a_plain_network_is_counted_as_by_hand():
    structure = structure_of(hidden=(8, 4))
    by_hand = (10 + 1) * 8 + (8 + 1) * 4 + (4 + 1) * 3
    assert COUNTED["operations"].count(structure) == by_hand
    assert COUNTED["parameters"].count(structure) == by_hand


@pytest.mark.parametrize("config", [{}, {"batch_norm": True}, {"embedding": "periodic"}, {"activation": "maxout"}])
@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float64", 8)])
def test_parameters_and_bytes_are_those_of_the_array(config, dtype, size):
    structure = structure_of(hidden=(8,), dtype=dtype, **config)
    theta = start(structure, [Network(Hyperparameters(hidden=(8,), **config), 0)]).theta
    assert COUNTED["parameters"].count(structure) == theta.size
    assert COUNTED["bytes"].count(structure) == theta.nbytes == size * theta.size


@pytest.mark.parametrize("name", COUNTED)
def test_each_cost_grows_with_the_network(name):
    count = COUNTED[name].count
    assert count(structure_of(hidden=(8,))) < count(structure_of(hidden=(16,))) < count(structure_of(hidden=(16, 16)))
    assert count(structure_of(hidden=(8,))) < count(structure_of(hidden=(8,), embedding="periodic"))
