"""The worked examples of the lectures: numbers that were computed by hand."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import FINISHED, Fold, Network, start, train
from mlptune.core.workspace import Workspace

SGD = {"optimizer": "sgd", "activation": "logistic", "batch_size": 1}


def test_one_step_of_one_logistic_unit():
    hp = Hyperparameters(hidden=(), learning_rate=0.5, epochs=1, **SGD)
    group = Structure.of(hp, n_inputs=2, n_outputs=1, n_rows=1, loss="brier", dtype="float64")
    networks, fold = [Network(hp, 0)], Fold(np.array([[0.4, 0.5]]), np.array([1]))
    state = start(group, networks)
    state.theta[:] = 0.1
    before = np.array([0.4, 0.5, 1.0]) @ state.theta[0]
    assert before == pytest.approx(0.19)
    assert 1 / (1 + np.exp(-before)) == pytest.approx(0.5474, abs=5e-5)
    state, curves = train(group, networks, [fold], state, 1, order_seed=0)
    assert curves.values["train_loss"][0, 0] == pytest.approx((1 - 0.5474) ** 2, abs=1e-4)
    # The lecture rounds on the way, so its fourth digit may be off by one.
    np.testing.assert_allclose(state.theta[0], [0.1449, 0.1561, 0.2122], atol=1e-4)
    after = np.array([0.4, 0.5, 1.0]) @ state.theta[0]
    assert after == pytest.approx(0.3481, abs=5e-5)
    assert 1 / (1 + np.exp(-after)) == pytest.approx(0.5862, abs=5e-5)


def two_two_one(l2=0.0):
    hp = Hyperparameters(hidden=(2,), learning_rate=0.1, epochs=1, l2=l2, **SGD)
    group = Structure.of(hp, n_inputs=2, n_outputs=1, n_rows=1, loss="brier", dtype="float64")
    networks = [Network(hp, 0)]
    state = start(group, networks)
    hidden, output = weight_blocks(group, state.theta)
    hidden[0] = [[1.0, -4.0], [-2.0, 2.0], [5.0, 3.0]]
    output[0] = [[4.0], [2.0], [-1.0]]
    return group, networks, state


def test_forward_pass_of_a_2_2_1_network():
    group, _, state = two_two_one()
    workspace, z = Workspace(group, state.theta, None, 1), np.empty((1, 1, 1))
    workspace.forward(np.array([[3.0], [4.0], [1.0]]), z)
    np.testing.assert_allclose(workspace.dense[0].z[0, :, 0], [0.5, 0.2689], atol=5e-5)
    assert z[0, 0, 0] == pytest.approx(1.5379, abs=5e-5)
    assert 1 / (1 + np.exp(-z[0, 0, 0])) == pytest.approx(0.8232, abs=5e-5)


@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_deltas_of_a_2_2_1_network_with_and_without_weight_decay(decay):
    # Weight decay lambda of the lectures is the penalty lambda w^2, ours is l2 w^2 / 2.
    group, networks, state = two_two_one(l2=2 * decay)
    fold = Fold(np.array([[3.0, 4.0]]), np.array([0]))
    after, _ = train(group, networks, [fold], state, 1, order_seed=0)
    step, x, y = 0.1, np.array([3.0, 4.0]), 0.0
    h = np.array([0.5, 1 / (1 + np.e)])
    a = 1 / (1 + np.exp(-(4 * h[0] + 2 * h[1] - 1)))
    delta_output = -2 * (y - a) * a * (1 - a)
    delta_hidden = h * (1 - h) * np.array([4.0, 2.0]) * delta_output
    W, v = np.array([[1.0, -4.0], [-2.0, 2.0]]), np.array([4.0, 2.0])
    hidden, output = (block[0] for block in weight_blocks(group, after.theta))
    np.testing.assert_allclose(output[:-1, 0], v - step * delta_output * h - 2 * step * decay * v)
    np.testing.assert_allclose(output[-1, 0], -1 - step * delta_output)
    np.testing.assert_allclose(hidden[:-1], W - step * np.outer(x, delta_hidden) - 2 * step * decay * W)
    np.testing.assert_allclose(hidden[-1], np.array([5.0, 3.0]) - step * delta_hidden)


def test_equal_weights_stay_equal_for_ever():
    generator = np.random.default_rng(0)
    fold = Fold(generator.normal(size=(40, 3)), generator.integers(0, 2, 40))
    hp = Hyperparameters(hidden=(2,), activation="tanh", epochs=20, batch_size=8)
    group = Structure.of(hp, n_inputs=3, n_outputs=1, n_rows=40, loss="log_loss")
    networks = [Network(hp, 0)]
    state = start(group, networks)
    hidden, output = weight_blocks(group, state.theta)
    hidden[0, :, 1], output[0, 1] = hidden[0, :, 0], output[0, 0]
    begun = state.theta.copy()
    state, _ = train(group, networks, [fold], state, 20, order_seed=0)
    hidden, output = weight_blocks(group, state.theta)
    np.testing.assert_array_equal(hidden[0, :, 0], hidden[0, :, 1])
    assert output[0, 0] == output[0, 1]
    assert not np.allclose(begun, state.theta)


def test_a_hidden_layer_solves_xor_and_none_does_not():
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    fold, scores = Fold(X, np.array([0, 1, 1, 0])), {}
    for hidden in ((), (8,)):
        hp = Hyperparameters(hidden=hidden, activation="tanh", learning_rate=0.05, batch_size=4, epochs=300)
        group = Structure.of(hp, n_inputs=2, n_outputs=1, n_rows=4, loss="log_loss")
        networks = [Network(hp, seed) for seed in range(4)]
        state, curves = train(group, networks, [fold], start(group, networks), 300, order_seed=0)
        assert (state.status == FINISHED).all()
        scores[hidden] = curves.values["train_score"][:, -1]
    assert (scores[()] < 1).all()
    assert (scores[(8,)] == 1).all()


def test_one_unit_learns_nand():
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    hp = Hyperparameters(hidden=(), learning_rate=0.5, epochs=300, **SGD)
    group = Structure.of(hp, n_inputs=2, n_outputs=1, n_rows=4, loss="log_loss")
    _, curves = train(
        group, [Network(hp, 0)], [Fold(X, np.array([1, 1, 1, 0]))], start(group, [Network(hp, 0)]), 300, order_seed=0
    )
    assert curves.values["train_score"][0, -1] == 1


def digits():
    X, y = load_digits(return_X_y=True)
    return Fold(X[:600] / 16, y[:600], None, X[600:1000] / 16, y[600:1000], None)


def trained_as_one_stack(hps):
    """State and curves by network, after it is seen that a stack is what they are, and that each is the same alone."""
    fold = digits()
    group, *others = [Structure.of(hp, n_inputs=64, n_outputs=10, n_rows=600, loss="cross_entropy") for hp in hps]
    assert all(other == group for other in others)
    networks = [Network(hp, seed=0) for hp in hps]
    state, curves = train(group, networks, [fold], start(group, networks), hps[0].epochs, order_seed=0)
    for k in (0, len(hps) - 1):
        alone, _ = train(group, [networks[k]], [fold], start(group, [networks[k]]), hps[0].epochs, order_seed=0)
        np.testing.assert_array_equal(alone.theta[0], state.theta[k])
    return state, curves.values


def test_the_nine_runs_of_the_grid_are_one_stack():
    rates, decays = (0.005, 0.001, 0.0001), (0.0, 0.01, 0.1)
    grid = [(rate, decay) for rate in rates for decay in decays]
    hps = [
        Hyperparameters(hidden=(32,), optimizer="adamw", learning_rate=r, weight_decay=d, epochs=25) for r, d in grid
    ]
    state, curves = trained_as_one_stack(hps)
    assert (state.status == FINISHED).all()
    # The table of nine runs, grouped by learning rate, then by weight decay.
    loss = curves["train_loss"][:, -1].reshape(3, 3)
    assert (np.diff(loss[:, 0]) > 0).all(), "a smaller rate is slower"
    size = np.linalg.norm(state.theta, axis=1).reshape(3, 3)
    assert (np.diff(size, axis=1) < 0).all(), "a larger decay leaves smaller weights"
    assert (curves["val_score"][:, -1].reshape(3, 3)[0] > 0.88).all()


def test_the_practical_test_of_three_rates_is_one_stack():
    hps = [
        Hyperparameters(
            hidden=(32,),
            optimizer="sgd",
            learning_rate=rate,
            momentum=0.0,
            nesterov=False,
            schedule="inverse_time",
            decay=1e-6,
            epochs=25,
        )
        for rate in (1.0, 0.1, 0.01)
    ]
    state, curves = trained_as_one_stack(hps)
    assert (state.status == FINISHED).all()
    loss = curves["train_loss"]
    assert loss[2, -1] > 5 * loss[1, -1], "the small rate is slow"
    assert (np.diff(loss[2]) < 0).all()
    assert np.diff(loss[0]).max() > 0, "the large rate jumps"
