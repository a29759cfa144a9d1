"""The perceptron: threshold units, circuits of them, Rosenblatt's rule, and what it can and cannot learn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from mlptune.core.estimators import MLPClassifier, MLPRegressor
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import FINISHED, Fold, Network, start, train
from mlptune.core.workspace import outputs

RULE = {"hidden": (), "activation": "threshold", "optimizer": "sgd", "learning_rate": 1.0, "batch_size": 1}
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
NAND = [-2.0, -2.0, 3.0]


def predicted(group, theta, X):
    return outputs(group, theta, np.empty((len(theta), 0)), X)[0, :, 0]


def single_unit(n_inputs, n_rows, **extra):
    hp = Hyperparameters(**{**RULE, **extra})
    return hp, Structure.of(hp, n_inputs=n_inputs, n_outputs=1, n_rows=n_rows, loss="log_loss", dtype="float64")


def test_nand_from_given_weights():
    _, group = single_unit(2, 4)
    np.testing.assert_array_equal(predicted(group, np.array([NAND]), CORNERS), [1, 1, 1, 0])


def circuit_network(n_inputs, gates):
    """A network of threshold units that computes NAND gates, each of two earlier wires: one layer a gate.

    A layer hands every wire on by a unit of weight 2 and bias -1, and adds its gate; the output unit shows the last.
    """
    hp = Hyperparameters(hidden=tuple(n_inputs + i + 1 for i in range(len(gates))), activation="tanh", init="zeros")
    group = Structure.of(hp, n_inputs=n_inputs, n_outputs=1, n_rows=1, loss="log_loss", dtype="float64")
    theta = start(group, [Network(hp, 0)]).theta
    *layers, output = weight_blocks(group, theta)
    for W, (a, b) in zip(layers, gates, strict=True):
        n = W.shape[1] - 1
        W[0, np.arange(n), np.arange(n)] = 2.0
        W[0, n, :n] = -1.0
        W[0, a, n] += NAND[0]
        W[0, b, n] += NAND[1]
        W[0, n, n] = NAND[2]
    output[0, -2:, 0] = 2.0, -1.0
    return replace(group, activation="threshold", loss="perceptron"), theta


def test_xor_from_four_nands():
    group, theta = circuit_network(2, [(0, 1), (0, 2), (1, 2), (3, 4)])
    np.testing.assert_array_equal(predicted(group, theta, CORNERS), [0, 1, 1, 0])


@settings(max_examples=50)
@given(st.integers(1, 4), st.integers(1, 8), st.data())
def test_any_circuit_of_nands_is_a_network(n_inputs, n_gates, data):
    gates = [tuple(data.draw(st.integers(0, n_inputs + i - 1)) for _ in range(2)) for i in range(n_gates)]
    X = (np.arange(2**n_inputs)[:, None] >> np.arange(n_inputs)) & 1
    wires = [X[:, i].astype(bool) for i in range(n_inputs)]
    for a, b in gates:
        wires.append(~(wires[a] & wires[b]))
    group, theta = circuit_network(n_inputs, gates)
    np.testing.assert_array_equal(predicted(group, theta, X), wires[-1])


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("bias", [-1.0, 0.0, 1.0])
def test_one_step_is_rosenblatts_rule(label, bias):
    hp, group = single_unit(2, 1, learning_rate=0.5, epochs=1)
    state = start(group, [Network(hp, 0)])
    w, x = np.array([0.5, -1.0, bias]), np.array([2.0, 1.0, 1.0])
    state.theta[0] = w
    after, _ = train(group, [Network(hp, 0)], [Fold(x[None, :2], np.array([label]))], state, 1, order_seed=0)
    fires = 1 if w @ x > 0 else 0
    np.testing.assert_array_equal(after.theta[0], w + 0.5 * (label - fires) * x)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 40))
def test_rosenblatts_rule_converges_on_separable_data_within_its_bound(seed, d, n):
    # Novikoff 1962: from weights 0, data within a ball of radius R and apart by a margin need at most (R / margin)^2
    # corrections; an epoch without one is the end, so that many epochs and one more suffice.
    generator = np.random.default_rng(seed)
    plane = generator.normal(size=d + 1)
    plane /= np.linalg.norm(plane)
    X = generator.uniform(-1, 1, size=(n, d))
    sides = np.hstack([X, np.ones((n, 1))]) @ plane
    keep = np.abs(sides) > 0.15
    X, y = X[keep], (sides[keep] > 0).astype(int)
    if len(X) == 0:
        return
    radius, margin = np.sqrt(d + 1), np.abs(sides[keep]).min()
    bound = int((radius / margin) ** 2) + 2
    hp, group = single_unit(d, len(X), init="zeros", epochs=bound, tolerance=1e-300)
    state, curves = train(group, [Network(hp, 0)], [Fold(X, y)], start(group, [Network(hp, 0)]), bound, order_seed=0)
    assert state.status[0] == FINISHED
    np.testing.assert_array_equal(predicted(group, state.theta, X), y)
    assert curves.values["train_loss"][0, -1] == 0


def test_xor_is_out_of_reach_of_one_unit():
    hp, group = single_unit(2, 4, epochs=200)
    networks = [Network(hp, seed) for seed in range(5)]
    fold = Fold(CORNERS, np.array([0, 1, 1, 0]))
    state, curves = train(group, networks, [fold], start(group, networks), 200, order_seed=0)
    assert (curves.values["train_loss"][:, -1] > 0).all()
    for k in range(5):
        assert not np.array_equal(predicted(group, state.theta[[k]], CORNERS), fold.y)


def test_the_estimator_learns_nand_and_separable_classes():
    rule = {**RULE, "epochs": 100, "tolerance": 1e-300}
    y = np.array(["yes", "yes", "yes", "no"])
    model = MLPClassifier(**rule, random_state=0).fit(CORNERS, y)
    np.testing.assert_array_equal(model.predict(CORNERS), y)
    assert set(np.unique(model.predict_proba(CORNERS))) == {0.0, 1.0}
    assert model.n_epochs_ < 100
    X, y = load_iris(return_X_y=True)
    several = MLPClassifier(**{**rule, "learning_rate": 0.1}, random_state=0).fit(
        (X - X.mean(axis=0)) / X.std(axis=0), y
    )
    np.testing.assert_array_equal(several.predict_proba(X).sum(axis=1), 1)
    assert several.score((X - X.mean(axis=0)) / X.std(axis=0), y) > 0.8


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MLPClassifier(activation="threshold"), r"hidden must be empty with threshold units, .* got \(64,\)"),
        (MLPClassifier(hidden=(), activation="threshold", loss="log_loss"), "loss must be auto or perceptron"),
        (MLPClassifier(loss="perceptron", label_smoothing=0.1), "label_smoothing must be 0"),
        (MLPClassifier(hidden=(), activation="threshold", label_smoothing=0.1), "label_smoothing must be 0"),
        (MLPRegressor(hidden=(), activation="threshold"), "loss must be auto or squared_error in regression"),
        (MLPRegressor(loss="log_loss"), "loss must be auto or squared_error in regression, got 'log_loss'"),
    ],
)
def test_what_the_rule_cannot_train_is_refused_in_one_line(model, message):
    with pytest.raises(ValueError, match=message) as error:
        model.fit(CORNERS, np.array([0, 1, 1, 0]))
    assert "\n" not in str(error.value)
