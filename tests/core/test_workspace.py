"""The passes over a stack: any architecture against finite differences of a textbook's forward pass, and torch."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.inputs import with_ones
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import Workspace, outputs, outputs_by_row
from tests.support.formulas import FORMULAS
from tests.support.stacks import TRAINABLE
from tests.support.tables import group_of, table

from .reference.steps import thirty_steps_equal_torch

N, D, C = 13, 4, 3


def normalised(z, kind):
    axis = {"batch": 0, "layer": 1}[kind]
    return (z - z.mean(axis=axis, keepdims=True)) / np.sqrt(z.var(axis=axis, keepdims=True) + 1e-5)


def forward(group, vector, X, masks=None):
    """Output sums (n, o) with the statistics of these rows, and on which side of every kink the network is."""
    a, kinks = X, []
    spans = group.offsets
    for i, (layer, W) in enumerate(zip(group.layers, weight_blocks(group, vector[None]), strict=True)):
        W, b, x = W[0, :-1], W[0, -1], a
        z = x @ W
        if layer.norm != "none":
            z = vector[spans[i][1] - layer.n_out : spans[i][1]] * normalised(z, layer.norm)
        z = z + b
        if i == len(group.hidden):
            return z, np.concatenate(kinks)
        kinks.append((z[:, : z.shape[1] // 2] - z[:, z.shape[1] // 2 :] if layer.activation == "maxout" else z).ravel())
        a = FORMULAS[layer.activation](z)
        if masks is not None:
            a = a * masks[i].T
        if group.by_layer(group.skip)[i]:
            shortcut = np.zeros_like(a)
            n = min(x.shape[1], a.shape[1])
            shortcut[:, :n] = x[:, :n]
            a = a + shortcut
    raise AssertionError


@st.composite
def architectures(draw):
    hidden = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))

    def each(values):
        return draw(st.lists(values, min_size=len(hidden), max_size=len(hidden)))

    norms = each(st.sampled_from(["none", "batch", "layer"]))
    return Hyperparameters(
        hidden=hidden,
        activation=each(st.sampled_from(TRAINABLE)),
        batch_norm=[norm == "batch" for norm in norms],
        layer_norm=[norm == "layer" for norm in norms],
        skip=each(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.5])),
    )


@settings(max_examples=50)
@given(architectures(), st.integers(0, 2**16))
def test_gradients_follow_the_slope_whatever_the_layers_are(hp, seed):
    generator = np.random.default_rng(seed)
    group = Structure.of(hp, n_inputs=D, n_outputs=C, n_rows=N, loss="cross_entropy", dtype="float64")
    theta = start(group, [Network(hp, 0), Network(hp, 1)]).theta
    theta += 0.3 * generator.normal(size=theta.shape)
    masks = [generator.integers(0, 2, size=(2, size, N)) * 2.0 for size in hp.hidden] if hp.dropout else []
    X, gradient, z = generator.normal(size=(N, D)), np.empty_like(theta), np.empty((2, C, N))
    workspace = Workspace(group, theta, gradient, N, masks)
    workspace.forward(with_ones(X, "float64").T, z)
    coefficients = generator.normal(size=z.shape)
    workspace.last.delta[:] = coefficients
    workspace.backward()
    checked, h = 0, 1e-6
    for k, vector in enumerate(theta):
        own = [mask[k] for mask in masks] if masks else None
        np.testing.assert_allclose(z[k].T, forward(group, vector, X, own)[0], rtol=1e-9, atol=1e-9)
        for _ in range(8):
            direction = generator.normal(size=vector.shape)
            direction /= np.linalg.norm(direction)
            (ahead, sides), (behind, others) = (forward(group, vector + s * h * direction, X, own) for s in (1, -1))
            if np.array_equal(sides > 0, others > 0):
                slope = (coefficients[k].T * (ahead - behind)).sum() / (2 * h)
                assert abs(gradient[k] @ direction - slope) <= 1e-5 * (abs(slope) + np.linalg.norm(gradient[k]))
                checked += 1
    assume(checked)


def test_thirty_steps_of_mixed_layers_equal_torch():
    thirty_steps_equal_torch("mixed")


def test_networks_of_other_folds_predict_by_their_own_scaling():
    X, y = table()
    hp = Hyperparameters(hidden=(6,), epochs=2, scaling="robust", target_scaling=True)
    folds = [Fold(X[:30], y[:30]), Fold(X[10:], y[10:])]
    group, networks = group_of(hp, n_rows=30), [Network(hp, 0, fold=f) for f in (0, 1)]
    state, _ = train(group, networks, folds, start(group, networks), 2, order_seed=0)
    assert (state.buffers[0] != state.buffers[1]).any()
    together = outputs(group, state.theta, state.buffers, X)
    for k in range(2):
        np.testing.assert_array_equal(together[k], outputs(group, state.theta[[k]], state.buffers[[k]], X)[0])
    with pytest.raises(ValueError, match=r"^buffers must have the structure's shape \(2, 14\), got \(2, 0\)$"):
        outputs(group, state.theta, state.buffers[:, :0], X)


@settings(max_examples=60)
@given(
    architectures(),
    st.sampled_from(["none", "plr", "periodic", "cosine", "ple"]),
    st.sampled_from(["robust", "quantile", "none"]),
    st.integers(1, 40),
    st.sampled_from([1, 20, 70]),
    st.data(),
)
def test_a_row_gets_the_same_bits_in_any_company_and_place(hp, embedding, scaling, n_inputs, wide, data):
    generator = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    hidden = [wide * units for units in hp.hidden]
    hp = replace(hp, hidden=hidden, embedding=embedding, scaling=scaling, epochs=1, dropout=0.0)
    X = generator.normal(size=(90, n_inputs)).astype(np.float32)
    group = group_of(hp, n_inputs, 60, C, "cross_entropy", "float32")
    networks = [Network(hp, 0), Network(hp, 1)]
    fold = Fold(X[:60], generator.integers(0, C, 60))
    state, _ = train(group, networks, [fold], start(group, networks), 1, order_seed=0)
    together = outputs_by_row(group, state.theta, state.buffers, X)
    np.testing.assert_allclose(together, outputs(group, state.theta, state.buffers, X), rtol=1e-4, atol=1e-5)
    order = np.array(data.draw(st.permutations(range(90))))
    for rows in np.split(order, sorted(data.draw(st.lists(st.integers(1, 89), max_size=4)))):
        alone = outputs_by_row(group, state.theta, state.buffers, X[rows])
        np.testing.assert_array_equal(alone, together[:, rows])
    assert outputs_by_row(group, state.theta, state.buffers, X[:0]).shape == (2, 0, C)
