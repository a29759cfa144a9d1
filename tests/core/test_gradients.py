"""Gradients against finite differences of an independent forward pass, in float64, along a random direction."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, log_softmax, softmax

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.inputs import with_ones
from mlptune.core.losses import LOSSES
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import Workspace, outputs
from tests.support.formulas import FORMULAS
from tests.support.stacks import TRAINABLE


def test_every_activation_has_a_formula():
    assert sorted(FORMULAS) == TRAINABLE


def forward(blocks, activation, X):
    """Output sums (n, o), written row by row as in a textbook."""
    a = X
    for i, W in enumerate(blocks):
        z = a @ W[:-1] + W[-1]
        a = FORMULAS[activation](z) if i < len(blocks) - 1 else z
    return a


def loss_of(name, z, y, smoothing):
    """Loss by row."""
    if name == "squared_error":
        return ((z - y) ** 2).mean(axis=1)
    o = z.shape[1]
    target = (1 - smoothing) * (np.eye(o)[y] if o > 1 else y[:, None]) + smoothing / max(o, 2)
    if name == "cross_entropy":
        return -(target * log_softmax(z, axis=1)).sum(axis=1)
    if name == "log_loss":
        return -(target * log_expit(z) + (1 - target) * log_expit(-z)).sum(axis=1)
    if name == "brier":
        return (((expit(z) if o == 1 else softmax(z, axis=1)) - target) ** 2).sum(axis=1)
    return (np.where(z > 0, z, 0.0) - target * z).sum(axis=1)


def blocks_of(group, theta):
    return [block[0] for block in weight_blocks(group, theta[None])]


def sides(blocks, activation, X):
    """On which side of every kink (of activations, perceptron loss and L1) the network is."""
    found, a = [np.concatenate([W.ravel() for W in blocks])], X
    for i, W in enumerate(blocks):
        z = a @ W[:-1] + W[-1]
        a = FORMULAS[activation](z) if i < len(blocks) - 1 else z
        first, second = np.split(z, 2, axis=1) if activation == "maxout" and i < len(blocks) - 1 else (z, 0.0)
        found.append((first - second).ravel())
    return np.concatenate(found) > 0


OUTPUTS = [
    ("cross_entropy", 3),
    ("log_loss", 1),
    ("brier", 1),
    ("brier", 3),
    ("perceptron", 1),
    ("perceptron", 3),
    ("squared_error", 2),
]
PENALTIES = [{}, {"l1": 0.2}, {"l2": 0.3}, {"l1": 0.1, "l2": 0.1}]
CASES = [
    *[(name, *output, penalty) for name in TRAINABLE for output in OUTPUTS for penalty in PENALTIES],
    *[("relu", *output, {"hidden": ()}) for output in OUTPUTS],
    *[("tanh", *output, {"hidden": (4,)}) for output in OUTPUTS],
    *[("tanh", *output, {"label_smoothing": 0.2}) for output in OUTPUTS if output[0] != "perceptron"],
]


def test_every_loss_has_a_case():
    assert {loss for loss, _ in OUTPUTS} == set(LOSSES)


@pytest.mark.parametrize(("activation", "loss", "o", "extra"), CASES)
def test_a_plain_step_follows_the_slope(activation, loss, o, extra):
    generator = np.random.default_rng(1)
    n, d = 23, 5
    X = generator.normal(size=(n, d))
    y = generator.normal(size=(n, o)) if loss == "squared_error" else generator.integers(0, max(2, o), n)
    weight = generator.uniform(0.1, 3.0, n) if extra else np.ones(n)
    settings = {"hidden": (7, 6), "activation": activation, **extra}
    hp = Hyperparameters(**settings, optimizer="sgd", learning_rate=1.0, batch_size=n, epochs=1)
    group = Structure.of(hp, n_inputs=d, n_outputs=o, n_rows=n, loss=loss, dtype="float64")
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

    checked, h = 0, 1e-5
    for _ in range(50):
        direction = generator.normal(size=theta.shape)
        direction /= np.linalg.norm(direction)
        ends = theta + h * direction, theta - h * direction
        slope = (objective(ends[0]) - objective(ends[1])) / (2 * h)
        on_one_side = np.array_equal(*(sides(blocks_of(group, end), group.activation, X) for end in ends))
        # A slope near 0 has no relative error to speak of.
        if on_one_side and abs(slope) > 1e-3:
            assert abs(gradient @ direction - slope) <= 1e-6 * abs(slope)
            checked += 1
        if checked == 3:
            return
    raise AssertionError("no direction without a kink was found")


@pytest.mark.parametrize("activation", TRAINABLE)
def test_gradients_through_dropout(activation):
    generator = np.random.default_rng(2)
    hp = Hyperparameters(hidden=(6, 5), activation=activation, dropout=0.5)
    group = Structure.of(hp, n_inputs=4, n_outputs=3, n_rows=9, loss="cross_entropy", dtype="float64")
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
    group = Structure.of(hp, n_inputs=3, n_outputs=o, n_rows=9, loss=loss, dtype="float64")
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
    delta, kept = np.empty_like(z), np.empty((3, 1, 1, 2))
    LOSSES["cross_entropy"].gradient(z, target / 2, np.full((1, 1, 2), 0.5), delta, kept)
    np.testing.assert_allclose(delta, [[[0.5, 0.0], [-0.5, 0.0], [0.0, 0.0]]])
    np.testing.assert_allclose(LOSSES["cross_entropy"].values(z, target), [[2e4, 0.0]])
    np.testing.assert_allclose(LOSSES["log_loss"].values(z[:, :1], target[:, 1:2]), [[0.0, 1e4]])


def test_vanishing_gradients_in_a_chain_of_logistic_units_but_not_of_rectifiers():
    # Weights 1: each logistic unit passes on at most a quarter of the slope, a rectifier on its active side all of it.
    depth = 6
    sizes = {}
    for activation in ("logistic", "relu"):
        hp = Hyperparameters(hidden=(1,) * depth, activation=activation, init="zeros")
        group = Structure.of(hp, n_inputs=1, n_outputs=1, n_rows=1, loss="squared_error", dtype="float64")
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
