"""Choices by layer and shortcuts: gradients against finite differences of a textbook's forward pass, and torch."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mlptune.core.estimators import MLPClassifier
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.inputs import with_ones
from mlptune.core.parameters import n_parameters, offsets, weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import Workspace, outputs

from .reference import load, part
from .test_gradients import FORMULAS, TRAINABLE
from .test_stack import same_states

N, D, C = 13, 4, 3


def normalised(z, kind):
    axis = {"batch": 0, "layer": 1}[kind]
    return (z - z.mean(axis=axis, keepdims=True)) / np.sqrt(z.var(axis=axis, keepdims=True) + 1e-5)


def forward(group, vector, X, masks=None):
    """Output sums (n, o) with the statistics of these rows, and on which side of every kink the network is."""
    a, kinks = X, []
    spans = offsets(group)
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


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def test_shortcuts_of_a_network_by_hand():
    # 2-1-3 with identities: h = x1 + w x, cut off to one; out = (h, 0, 0) + v h.
    hp = Hyperparameters(hidden=(1, 3), activation="identity", skip=True)
    group = Structure.of(hp, n_inputs=2, n_outputs=1, n_rows=1, loss="squared_error", dtype="float64")
    theta = np.zeros((1, n_parameters(group)))
    first, second, last = weight_blocks(group, theta)
    first[0, :, 0] = 0.5, -1.0, 0.25
    second[0, 0] = 1.0, 2.0, 3.0
    last[0, :, 0] = 1.0, 10.0, 100.0, 0.0
    x1, x2 = 3.0, 4.0
    h = x1 + 0.5 * x1 - x2 + 0.25
    expected = (h + h) + 10 * 2 * h + 100 * 3 * h
    assert outputs(group, theta, np.empty((1, 0)), np.array([[x1, x2]])) == pytest.approx(expected)


def test_layers_that_say_nothing_leave_the_identity():
    # Weights of 0 before a tanh: deep shortcuts hand the input on as it is.
    hp = Hyperparameters(hidden=(3,) * 6, activation="tanh", skip=True)
    group = Structure.of(hp, n_inputs=3, n_outputs=3, n_rows=5, loss="squared_error", dtype="float64")
    theta = np.zeros((1, n_parameters(group)))
    weight_blocks(group, theta)[-1][0, :3] = np.eye(3)
    X = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(outputs(group, theta, np.empty((1, 0)), X)[0], X)


REFERENCE = load("layers")
MIXED = {name: value for name, value in REFERENCE["settings_json"]["mixed"].items() if name != "learning_rate"}


def thirty_steps_equal_torch(case):
    """Thirty steps of Adam from torch's start, and the predictions after them for other rows."""
    arrays = part(REFERENCE, case)
    X, y, before, after = arrays["X"], arrays["y"], part(arrays, "before"), part(arrays, "after")
    hp = Hyperparameters(**REFERENCE["settings_json"][case], epochs=30, batch_size=len(X))
    group = Structure.of(hp, n_inputs=X.shape[1], n_outputs=3, n_rows=len(X), loss="cross_entropy", dtype="float64")
    state = start(group, [Network(hp, 0)])
    for i, W in enumerate(weight_blocks(group, state.theta)):
        W[0, :-1], W[0, -1] = before[f"W{i}"], before[f"b{i}"]
    trained, _ = train(group, [Network(hp, 0)], [Fold(X, y)], state, 30, order_seed=0)
    spans = offsets(group)
    for i, (layer, W) in enumerate(zip(group.layers, weight_blocks(group, trained.theta), strict=True)):
        np.testing.assert_allclose(W[0, :-1], after[f"W{i}"], rtol=1e-7, atol=1e-8)
        if layer.norm != "none":
            gains = trained.theta[0, spans[i][1] - layer.n_out : spans[i][1]]
            np.testing.assert_allclose(gains, after[f"gain{i}"], rtol=1e-7)
        np.testing.assert_allclose(W[0, -1], after[f"b{i}"], rtol=1e-7, atol=1e-8)
    predicted = outputs(group, trained.theta, trained.buffers, arrays["other"])[0]
    np.testing.assert_allclose(predicted, arrays["predicted"], atol=1e-8)


def test_thirty_steps_of_mixed_layers_equal_torch():
    thirty_steps_equal_torch("mixed")


def test_estimators_take_lists_and_json_lists():
    X, y = np.random.default_rng(0).normal(size=(60, D)), np.arange(60) % C
    config = json.loads(json.dumps(Hyperparameters(**MIXED, epochs=4).as_config()))
    model = MLPClassifier(**config, random_state=0).fit(X, y)
    stepwise = MLPClassifier(**MIXED, epochs=4, random_state=0)
    for _ in range(4):
        stepwise.partial_fit(X, y, classes=range(C))
    np.testing.assert_array_equal(model.predict_proba(X), stepwise.predict_proba(X))
    with pytest.raises(ValueError, match="must stay as they were"):
        stepwise.set_params(skip=False).partial_fit(X, y)


def test_a_list_of_equal_values_trains_like_the_one_value():
    X, y = np.random.default_rng(0).normal(size=(60, D)), np.arange(60) % C
    states = []
    for values in ({"activation": "tanh", "skip": True}, {"activation": ["tanh"] * 2, "skip": [True] * 2}):
        hp = Hyperparameters(hidden=(6, 5), epochs=3, **values)
        group = Structure.of(hp, n_inputs=D, n_outputs=C, n_rows=60, loss="cross_entropy")
        states.append(train(group, [Network(hp, 0)], [Fold(X, y)], start(group, [Network(hp, 0)]), 3, order_seed=0)[0])
    same_states(*states)
