"""Schedules give the factors that their formulas promise, for one network and for a stack."""

import math

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.schedules import SCHEDULES, multiplier
from mlptune.core.structure import Structure
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


def test_exponential_loses_the_same_share_in_every_step():
    factors = path("exponential", 50, decay=0.01)
    np.testing.assert_allclose(factors[1:] / factors[:-1], 0.01 ** (1 / 50))
    assert factors[0] == 1


def test_one_cycle_rises_and_falls():
    factors = path("one_cycle", 100)
    assert factors[0] == pytest.approx(1 / 25)
    assert np.argmax(factors) == 29
    assert factors[29] == 1
    assert factors[-1] == pytest.approx(4e-6)
    assert (np.diff(factors[:30]) > 0).all()
    assert (np.diff(factors[29:]) < 0).all()


def test_coslog4_has_four_waves_of_doubled_length():
    factors = path("coslog4", 1500)
    # It is 0 where 1 + 15 t is a power of 2, and 1 half-way between in its logarithm.
    np.testing.assert_allclose(factors[[0, 100, 300, 700]], 0, atol=1e-12)
    tops = [round(100 * (2 ** (i + 0.5) - 1)) for i in range(4)]
    np.testing.assert_allclose(factors[tops], 1, atol=1e-3)
    peaks = (factors[1:-1] > factors[:-2]) & (factors[1:-1] > factors[2:])
    assert peaks.sum() == 4


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
    group = Structure.of(hp, n_inputs=1, n_outputs=1, n_rows=6, loss="squared_error", dtype="float64")
    state, bias = start(group, [Network(hp, 0)]), 0.0
    for epoch in range(1, 5):
        state, _ = train(group, [Network(hp, 0)], [Fold(np.zeros((6, 1)), np.ones(6))], state, epoch, order_seed=0)
        for step in range(3 * epoch - 3, 3 * epoch):
            factor = multiplier(name, np.array(step), 12, SCHEDULES[name].decay, 0.3)
            bias -= 0.05 * factor * 2 * (bias - 1)
        assert state.theta[0, 1] == pytest.approx(bias, rel=1e-12)
