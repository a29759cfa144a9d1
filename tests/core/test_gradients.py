"""Gradients against finite differences of an independent forward pass, in float64, along a random direction."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from mlptune.core.activations import ACTIVATIONS
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.layers import Dense
from mlptune.core.losses import LOSSES
from mlptune.core.network import Workspace, outputs, structure, weight_blocks, with_ones
from mlptune.core.training import Fold, Network, start, train

FORMULAS = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
}


def forward(blocks, activation, X):
    """Output sums (n, o), written row by row as in a textbook."""
    a = X
    for i, W in enumerate(blocks):
        z = a @ W[:-1] + W[-1]
        a = FORMULAS[activation](z) if i < len(blocks) - 1 else z
    return a


def loss_of(name, z, y, smoothing):
    """Loss by row."""
    if name == "cross_entropy":
        classes = z.shape[1]
        target = (1 - smoothing) * np.eye(classes)[y] + smoothing / classes
        return -(target * log_softmax(z, axis=1)).sum(axis=1)
    if name == "log_loss":
        target = y * (1 - smoothing) + smoothing / 2
        return -(target * np.log(expit(z[:, 0])) + (1 - target) * np.log(expit(-z[:, 0])))
    if name == "brier":
        return (expit(z[:, 0]) - y) ** 2
    return ((z - y) ** 2).mean(axis=1)


def blocks_of(group, theta):
    return [block[0] for block in weight_blocks(group, theta[None])]


CASES = [
    *[(name, "cross_entropy", {}, False) for name in ACTIVATIONS],
    *[("tanh", name, {}, False) for name in LOSSES],
    ("tanh", "cross_entropy", {"l2": 0.3}, False),
    ("tanh", "squared_error", {"l1": 0.2}, False),
    ("logistic", "log_loss", {"l1": 0.1, "l2": 0.1}, True),
    ("tanh", "cross_entropy", {"label_smoothing": 0.2}, True),
    ("tanh", "log_loss", {"label_smoothing": 0.2}, False),
    ("relu", "squared_error", {"hidden": ()}, True),
    ("tanh", "cross_entropy", {"hidden": (4,)}, True),
]


@pytest.mark.parametrize(("activation", "loss", "extra", "weighted"), CASES)
def test_a_plain_step_follows_the_slope(activation, loss, extra, weighted):
    generator = np.random.default_rng(1)
    n, d, o = 23, 5, {"cross_entropy": 3, "squared_error": 2}.get(loss, 1)
    X = generator.normal(size=(n, d))
    y = generator.normal(size=(n, o)) if loss == "squared_error" else generator.integers(0, max(2, o), n)
    weight = generator.uniform(0.1, 3.0, n) if weighted else np.ones(n)
    settings = {"hidden": (7, 6), "activation": activation, **extra}
    hp = Hyperparameters(**settings, optimizer="sgd", learning_rate=1.0, batch_size=n, epochs=1)
    group = structure(hp, n_inputs=d, n_outputs=o, n_rows=n, loss=loss, dtype="float64")
    network = Network(hp, seed=5)
    state = start(group, [network])
    state.theta += 0.3 * generator.normal(size=state.theta.shape)
    theta = state.theta[0].copy()
    after, _ = train(group, [network], [Fold(X, y, weight)], state, 1, order_seed=0)
    gradient = theta - after.theta[0]

    def objective(vector):
        blocks = blocks_of(group, vector)
        rows = loss_of(loss, forward(blocks, group.activation, X), y, hp.label_smoothing)
        penalty = sum(0.5 * hp.l2 * (W[:-1] ** 2).sum() + hp.l1 * np.abs(W[:-1]).sum() for W in blocks)
        return np.average(rows, weights=weight) + penalty

    for _ in range(3):
        direction = generator.normal(size=theta.shape)
        direction /= np.linalg.norm(direction)
        h = 1e-5
        slope = (objective(theta + h * direction) - objective(theta - h * direction)) / (2 * h)
        assert abs(gradient @ direction - slope) <= 1e-6 * max(abs(slope), 1e-2)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_gradients_through_dropout(activation):
    generator = np.random.default_rng(2)
    hp = Hyperparameters(hidden=(6, 5), activation=activation, dropout=0.5)
    group = structure(hp, n_inputs=4, n_outputs=3, n_rows=9, loss="cross_entropy", dtype="float64")
    theta = start(group, [Network(hp, seed) for seed in range(2)]).theta
    # Without biases a row whose units are all dropped would sit on the rectifier's kink.
    theta += 0.1 * generator.normal(size=theta.shape)
    masks = [generator.integers(0, 2, size=(2, size, 9)) * 2.0 for size in hp.hidden]
    X, gradient, z = generator.normal(size=(9, 4)), np.empty_like(theta), np.empty((2, 3, 9))
    coefficients = generator.normal(size=z.shape)
    workspace = Workspace(group, theta, gradient, 9, masks)
    workspace.forward(with_ones(X, "float64").T, z)
    workspace.last.delta[:] = coefficients
    workspace.backward()
    for k in range(2):
        direction = generator.normal(size=theta[k].shape)

        def value(vector, k=k):
            blocks, a = blocks_of(group, vector), X
            for i, W in enumerate(blocks):
                sums = a @ W[:-1] + W[-1]
                a = FORMULAS[activation](sums) * masks[i][k].T if i < 2 else sums
            return (coefficients[k].T * a).sum()

        h = 1e-6
        slope = (value(theta[k] + h * direction) - value(theta[k] - h * direction)) / (2 * h)
        np.testing.assert_allclose(gradient[k] @ direction, slope, rtol=1e-6)


@pytest.mark.parametrize(("loss", "o"), [("cross_entropy", 4), ("log_loss", 1), ("squared_error", 2)])
def test_outputs_are_the_textbook_forward_pass(loss, o):
    hp = Hyperparameters(hidden=(9,), activation="tanh")
    group = structure(hp, n_inputs=3, n_outputs=o, n_rows=9, loss=loss, dtype="float64")
    theta = start(group, [Network(hp, seed) for seed in range(3)]).theta
    X = np.random.default_rng(0).normal(size=(2500, 3))
    link = {"cross_entropy": lambda z: softmax(z, axis=1), "log_loss": expit, "squared_error": lambda z: z}[loss]
    expected = [link(forward(blocks_of(group, row), "tanh", X)) for row in theta]
    result = outputs(group, theta, np.empty((3, 0)), X)
    np.testing.assert_allclose(result, expected, atol=1e-12)
    each_its_own = outputs(group, theta, np.empty((3, 0)), np.stack([X, X, X]))
    np.testing.assert_array_equal(each_its_own, result)


def test_extreme_sums_give_finite_losses_and_gradients():
    z = np.array([[[1e4, -1e4], [-1e4, 1e4], [0.0, 0.0]]])
    target = np.array([[[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]])
    delta, row = np.empty_like(z), np.empty((1, 1, 2))
    LOSSES["cross_entropy"].gradient(z, target / 2, np.full((1, 1, 2), 0.5), delta, row)
    np.testing.assert_allclose(delta, [[[0.5, 0.0], [-0.5, 0.0], [0.0, 0.0]]])
    np.testing.assert_allclose(LOSSES["cross_entropy"].values(z, target), [[2e4, 0.0]])
    np.testing.assert_allclose(LOSSES["log_loss"].values(z[:, :1], target[:, 1:2]), [[0.0, 1e4]])


def test_vanishing_gradients_in_a_chain_of_logistic_units_but_not_of_rectifiers():
    # Weights 1: each logistic unit passes on at most a quarter of the slope, a rectifier on its active side all of it.
    depth = 6
    sizes = {}
    for activation in ("logistic", "relu"):
        hp = Hyperparameters(hidden=(1,) * depth, activation=activation, init="zeros")
        group = structure(hp, n_inputs=1, n_outputs=1, n_rows=1, loss="squared_error", dtype="float64")
        theta = start(group, [Network(hp, 0)]).theta
        for W in weight_blocks(group, theta):
            W[:, 0] = 1.0
        gradient, z = np.empty_like(theta), np.empty((1, 1, 1))
        workspace = Workspace(group, theta, gradient, 1)
        workspace.forward(np.ones((2, 1)), z)
        workspace.last.delta[:] = 1.0
        workspace.backward()
        sizes[activation] = [abs(block[0, -1, 0]) for block in weight_blocks(group, gradient)]
    for below, above in zip(sizes["logistic"], sizes["logistic"][1:], strict=False):
        assert below <= above / 4
    np.testing.assert_array_equal(sizes["relu"], 1.0)


def test_a_layer_counts_its_parameters_with_the_bias():
    assert Dense(3, 4, "relu").n_parameters == 16
