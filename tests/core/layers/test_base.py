"""What every layer promises once it is tied to arrays: one test for all of them."""

from itertools import pairwise

import numpy as np
import pytest

from mlptune.core.layers.dense import Dense
from mlptune.core.layers.dropout import Dropout
from mlptune.core.layers.maxout import Maxout
from mlptune.core.layers.shortcut import Shortcut
from mlptune.core.workspace import output_buffer

K, ROWS, N_IN = 2, 7, 4
DENSE = {
    "dense": Dense(N_IN, 3, "tanh"),
    "dense with factors": Dense(N_IN, 3, "tanh", scaled=True),
    "dense with batch norm": Dense(N_IN, 3, "tanh", "batch"),
    "dense with layer norm and factors": Dense(N_IN, 3, "tanh", "layer", scaled=True),
}


def bound_dense(layer, theta, gradient):
    buffers = np.tile(np.repeat([0.0, 1.0], layer.n_buffers // 2), (K, 1))
    return layer.bind(theta, gradient, buffers, output_buffer(K, layer.n_out, ROWS, "float64"), training=True)


def chain_of(name, theta, gradient):
    """The layer tied to arrays, above the one that it needs below it, and how many units it has."""
    if name in DENSE:
        return [bound_dense(DENSE[name], theta, gradient)], 3
    if name == "shortcut":
        below = bound_dense(DENSE["dense"], theta, gradient)
        return [below, Shortcut(N_IN, 3).bind(below, output_buffer(K, 3, ROWS, "float64"), training=True)], 3
    if name == "maxout":
        return [Maxout(2).bind(output_buffer(K, 2, ROWS, "float64"), training=True)], 2
    mask = np.random.default_rng(2).integers(0, 2, size=(K, N_IN, ROWS)) * 2.0
    return [Dropout(N_IN).bind(mask, output_buffer(K, N_IN, ROWS, "float64"))], N_IN


def drawn(name):
    """Parameters and inputs (K, in [+ 1], rows); a maxout is given sums, which have no row of ones."""
    generator = np.random.default_rng(1)
    n_parameters = DENSE.get(name, DENSE["dense"]).n_parameters if name in (*DENSE, "shortcut") else 0
    x = generator.normal(size=(K, N_IN, ROWS))
    if name != "maxout":
        x = np.concatenate([x, np.ones((K, 1, ROWS))], axis=1)
    return generator.normal(size=(K, n_parameters)), x


def forward(chain, x):
    chain[0].x = x
    for below, above in pairwise(chain):
        above.x, above.input_grad = below.out, below.delta
    for layer in chain:
        layer.forward()
    return chain[-1].out


def backward(chain, coefficients):
    chain[-1].delta[:] = coefficients
    for layer in reversed(chain):
        layer.backward()


@pytest.mark.parametrize("name", [*DENSE, "shortcut", "maxout", "dropout"])
def test_a_layer_writes_the_slopes_by_its_inputs_and_its_parameters(name):
    theta, x = drawn(name)
    gradient, input_grad = np.full_like(theta, np.nan), np.full((K, N_IN, ROWS), np.nan)
    chain, units = chain_of(name, theta, gradient)
    chain[0].input_grad = input_grad
    out = forward(chain, x)
    generator = np.random.default_rng(0)
    coefficients = generator.normal(size=(K, units, ROWS))
    backward(chain, coefficients)
    np.testing.assert_array_equal(out[:, units:], 1)
    for _ in range(3):
        by_x, by_theta, h, values = generator.normal(size=x.shape), generator.normal(size=theta.shape), 1e-6, []
        by_x[:, N_IN:] = 0
        for sign in (h, -h):
            moved, _ = chain_of(name, theta + sign * by_theta, gradient.copy())
            moved[0].input_grad = input_grad.copy()
            values.append((coefficients * forward(moved, x + sign * by_x)[:, :units]).sum(axis=(1, 2)))
        found = (input_grad * by_x[:, :N_IN]).sum(axis=(1, 2)) + (gradient * by_theta).sum(axis=1)
        np.testing.assert_allclose(found, (values[0] - values[1]) / (2 * h), rtol=1e-6)


@pytest.mark.parametrize("name", DENSE)
def test_the_lowest_layer_learns_as_any_other_though_no_one_asks_for_the_slopes_by_its_inputs(name):
    theta, x = drawn(name)
    coefficients = np.random.default_rng(0).normal(size=(K, 3, ROWS))
    gradients, outs = [], []
    for input_grad in (None, np.empty((K, N_IN, ROWS))):
        gradient = np.full_like(theta, np.nan)
        chain, _ = chain_of(name, theta, gradient)
        chain[0].input_grad = input_grad
        outs.append(forward(chain, x).copy())
        backward(chain, coefficients)
        gradients.append(gradient)
    np.testing.assert_allclose(outs[0], outs[1], rtol=1e-9)
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-9, atol=1e-12)
