"""The embedding of bins: its formula, its gradient, and the same numbers alone or stacked."""

import numpy as np
import pytest

from mlptune.core.binning import encode_bins, fit_bins
from mlptune.core.estimators import MLPRegressor
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.layers.ple import PLE
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import outputs
from tests.support.slopes import assert_gradients_follow_the_slope

N, D = 40, 3


def uniform(random, shape):
    return random.uniform(size=shape)


def group_of(hp, n_outputs=2, n_inputs=D, n_rows=N, dtype="float64"):
    return Structure.of(hp, n_inputs=n_inputs, n_outputs=n_outputs, n_rows=n_rows, loss="squared_error", dtype=dtype)


def rows():
    generator = np.random.default_rng(0)
    return generator.lognormal(size=(60, D)), generator.normal(size=(60, 2))


@pytest.mark.parametrize("bins", [2, 8, 30])
def test_it_is_its_formula(bins):
    X, y = rows()
    hp = Hyperparameters(hidden=(), embedding="ple", embedding_bins=bins, epochs=2)
    group, networks = group_of(hp), [Network(hp, 0)]
    state, _ = train(group, networks, [Fold(X[:N], y[:N])], start(group, networks), 2, order_seed=0)
    np.testing.assert_array_equal(state.buffers[0], fit_bins(X[:N], bins))
    encoded = encode_bins(state.buffers[0], X).reshape(60, D, bins)
    v = state.theta[0, : PLE(D, bins).n_parameters].reshape(D, bins + 1, 8)
    features = [np.maximum(encoded[:, j] @ v[j, :-1] + v[j, -1], 0.0) for j in range(D)]
    W = weight_blocks(group, state.theta)[0][0]
    expected = np.hstack(features) @ W[:-1] + W[-1]
    np.testing.assert_allclose(outputs(group, state.theta, state.buffers, X)[0], expected, rtol=1e-9)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    "change", [{}, {"feature_scale": True, "batch_norm": True}, {"hidden": ()}, {"embedding_bins": 2}]
)
def test_gradients_follow_the_slope(change, shared):
    hp = Hyperparameters(**{"hidden": (7,), "activation": "tanh", "embedding": "ple", "embedding_bins": 5} | change)
    assert_gradients_follow_the_slope(group_of(hp), hp, uniform, shared=shared, rows=N)


@pytest.mark.parametrize("embedding", ["piecewise", "ple"])
def test_more_bins_bend_more_sharply(embedding):
    x = np.linspace(-1.0, 1.0, 400)[:, None]
    y = np.sin(12.0 * x)
    losses = {}
    for bins in (2, 32):
        hp = Hyperparameters(hidden=(), epochs=60, learning_rate=0.02, embedding=embedding, embedding_bins=bins)
        group, networks = group_of(hp, n_outputs=1, n_inputs=1, n_rows=400), [Network(hp, 0)]
        _, curves = train(group, networks, [Fold(x, y)], start(group, networks), 60, order_seed=0)
        losses[bins] = curves.values["train_loss"][0, -1]
    assert losses[32] < 0.05 * losses[2]


def test_the_number_of_bins_is_structure_where_there_are_bins():
    def structure(**settings):
        return group_of(Hyperparameters(**settings))

    assert structure(embedding_bins=20) == structure()
    assert structure(embedding="ple", embedding_bins=20) != structure(embedding="ple")
    assert structure(embedding="piecewise", embedding_bins=20).n_encoded == 20 * D
    with pytest.raises(ValueError, match="embedding_bins must be a whole number at least 2 and at most 128, got 1"):
        structure(embedding_bins=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [1, 7])
def test_alone_is_stacked_bit_for_bit(dtype, batch_size):
    X, y = rows()
    folds = [Fold(X[:N], y[:N]), Fold(X[20:], y[20:])]
    hp = Hyperparameters(hidden=(6,), epochs=3, batch_size=batch_size, embedding="ple", embedding_bins=11)
    group = group_of(hp, dtype=dtype)
    networks = [Network(hp, seed, fold) for seed in (0, 1) for fold in (0, 1)]
    stacked, _ = train(group, networks, folds, start(group, networks), 3, order_seed=0)
    for k, network in enumerate(networks):
        alone, _ = train(group, [network], folds, start(group, [network]), 3, order_seed=0)
        assert alone.theta.tobytes() == stacked.theta[k].tobytes()


def test_partial_fit_keeps_its_bins():
    X, y = rows()
    model = MLPRegressor(embedding="ple", random_state=0).partial_fit(X, y).partial_fit(X[:N], y[:N])
    with pytest.raises(ValueError, match="embedding, optimizer and whether ema is 0 must stay as they were"):
        model.set_params(embedding_bins=9).partial_fit(X, y)
