"""One step taken apart, against the lectures' worked numbers, scikit-learn's network and the slope of the loss."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier as Theirs

from mlptune import MLPClassifier, MLPRegressor
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.network import Network
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.trace import trace
from mlptune.core.training import Fold, start, train


def test_the_worked_example_of_a_2_2_1_network() -> None:
    hp = Hyperparameters(hidden=(2,), activation="logistic", optimizer="sgd")
    structure = Structure.of(hp, n_inputs=2, n_outputs=1, n_rows=1, loss="brier", dtype="float64")
    state = start(structure, [Network(hp, 0)])
    hidden, output = weight_blocks(structure, state.theta)
    hidden[0] = [[1.0, -4.0], [-2.0, 2.0], [5.0, 3.0]]
    output[0] = [[4.0], [2.0], [-1.0]]
    first, last = trace(structure, state.theta[0], state.buffers[0], np.array([[3.0, 4.0]]), np.array([0]))
    np.testing.assert_allclose(first.sums, [[0.0, -1.0]])
    np.testing.assert_allclose(first.outputs, [[0.5, 0.2689]], atol=5e-5)
    np.testing.assert_allclose(last.sums, [[1.5379]], atol=5e-5)
    a = last.outputs[0, 0]
    assert a == pytest.approx(0.8232, abs=5e-5)
    delta = -2 * (0 - a) * a * (1 - a)
    np.testing.assert_allclose(last.deltas, [[delta]])
    g = first.outputs[0]
    np.testing.assert_allclose(first.deltas[0], g * (1 - g) * last.weights[:, 0] * delta)
    np.testing.assert_allclose(last.weights_gradient[:, 0], g * delta)
    np.testing.assert_allclose(first.weights_gradient, np.outer([3.0, 4.0], first.deltas[0]))
    np.testing.assert_allclose(first.bias_gradient, first.deltas[0])


@pytest.mark.parametrize("classes", [2, 3])
def test_weights_outputs_and_gradients_are_those_of_scikit_learn(classes: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = rng.integers(classes, size=40)
    ours = MLPClassifier(hidden=[5, 4], activation="tanh", epochs=2, dtype="float64", random_state=0).fit(X, y)
    theirs = Theirs((5, 4), activation="tanh", alpha=0.0, max_iter=1).partial_fit(X, y, classes=np.arange(classes))
    theirs.coefs_, theirs.intercepts_ = ours.coefs_, ours.intercepts_
    np.testing.assert_allclose(theirs.predict_proba(X), ours.predict_proba(X), rtol=1e-9)
    traced = ours.trace(X, y)
    activations = [X, *(np.empty((40, n)) for n in (5, 4, 1 if classes == 2 else classes))]
    deltas = [np.empty_like(a) for a in activations[1:]]
    grads = [np.empty_like(c) for c in theirs.coefs_], [np.empty_like(i) for i in theirs.intercepts_]
    targets = y[:, None].astype(float) if classes == 2 else np.eye(classes)[y]
    theirs._backprop(X, targets, None, activations, deltas, *grads)
    for layer, expected, bias, outputs in zip(traced, *grads, activations[1:], strict=True):
        np.testing.assert_allclose(layer.weights_gradient, expected, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(layer.bias_gradient, bias, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(layer.outputs, outputs, rtol=1e-9)


@pytest.mark.parametrize(
    "config",
    [
        {"hidden": [6, 5], "activation": "relu"},
        {"hidden": [6, 6], "activation": "tanh", "skip": True},
        {"hidden": [6], "embedding": "plr", "scaling": "standard"},
        {"hidden": [6, 4], "batch_norm": True},
        {"hidden": [4], "activation": "maxout"},
        {"hidden": []},
    ],
    ids=str,
)
def test_a_plain_step_moves_by_the_traced_gradient(config: dict) -> None:
    """One step of gradient descent over all rows, by the engine's own loop."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(30, 3)), rng.integers(3, size=30)
    hp = Hyperparameters.from_config(
        {**config, "optimizer": "sgd", "learning_rate": 0.1, "batch_size": 30, "epochs": 1}
    )
    structure = Structure.of(hp, n_inputs=3, n_outputs=3, n_rows=30, loss="cross_entropy", dtype="float64")
    networks, fold = [Network(hp, 0)], Fold(X, y)
    begun, _ = train(structure, networks, [fold], start(structure, networks), 0, order_seed=0)
    after, _ = train(structure, networks, [fold], begun, 1, order_seed=0)
    found = trace(structure, begun.theta[0], after.buffers[0] if "scaling" in config else begun.buffers[0], X, y)
    pairs = zip(weight_blocks(structure, begun.theta), weight_blocks(structure, after.theta), strict=True)
    for layer, (old, new) in zip(found, pairs, strict=True):
        moved = (old[0] - new[0]) / 0.1
        np.testing.assert_allclose(layer.weights_gradient, moved[:-1], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(layer.bias_gradient, moved[-1], rtol=1e-6, atol=1e-9)


def test_a_regression_can_be_taken_apart_and_stays_as_it_is() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(20, 2))
    model = MLPRegressor(hidden=[3], epochs=3, random_state=0).fit(X, X[:, 0])
    before = model.predict(X)
    hidden, output = model.trace(X, X[:, 0])
    assert (hidden.inputs.shape, hidden.outputs.shape, output.deltas.shape) == ((20, 2), (20, 3), (20, 1))
    np.testing.assert_allclose(output.outputs[:, 0], before, rtol=1e-5)
    np.testing.assert_allclose(output.deltas[:, 0], 2 * (output.outputs[:, 0] - X[:, 0]) / 20, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X), before)
    with pytest.raises(ValueError, match="only the classes"):
        MLPClassifier(hidden=[2], epochs=1).fit(X, X[:, 0] > 0).trace(X, np.full(20, 7))
