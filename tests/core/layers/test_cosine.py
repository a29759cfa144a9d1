"""The cosine embedding: its formula, its gradient, its silent start, and the same numbers alone or stacked."""

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.layers.cosine import Cosine
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import outputs
from tests.support.slopes import assert_gradients_follow_the_slope

N, D = 40, 3


def normal(random, shape):
    return random.normal(size=shape)


def group_of(hp, n_outputs=2, n_inputs=D, n_rows=N, dtype="float64"):
    return Structure.of(hp, n_inputs=n_inputs, n_outputs=n_outputs, n_rows=n_rows, loss="squared_error", dtype=dtype)


def test_it_is_its_formula():
    generator = np.random.default_rng(0)
    group = group_of(Hyperparameters(hidden=(), embedding="cosine"), n_outputs=1)
    theta, X = generator.normal(size=(1, group.n_parameters)), generator.normal(size=(9, D))
    w, b, scale, shift = theta[0, : Cosine(D).n_parameters].reshape(4, D, 16)
    features = []
    for j in range(D):
        features += [*(scale[j] * np.cos(2 * np.pi * (np.outer(X[:, j], w[j]) + b[j])) + shift[j]).T, X[:, j]]
    W = weight_blocks(group, theta)[0][0]
    expected = np.array(features).T @ W[:-1] + W[-1]
    np.testing.assert_allclose(outputs(group, theta, np.empty((1, 0)), X)[0], expected, rtol=1e-9)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("change", [{}, {"feature_scale": True, "batch_norm": True}, {"hidden": ()}])
def test_gradients_follow_the_slope(change, shared):
    hp = Hyperparameters(
        **{"hidden": (7,), "activation": "tanh", "embedding": "cosine", "embedding_sigma": 0.5} | change
    )
    assert_gradients_follow_the_slope(group_of(hp), hp, normal, shared=shared, rows=N, rtol=1e-6)


def test_a_network_begins_with_its_inputs_alone():
    hp = Hyperparameters(hidden=(), embedding="cosine")
    group = group_of(hp)
    state = start(group, [Network(hp, 0)])
    w, b, scale, shift = Cosine(D).blocks(state.theta[:, : Cosine(D).n_parameters])
    assert (scale == 0).all()
    assert (shift == 0).all()
    assert ((b >= 0) & (b < 1)).all()
    assert 0.05 < w.std() < 0.2
    X = np.random.default_rng(0).normal(size=(9, D))
    W = weight_blocks(group, state.theta)[0][0].reshape(-1, 2)[16::17]
    np.testing.assert_allclose(outputs(group, state.theta, state.buffers, X)[0], X @ W[:D], rtol=1e-9)


def test_it_bends_where_a_line_cannot():
    x = np.linspace(-1.0, 1.0, 200)[:, None]
    losses = {}
    for embedding in ("none", "cosine"):
        hp = Hyperparameters(hidden=(), epochs=200, learning_rate=0.02, embedding_sigma=0.5, embedding=embedding)
        group, networks = group_of(hp, n_outputs=1, n_inputs=1, n_rows=200), [Network(hp, 0)]
        _, curves = train(group, networks, [Fold(x, np.abs(x))], start(group, networks), 200, order_seed=0)
        losses[embedding] = curves.values["train_loss"][0, -1]
    assert losses["cosine"] < 0.1 * losses["none"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_alone_is_stacked_bit_for_bit(dtype):
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(60, D)), generator.normal(size=(60, 2))
    folds = [Fold(X[:N], y[:N]), Fold(X[20:], y[20:])]
    hp = Hyperparameters(hidden=(6,), epochs=3, batch_size=7, embedding="cosine")
    group = group_of(hp, dtype=dtype)
    networks = [Network(hp, seed, fold) for seed in (0, 1) for fold in (0, 1)]
    stacked, _ = train(group, networks, folds, start(group, networks), 3, order_seed=0)
    for k, network in enumerate(networks):
        alone, _ = train(group, [network], folds, start(group, [network]), 3, order_seed=0)
        assert alone.theta.tobytes() == stacked.theta[k].tobytes()
