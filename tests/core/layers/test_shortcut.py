"""Shortcuts past a layer: a network by hand, and layers that say nothing."""

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.workspace import outputs


def test_shortcuts_of_a_network_by_hand():
    # 2-1-3 with identities: h = x1 + w x, cut off to one; out = (h, 0, 0) + v h.
    hp = Hyperparameters(hidden=(1, 3), activation="identity", skip=True)
    group = Structure.of(hp, n_inputs=2, n_outputs=1, n_rows=1, loss="squared_error", dtype="float64")
    theta = np.zeros((1, group.n_parameters))
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
    theta = np.zeros((1, group.n_parameters))
    weight_blocks(group, theta)[-1][0, :3] = np.eye(3)
    X = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(outputs(group, theta, np.empty((1, 0)), X)[0], X)
