"""Where parameters lie in theta, at which rates they learn, and how they start."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.core.embeddings import EMBEDDINGS
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.optimizers import OPTIMIZERS
from mlptune.core.parameters import initial_buffers, initial_parameters, learning_rate_groups, weight_blocks
from mlptune.core.scaling import SCALINGS
from mlptune.core.training import Fold, Network, start, train
from tests.support.tables import group_of


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_rates_by_layer_are_steps_on_the_parametrisation_they_stand_for(optimizer):
    # One unit x w / sqrt(d) + b on x = 1 in all d inputs: its w is trained by the same optimizer on the chain rule's slope.
    d, steps = 4, 6
    plain = {"optimizer": optimizer, "learning_rate": 0.01, "batch_size": 1, "hidden": (), "init": "zeros"}
    tangent = Hyperparameters(**plain, parametrization="ntk", epochs=steps, epsilon=1e-12)
    group = group_of(tangent, n_inputs=d, n_rows=1, n_outputs=1)
    fold = Fold(np.ones((1, d)), np.array([3.0]))
    state, _ = train(group, [Network(tangent, 0)], [fold], start(group, [Network(tangent, 0)]), steps, order_seed=0)
    # The same with the factor made explicit: inputs of 1 / sqrt(d), a bias that learns at a tenth of the rate.
    explicit = Hyperparameters(**plain, epochs=steps, epsilon=1e-12)
    other = group_of(explicit, n_inputs=d, n_rows=1, n_outputs=1)
    assert [span[2] for span in learning_rate_groups(other)] == [1.0]
    w, b = np.zeros(d), 0.0
    rates = {start_of: factor for start_of, _, factor in learning_rate_groups(group)}
    assert rates == {0: 1 / d if optimizer == "sgd" else d**-0.5, d: 0.1}
    if optimizer == "sgd":
        for _ in range(steps):
            slope = 2 * (w.sum() / np.sqrt(d) + b - 3.0)
            w, b = w - 0.01 * slope / np.sqrt(d), b - 0.1 * 0.01 * slope
        np.testing.assert_allclose(state.theta[0], [*(w / np.sqrt(d)), b], rtol=1e-9)
    else:
        first, _ = train(group, [Network(tangent, 0)], [fold], start(group, [Network(tangent, 0)]), 1, order_seed=0)
        reference, _ = train(
            other, [Network(explicit, 0)], [fold], start(other, [Network(explicit, 0)]), 1, order_seed=0
        )
        np.testing.assert_allclose(first.theta[0], reference.theta[0] * ([d**-0.5] * d + [0.1]), rtol=1e-6)


def test_both_initialisations_reach_both_precisions():
    hp = Hyperparameters(hidden=(20,), init="glorot")
    narrow, wide = (start(group_of(hp, dtype=dtype), [Network(hp, 7)]).theta for dtype in ("float32", "float64"))
    np.testing.assert_array_equal(narrow, wide.astype(np.float32))


@given(
    st.lists(st.integers(1, 5), max_size=3),
    st.sampled_from(["tanh", "maxout"]),
    st.sampled_from([{}, {"batch_norm": True}, {"layer_norm": True}]),
    st.sampled_from(sorted(EMBEDDINGS)),
    st.sampled_from(SCALINGS),
    st.booleans(),
)
def test_every_number_of_theta_has_one_rate_and_at_most_one_place_in_a_layer(
    hidden, activation, norm, embedding, scaling, scale
):
    widths = {"hidden": hidden, "activation": activation, "embedding": embedding, **norm}
    hp = Hyperparameters(**widths, scaling=scaling, feature_scale=scale, parametrization="ntk")
    group = group_of(hp)
    P = group.n_parameters
    rates, layers = np.zeros(P), np.zeros(P)
    for begin, end, factor in learning_rate_groups(group):
        assert factor > 0
        rates[begin:end] += 1
    np.testing.assert_array_equal(rates, 1)
    for begin, end in group.offsets:
        layers[begin:end] += 1
    embedder = 0 if group.embedder is None else group.embedder.n_parameters
    np.testing.assert_array_equal(layers, np.arange(P) >= embedder)
    # What is written into the blocks is in theta, and no two blocks share a number.
    theta = np.zeros((2, P))
    blocks = weight_blocks(group, theta)
    for W in blocks:
        W += 1
    assert set(np.unique(theta)) <= {0, 1}
    assert theta.sum() == sum(W.size for W in blocks)
    assert initial_parameters(group, hp, np.random.default_rng(0)).shape == (P,)
    assert initial_buffers(group).shape == (group.n_buffers,)
