"""Batch and layer normalisation: slopes, torch's numbers, what inference uses, and batches that have no spread."""

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.inputs import with_ones
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import FINISHED, Fold, Network, start, train
from mlptune.core.workspace import Workspace, outputs

from ..reference.steps import thirty_steps_equal_torch

N, D, C = 30, 5, 3
KINDS = ["batch_norm", "layer_norm"]


def group_of(hp, n_rows=N, dtype="float64"):
    return Structure.of(hp, n_inputs=D, n_outputs=C, n_rows=n_rows, loss="cross_entropy", dtype=dtype)


def data(n=N):
    generator = np.random.default_rng(0)
    return 3.0 + 2.0 * generator.normal(size=(n, D)), generator.integers(0, C, n)


def normalised(z, kind):
    """Over the rows (axis 0) or the units (axis 1)."""
    axis = 0 if kind == "batch_norm" else 1
    return (z - z.mean(axis=axis, keepdims=True)) / np.sqrt(z.var(axis=axis, keepdims=True) + 1e-5)


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_follow_the_slope(kind, dropout):
    generator = np.random.default_rng(1)
    hp = Hyperparameters(hidden=(7, 6), activation="tanh", **{kind: True})
    group = group_of(hp)
    theta = start(group, [Network(hp, seed) for seed in range(2)]).theta
    theta += 0.3 * generator.normal(size=theta.shape)
    masks = [generator.integers(0, 2, size=(2, size, N)) * 2.0 for size in hp.hidden] if dropout else []
    gradient, z = np.empty_like(theta), np.empty((2, C, N))
    coefficients = generator.normal(size=z.shape)
    X, _ = data()
    workspace = Workspace(group, theta, gradient, N, masks)
    workspace.forward(with_ones(X, "float64").T, z)
    workspace.last.delta[:] = coefficients
    workspace.backward()

    def value(vector, k):
        a, start_of = X, 0
        for i, layer in enumerate(group.layers):
            W = vector[start_of : start_of + layer.n_block].reshape(layer.n_in + 1, layer.n_out)
            start_of += layer.n_parameters
            if i == len(hp.hidden):
                return (coefficients[k].T * (a @ W[:-1] + W[-1])).sum()
            gain = vector[start_of - layer.n_out : start_of]
            a = np.tanh(gain * normalised(a @ W[:-1], kind) + W[-1])
            if dropout:
                a = a * masks[i][k].T

    for k in range(2):
        for _ in range(3):
            direction = generator.normal(size=theta[k].shape)
            h = 1e-6
            slope = (value(theta[k] + h * direction, k) - value(theta[k] - h * direction, k)) / (2 * h)
            np.testing.assert_allclose(gradient[k] @ direction, slope, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_thirty_steps_and_the_inference_after_them_equal_torch(kind):
    thirty_steps_equal_torch(kind.replace("_", " "))


def test_the_validation_uses_the_running_statistics_and_a_row_does_not_depend_on_the_others():
    X, y = data(90)
    hp = Hyperparameters(hidden=(8,), batch_norm=True, batch_size=16, epochs=40, learning_rate=0.01)
    group, networks = group_of(hp, 60, "float32"), [Network(hp, 0)]
    fold = Fold(X[:60], y[:60], None, X[60:], y[60:])
    state, curves = train(group, networks, [fold], start(group, networks), 40, order_seed=0)
    p = outputs(group, state.theta, state.buffers, X[60:])[0]
    loss = -np.log(p[np.arange(30), y[60:]]).mean()
    assert curves.values["val_loss"][0, -1] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(outputs(group, state.theta, state.buffers, X[60:61])[0], p[:1], rtol=1e-4)
    # The running statistics are those of the sums before the normalisation.
    sums = X[:60] @ weight_blocks(group, state.theta)[0][0, :-1]
    mean, variance = state.buffers[0, :8], state.buffers[0, 8:]
    np.testing.assert_allclose(mean, sums.mean(axis=0), atol=0.5 * sums.std())
    np.testing.assert_allclose(variance, sums.var(axis=0, ddof=1), rtol=0.6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "batch_size"), [(17, 16), (1, 32), (5, 1)])
def test_batches_of_one_row_train(kind, n, batch_size):
    X, y = data(n)
    hp = Hyperparameters(hidden=(8, 1), batch_size=batch_size, epochs=4, learning_rate=0.05, **{kind: True})
    group, networks = group_of(hp, n, "float32"), [Network(hp, 0)]
    state, curves = train(group, networks, [Fold(X, y)], start(group, networks), 4, order_seed=0)
    assert state.status.tolist() == [FINISHED]
    assert np.isfinite(state.buffers).all()
    assert curves.values["train_loss"][0, -1] < curves.values["train_loss"][0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_constant_inputs_and_inputs_of_any_size_stay_finite(kind):
    _, y = data()
    for X in (np.zeros((N, D)), np.full((N, D), 7.0), 1e6 + 1e6 * data()[0]):
        hp = Hyperparameters(epochs=3, **{kind: True})
        group, networks = group_of(hp, dtype="float32"), [Network(hp, 0)]
        state, _ = train(group, networks, [Fold(X, y)], start(group, networks), 3, order_seed=0)
        assert state.status.tolist() == [FINISHED]
        assert np.isfinite(outputs(group, state.theta, state.buffers, X)).all()


def test_penalties_leave_gains_and_shifts_alone():
    # At a rate of nearly 0 only the decoupled decay moves anything.
    hp = Hyperparameters(
        hidden=(4,), batch_norm=True, learning_rate=1e-12, weight_decay=1e11, l2=0.0, epochs=1, batch_size=N
    )
    group, networks = group_of(hp), [Network(hp, 0)]
    before = start(group, networks)
    after, _ = train(group, networks, [Fold(*data())], before, 1, order_seed=0)
    changed = np.flatnonzero(np.abs(after.theta - before.theta)[0] > 1e-9)
    weights = np.concatenate([np.arange(D * 4), np.arange(D * 4 + 8, D * 4 + 8 + 4 * C)])
    np.testing.assert_array_equal(changed, weights)


def test_both_at_once_are_refused():
    with pytest.raises(ValueError, match=r"^layer_norm must be false where batch_norm is true[^\n]*$"):
        Hyperparameters(batch_norm=True, layer_norm=True)


def test_without_a_hidden_layer_there_is_nothing_to_normalise():
    assert group_of(Hyperparameters(hidden=(), batch_norm=True)) == group_of(Hyperparameters(hidden=()))
