"""Initialisers: the spread that each promises, and what it is good for in deep networks."""

import numpy as np
import pytest

from mlptune.core.activations import ACTIVATIONS
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.initializers import INITIALIZERS, initializer
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train


def drawn(name, n_in, n_out, seed=0):
    return INITIALIZERS[name](np.random.default_rng(seed), n_in, n_out)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot", 2 / (300 + 200)),
        ("he", 2 / 300),
        ("lecun", 1 / 300),
        ("uniform", 0.1**2 / 12),
        ("orthogonal", 1 / 300),
    ],
)
def test_variances(name, variance):
    W = drawn(name, 300, 200)
    assert W.shape == (300, 200)
    assert np.var(W) == pytest.approx(variance, rel=0.02)
    assert abs(W.mean()) < 4 * np.sqrt(variance / W.size)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (1, 3), (3, 1)])
def test_orthogonal_rows_or_columns(shape):
    W = drawn("orthogonal", *shape)
    product = W.T @ W if shape[0] >= shape[1] else W @ W.T
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-12)


def test_orthogonal_matrices_have_no_preferred_sign():
    entries = [drawn("orthogonal", 1, 1, seed)[0, 0] for seed in range(40)]
    assert set(np.round(entries, 12)) == {-1.0, 1.0}


def test_auto_suits_the_activation():
    suited = {name: initializer("auto", activation.init) for name, activation in ACTIVATIONS.items()}
    he = {"relu", "leaky_relu", "elu", "gelu", "silu", "mish"}
    assert {name for name, chosen in suited.items() if chosen is INITIALIZERS["he"]} == he
    assert {name for name, chosen in suited.items() if chosen is INITIALIZERS["lecun"]} == {"selu", "maxout"}
    assert initializer("uniform", "he") is INITIALIZERS["uniform"]


def gradient_norms(activation, init, depth=8):
    """Lengths of the gradient by layer in the first epoch, the mean over three networks, on standardised inputs."""
    generator = np.random.default_rng(0)
    hp = Hyperparameters(hidden=(64,) * depth, activation=activation, init=init, epochs=1, learning_rate=1e-12)
    group = Structure.of(hp, n_inputs=64, n_outputs=10, n_rows=256, loss="cross_entropy", dtype="float64")
    networks = [Network(hp, seed) for seed in range(3)]
    fold = Fold(generator.normal(size=(256, 64)), generator.integers(0, 10, 256))
    _, curves = train(group, networks, [fold], start(group, networks), 1, order_seed=0, gradient_norms=True)
    return np.array([curves.values[f"grad_norm_{i + 1}"].mean() for i in range(depth + 1)])


def test_glorot_keeps_gradients_of_tanh_layers_alike_and_small_weights_lose_them():
    # Glorot & Bengio 2010, figure 7.
    glorot, small = gradient_norms("tanh", "glorot"), gradient_norms("tanh", "uniform")
    assert glorot[:-1].max() < 3 * glorot[:-1].min()
    assert small[0] < 1e-3 * small[-2]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "maxout"])
def test_auto_keeps_gradients_where_logistic_units_lose_them(activation):
    norms, logistic = gradient_norms(activation, "auto"), gradient_norms("logistic", "auto")
    assert norms[0] > 0.05 * norms[-2]
    assert logistic[0] < 1e-3 * logistic[-2]


def test_a_saturated_unit_learns_slowly():
    hp = Hyperparameters(hidden=(), epochs=1, optimizer="sgd", learning_rate=1.0, init="zeros")
    group = Structure.of(hp, n_inputs=1, n_outputs=1, n_rows=1, loss="brier", dtype="float64")
    networks = [Network(hp, 0), Network(hp, 0)]
    state = start(group, networks)
    weight_blocks(group, state.theta)[0][1] = 5.0
    after, _ = train(group, networks, [Fold(np.ones((1, 1)), np.array([0]))], state, 1, order_seed=0)
    moved = np.abs(after.theta - state.theta).max(axis=1)
    # Both are wrong, the second far more, and yet it hardly moves.
    assert moved[1] < 1e-3 * moved[0]


def test_zeros_never_separate():
    generator = np.random.default_rng(0)
    hp = Hyperparameters(hidden=(4,), activation="tanh", init="zeros", epochs=5)
    group = Structure.of(hp, n_inputs=3, n_outputs=1, n_rows=40, loss="log_loss")
    fold = Fold(generator.normal(size=(40, 3)), generator.integers(0, 2, 40))
    state, _ = train(group, [Network(hp, 0)], [fold], start(group, [Network(hp, 0)]), 5, order_seed=0)
    hidden, output = weight_blocks(group, state.theta)
    assert (hidden[0] == hidden[0, :, :1]).all()
    assert (output[0, :-1] == output[0, 0]).all()
