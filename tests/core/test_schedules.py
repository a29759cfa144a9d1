"""Schedules give the factors that their formulas promise, for one network and for a stack."""

import math

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.network import structure
from mlptune.core.schedules import SCHEDULES, multiplier
from mlptune.core.training import Fold, Network, start, train


def path(name, total, decay=None, warmup=0.0):
    decay = SCHEDULES[name].decay if decay is None else decay
    return multiplier(name, np.arange(total), total, decay, warmup)


def test_constant_and_its_warmup():
    np.testing.assert_array_equal(path("constant", 5), 1.0)
    np.testing.assert_allclose(path("constant", 10, warmup=0.4), [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1])


def test_step_falls_after_each_third():
    np.testing.assert_allclose(path("step", 9), [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01])
    np.testing.assert_allclose(path("step", 3, decay=0.5), [1, 0.5, 0.25])


def test_inverse_time_decays_per_step():
    # The practical test of the lectures: 1e-6 a step halves the rate after a million steps.
    assert multiplier("inverse_time", np.array(1e6), 2e6, 1e-6, 0.0) == pytest.approx(0.5)


def test_cosine_goes_from_one_to_the_share():
    factors = path("cosine", 100, decay=0.2)
    assert factors[0] == 1
    assert factors[50] == pytest.approx(0.6)
    assert factors[-1] == pytest.approx(0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * 0.99)))
    assert (np.diff(factors) < 0).all()


def test_steps_beyond_the_end_keep_the_last_factor():
    for name in SCHEDULES:
        late = multiplier(name, np.array([9, 10, 500]), 10, 0.3, 0.0)
        np.testing.assert_array_equal(late, late[0])


def test_columns_give_a_factor_for_each_network():
    total, decay, warmup = np.array([[10.0], [20.0]]), np.array([[0.1], [0.5]]), np.array([[0.0], [0.25]])
    for name in SCHEDULES:
        assert multiplier(name, np.array(3), total, decay, warmup).shape == (2, 1)
        rows = multiplier(name, np.arange(10), total, decay, warmup)
        for k in range(2):
            alone = multiplier(name, np.arange(10), total[k, 0], decay[k, 0], warmup[k, 0])
            np.testing.assert_allclose(rows[k], alone, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_training_follows_the_schedule(name):
    # One bias, squared error, SGD: the step is the factor times rate times slope, so factors can be read off the path.
    hp = Hyperparameters(
        hidden=(), optimizer="sgd", learning_rate=0.05, schedule=name, warmup=0.3, epochs=4, batch_size=2, init="zeros"
    )
    group = structure(hp, n_inputs=1, n_outputs=1, n_rows=6, loss="squared_error", dtype="float64")
    state, bias = start(group, [Network(hp, 0)]), 0.0
    for epoch in range(1, 5):
        state, _ = train(group, [Network(hp, 0)], [Fold(np.zeros((6, 1)), np.ones(6))], state, epoch, order_seed=0)
        for step in range(3 * epoch - 3, 3 * epoch):
            factor = multiplier(name, np.array(step), 12, SCHEDULES[name].decay, 0.3)
            bias -= 0.05 * factor * 2 * (bias - 1)
        assert state.theta[0, 1] == pytest.approx(bias, rel=1e-12)
