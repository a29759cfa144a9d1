"""The dense layer: how its parameters are counted and laid out, and what it computes of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlptune.core.layers.dense import Dense
from mlptune.core.workspace import output_buffer


def test_a_layer_counts_its_parameters_with_the_bias():
    assert Dense(3, 4, "relu").n_parameters == 16


@given(st.integers(1, 5), st.integers(1, 5), st.booleans(), st.integers(0, 99))
def test_a_layer_is_its_formula_with_weights_then_biases_then_factors(n_in, n_out, scaled, seed):
    generator = np.random.default_rng(seed)
    layer = Dense(n_in, n_out, "tanh", scaled=scaled)
    x, W, b = (generator.normal(size=size) for size in ((7, n_in), (n_in, n_out), n_out))
    factors = generator.normal(size=n_in) if scaled else np.ones(n_in)
    theta = np.concatenate([W.ravel(), b, factors[: n_in * scaled]])[None]
    bound = layer.bind(theta, None, np.empty((1, 0)), output_buffer(1, n_out, 7, "float64"), training=False)
    bound.x = np.vstack([x.T, np.ones(7)])
    bound.forward()
    np.testing.assert_allclose(bound.out[0, :-1].T, np.tanh((x * factors) @ W + b), atol=1e-12)
    np.testing.assert_array_equal(bound.out[0, -1], 1)
