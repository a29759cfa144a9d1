"""From a gradient to new parameters: penalties, clipping, and decay that fades."""

import numpy as np

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.parameters import weight_blocks
from mlptune.core.training import Fold, Network, start, train
from tests.support.tables import N, group_of, table


def test_what_fades_is_gone_at_the_end_and_whole_before_the_middle():
    X, y = table()
    thetas = {}
    for fade in (False, True):
        hp = Hyperparameters(hidden=(5,), batch_size=N, epochs=20, learning_rate=1e-12, weight_decay=1e11, fade=fade)
        group, networks = group_of(hp), [Network(hp, 0)]
        state, path = start(group, networks), []
        for epoch in range(1, 21):
            state, _ = train(group, networks, [Fold(X, y)], state, epoch, order_seed=0)
            path.append(float(np.abs(weight_blocks(group, state.theta)[0][0, :-1]).sum()))
        thetas[fade] = np.array(path[1:]) / np.array(path[:-1])
    np.testing.assert_allclose(thetas[False], 0.9, rtol=1e-6)
    np.testing.assert_allclose(thetas[True][:9], 0.9, rtol=1e-6)
    shares = (1 - thetas[True]) / 0.1
    t = np.arange(1, 20) / 20
    np.testing.assert_allclose(shares, np.where(t < 0.5, 1, (1 + np.cos(np.pi * (2 * t - 1))) / 2), atol=1e-6)


def one_step(*changes):
    """Parameters of networks that differ in these settings alone, before and after a plain step at the rate 1."""
    plain = {"hidden": (5,), "activation": "tanh", "scaling": "standard", "batch_size": N, "epochs": 1}
    hps = [Hyperparameters(**plain, optimizer="sgd", learning_rate=1.0, **change) for change in changes]
    group, networks = group_of(hps[0]), [Network(hp, 0) for hp in hps]
    before = start(group, networks)
    before.theta += 0.3 * np.random.default_rng(0).normal(size=before.theta.shape[1])  # no bias is 0
    after, _ = train(group, networks, [Fold(*table())], before, 1, order_seed=0)
    return group, before.theta, after.theta


def test_a_gradient_longer_than_the_limit_is_cut_to_it_and_a_shorter_one_is_left():
    _, before, after = one_step({}, {"clip_norm": 0.01}, {"clip_norm": 1e9})
    free, cut, below = after - before
    _, before, after = one_step({})
    np.testing.assert_array_equal(free, (after - before)[0])
    assert np.linalg.norm(free) > 0.1
    np.testing.assert_allclose(cut, 0.01 * free / np.linalg.norm(free), atol=1e-14)
    np.testing.assert_array_equal(below, free)


def test_penalties_are_their_networks_own_and_spare_the_biases():
    group, before, after = one_step({}, {"l1": 0.2}, {"l2": 0.3}, {"l1": 0.1, "l2": 0.4})
    for W, moved in zip(weight_blocks(group, before), weight_blocks(group, after[0] - after), strict=True):
        w = W[0, :-1]
        expected = [0 * w, 0.2 * np.sign(w), 0.3 * w, 0.1 * np.sign(w) + 0.4 * w]
        np.testing.assert_allclose(moved[:, :-1], expected, atol=1e-14)
        np.testing.assert_array_equal(moved[:, -1], 0)
