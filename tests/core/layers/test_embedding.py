"""Numeric embeddings and factors on features: gradients against finite differences, and the papers' formulas."""

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.inputs import with_ones
from mlptune.core.layers.embedding import PBLD, PLR
from mlptune.core.parameters import weight_blocks
from mlptune.core.training import Network, start
from mlptune.core.workspace import Workspace, outputs
from tests.support.tables import D, N, group_of


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {"embedding": "periodic"},
        {"embedding": "plr"},
        {"embedding": "plr", "feature_scale": True, "batch_norm": True},
        {"feature_scale": True},
        {"embedding": "periodic", "feature_scale": True},
        {"embedding": "periodic", "feature_scale": True, "batch_norm": True},
        {"embedding": "periodic", "feature_scale": True, "activation": "maxout", "layer_norm": True},
        {"feature_scale": True, "hidden": ()},
    ],
)
def test_gradients_follow_the_slope(change, shared):
    generator = np.random.default_rng(1)
    hp = Hyperparameters(**{"hidden": (7, 6), "activation": "tanh", "embedding_sigma": 0.5, **change})
    group = group_of(hp)
    theta = start(group, [Network(hp, seed) for seed in range(2)]).theta
    theta += 0.2 * generator.normal(size=theta.shape)
    gradient, z = np.empty_like(theta), np.empty((2, 2, N))
    coefficients = generator.normal(size=z.shape)
    X = generator.normal(size=(N, D) if shared else (2, N, D))
    rows = with_ones(X, "float64").swapaxes(-1, -2)
    workspace = Workspace(group, theta, gradient, N)
    workspace.forward(rows, z)
    workspace.last.delta[:] = coefficients
    workspace.backward()
    for _ in range(3):
        direction = generator.normal(size=theta.shape)
        h, values = 1e-6, []
        for sign in (1, -1):
            moved = Workspace(group, theta + sign * h * direction, np.empty_like(theta), N)
            moved.forward(rows, z)
            values.append((coefficients * z).sum(axis=(1, 2)))
        slopes = (values[0] - values[1]) / (2 * h)
        np.testing.assert_allclose((gradient * direction).sum(axis=1), slopes, rtol=1e-6, atol=1e-8)


def test_the_embedding_is_its_formula():
    generator = np.random.default_rng(0)
    hp = Hyperparameters(hidden=(), embedding="periodic", feature_scale=True)
    group = group_of(hp, n_outputs=1)
    theta = generator.normal(size=(1, group.n_parameters))
    X = generator.normal(size=(9, D))
    layer = PBLD(D)
    w, b, v = (block[0] for block in layer.blocks(theta[:, : layer.n_parameters]))
    features = []
    for j in range(D):
        waves = np.cos(2 * np.pi * np.outer(X[:, j], w[j]) + b[j, :, 0])
        features += [*(waves @ v[j, :-1] + v[j, -1]).T, X[:, j]]
    W, factors = weight_blocks(group, theta)[0][0], theta[0, -4 * D :]
    expected = (np.array(features).T * factors) @ W[:-1] + W[-1]
    np.testing.assert_allclose(outputs(group, theta, np.empty((1, 0)), X)[0], expected, rtol=1e-9)


def test_plr_is_its_formula():
    generator = np.random.default_rng(0)
    group = group_of(Hyperparameters(hidden=(), embedding="plr"), n_outputs=1)
    theta = generator.normal(size=(1, group.n_parameters))
    X = generator.normal(size=(9, D))
    layer = PLR(D)
    w, v = (block[0] for block in layer.blocks(theta[:, : layer.n_parameters]))
    features = []
    for j in range(D):
        angles = 2 * np.pi * np.outer(X[:, j], w[j])
        features.append(np.maximum(np.hstack([np.cos(angles), np.sin(angles)]) @ v[j, :-1] + v[j, -1], 0.0))
    W = weight_blocks(group, theta)[0][0]
    expected = np.hstack(features) @ W[:-1] + W[-1]
    np.testing.assert_allclose(outputs(group, theta, np.empty((1, 0)), X)[0], expected, rtol=1e-9)
