"""Every optimizer for 30 steps against torch's recorded numbers and against recurrences written by hand."""

import numpy as np
import pytest

from mlptune.core import optimizers
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.optimizers import OPTIMIZERS
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train

from .reference import load, part

REFERENCE = load("optimizers")
CASES, STEPS = REFERENCE["settings_json"], REFERENCE["steps_json"]


def test_every_optimizer_has_a_case():
    # torch has no schedule-free optimizer; test_averaging.py has a loop of its own for it.
    assert {case["optimizer"] for case in CASES.values()} == set(OPTIMIZERS) - {"schedule_free"}


@pytest.mark.parametrize("case", CASES)
def test_thirty_steps_equal_torch(case):
    X, y, before, after = REFERENCE["X"], REFERENCE["y"], part(REFERENCE, "before"), part(REFERENCE, case)
    (n, d), hidden = X.shape, before["W0"].shape[1:]
    hp = Hyperparameters(hidden=hidden, activation="tanh", batch_size=n, epochs=STEPS, **CASES[case])
    group = Structure.of(hp, n_inputs=d, n_outputs=3, n_rows=n, loss="cross_entropy", dtype="float64")
    state = start(group, [Network(hp, 0)])
    for i, W in enumerate(weight_blocks(group, state.theta)):
        W[0, :-1], W[0, -1] = before[f"W{i}"], before[f"b{i}"]
    trained, _ = train(group, [Network(hp, 0)], [Fold(X, y)], state, STEPS, order_seed=0)
    # torch divides by the norm + 1e-6 where it clips.
    tolerance = 1e-8 if hp.clip_norm is None else 1e-4
    for i, W in enumerate(weight_blocks(group, trained.theta)):
        np.testing.assert_allclose(W[0, :-1], after[f"W{i}"], rtol=tolerance, atol=1e-9)
        np.testing.assert_allclose(W[0, -1], after[f"b{i}"], rtol=tolerance, atol=1e-9)


def recurrence(settings, gradient, w, steps):
    """One weight's path as the papers write it, one number at a time."""
    hp = Hyperparameters(**settings)
    m = v = b = 0.0
    products = [1.0]
    for t in range(1, steps + 1):
        g = gradient(w) + hp.l2 * w
        if hp.clip_norm is not None and abs(g) > hp.clip_norm:
            g *= hp.clip_norm / abs(g)
        w -= hp.effective_learning_rate * hp.effective_weight_decay * w
        if hp.optimizer == "sgd":
            b = hp.momentum * b + g
            w -= hp.effective_learning_rate * (g + hp.momentum * b if hp.nesterov else b)
        elif hp.optimizer == "rmsprop":
            v = hp.effective_beta_2 * v + (1 - hp.effective_beta_2) * g * g
            b = hp.momentum * b + g / (v**0.5 + hp.epsilon)
            w -= hp.effective_learning_rate * b
        elif hp.optimizer == "adagrad":
            v += g * g
            w -= hp.effective_learning_rate * g / (v**0.5 + hp.epsilon)
        elif hp.optimizer == "nadam":
            mu, coming = (hp.beta_1 * (1 - 0.5 * 0.96 ** (0.004 * s)) for s in (t, t + 1))
            products.append(products[-1] * mu)
            m = hp.beta_1 * m + (1 - hp.beta_1) * g
            v = hp.effective_beta_2 * v + (1 - hp.effective_beta_2) * g * g
            root = (v / (1 - hp.effective_beta_2**t)) ** 0.5 + hp.epsilon
            w -= hp.effective_learning_rate * (1 - mu) / (1 - products[-1]) * g / root
            w -= hp.effective_learning_rate * coming / (1 - products[-1] * coming) * m / root
        else:
            m = hp.beta_1 * m + (1 - hp.beta_1) * g
            v = hp.effective_beta_2 * v + (1 - hp.effective_beta_2) * g * g
            w -= (
                hp.effective_learning_rate
                * (m / (1 - hp.beta_1**t))
                / ((v / (1 - hp.effective_beta_2**t)) ** 0.5 + hp.epsilon)
            )
    return w


@pytest.mark.parametrize("case", CASES)
def test_thirty_steps_of_one_weight_follow_the_recurrence(case):
    # Without an input the bias alone would learn; with one input and a target that needs no bias the weight alone does,
    # if the data is symmetric: squared error over x = +-1, y = +-3, so that the slope is 2 (w - 3).
    settings = CASES[case]
    hp = Hyperparameters(hidden=(), batch_size=2, epochs=STEPS, **settings)
    group = Structure.of(hp, n_inputs=1, n_outputs=1, n_rows=2, loss="squared_error", dtype="float64")
    state = start(group, [Network(hp, 0)])
    w = float(state.theta[0, 0])
    fold = Fold(np.array([[1.0], [-1.0]]), np.array([3.0, -3.0]))
    after, _ = train(group, [Network(hp, 0)], [fold], state, STEPS, order_seed=0)
    assert after.theta[0, 1] == 0.0
    np.testing.assert_allclose(after.theta[0, 0], recurrence(settings, lambda w: 2 * (w - 3), w, STEPS), rtol=1e-10)


@pytest.mark.parametrize("beta", [0.0, 1e-30, 0.5, 0.9, 0.999, 1.0 - 1e-9])
def test_powers_that_no_longer_count_are_left_out_without_a_trace(beta: float) -> None:
    for first in (1.0, 300.0, 40_000.0):
        t = first + np.arange(200.0)
        np.testing.assert_array_equal(optimizers._one_minus_powers(beta, first, 200), 1.0 - np.power(beta, t))
