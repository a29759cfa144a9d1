"""What a network takes from its training rows before the first step: its scaling, and a start from the data."""

import numpy as np

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.parameters import weight_blocks
from mlptune.core.scaling import scale_inputs
from mlptune.core.training import Fold, Network, start, train
from tests.support.tables import group_of, table, trained


def test_a_resumed_network_keeps_the_scaling_of_its_first_rows():
    X, y = table()
    hp = Hyperparameters(hidden=(4,), epochs=2, scaling="standard")
    group, networks = group_of(hp), [Network(hp, 0)]
    state, _ = train(group, networks, [Fold(X, y)], start(group, networks), 1, order_seed=0)
    later, _ = train(group, networks, [Fold(X + 100.0, y)], state, 2, order_seed=0)
    np.testing.assert_array_equal(later.buffers, state.buffers)


def test_the_start_from_the_data_gives_sums_of_deviation_one_and_kinks_among_the_rows():
    X, y = table(300)
    hp = Hyperparameters(
        hidden=(50, 40), activation="identity", init="data", scaling="robust", learning_rate=1e-30, epochs=1
    )
    fold = Fold(X, y)
    group, state, _ = trained(hp, fold)
    a = scale_inputs("robust", state.buffers[0], X)
    for W in weight_blocks(group, state.theta):
        sums = a @ W[0, :-1]
        np.testing.assert_allclose(sums.std(axis=0), 1.0, rtol=1e-9)
        kinks = -W[0, -1]
        assert (kinks > sums.min(axis=0)).all()
        assert (kinks < sums.max(axis=0)).all()
        assert kinks.std() > 0.1
        a = sums + W[0, -1]
    again = trained(hp, fold)[1]
    np.testing.assert_array_equal(again.theta, state.theta)
