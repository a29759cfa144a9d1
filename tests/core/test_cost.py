"""What a network costs, and how many may therefore train together."""

import pytest

from mlptune.core.cost import networks_per_job, networks_per_part, operations, state_bytes, working_set_bytes
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure


def test_counted_work_grows_with_the_network_and_the_rows():
    small, large = Hyperparameters(hidden=(8,)), Hyperparameters(hidden=(64,))
    sizes = {"n_inputs": 10, "n_outputs": 3, "loss": "cross_entropy"}
    assert Structure.of(small, n_rows=100, **sizes).n_parameters == 11 * 8 + 9 * 3
    assert operations(Structure.of(small, n_rows=100, **sizes)) < operations(Structure.of(large, n_rows=100, **sizes))
    assert operations(Structure.of(small, n_rows=100, **sizes)) < operations(Structure.of(small, n_rows=200, **sizes))


def group_of(**config):
    return Structure.of(Hyperparameters(**config), n_inputs=10, n_outputs=3, n_rows=1000, loss="cross_entropy")


def test_bytes_are_those_of_the_arrays():
    group = group_of(hidden=(64,), batch_size=20)
    # Parameters, gradient, scratch and Adam's two slots; the activations, their derivatives and what is kept of them.
    assert working_set_bytes(group) == 4 * (5 * group.n_parameters + 3 * 64 * 20)
    assert working_set_bytes(group_of(hidden=(64,), batch_size=20, optimizer="sgd")) < working_set_bytes(group)
    assert working_set_bytes(group_of(hidden=(64,), batch_size=20, skip=True)) > working_set_bytes(group)
    assert state_bytes(group) == 4 * 4 * group.n_parameters


@pytest.mark.parametrize(
    ("hidden", "job", "part"), [((64,), 218, 98), ((256, 256), 16, 2), ((2048, 2048), 3, 1), ((8192, 8192), 1, 1)]
)
def test_large_networks_train_in_smaller_stacks(hidden, job, part):
    assert networks_per_job(group_of(hidden=hidden)) == job
    assert networks_per_part(group_of(hidden=hidden)) == part
