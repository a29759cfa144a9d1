"""Maxout: what a unit of two pieces can be, and which of them learns."""

import numpy as np

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.layers.maxout import Maxout
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Network, start
from mlptune.core.workspace import outputs


def test_a_maxout_unit_can_be_the_absolute_value_or_the_rectifier():
    hp = Hyperparameters(hidden=(2,), activation="maxout")
    group = Structure.of(hp, n_inputs=1, n_outputs=2, n_rows=5, loss="squared_error", dtype="float64")
    theta = start(group, [Network(hp, 0)]).theta
    sums, output = weight_blocks(group, theta)
    assert sums.shape == (1, 2, 4)
    # Columns: the first piece of both units, then the second of both.
    sums[0] = [[1.0, 1.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    output[0] = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    x = np.array([[-2.0], [-1.0], [0.0], [1.5], [3.0]])
    np.testing.assert_array_equal(outputs(group, theta, np.empty((1, 0)), x)[0], np.hstack([np.abs(x), x.clip(0)]))


def test_the_larger_sum_learns_and_of_equal_ones_the_first():
    # One unit and three rows: the first sum is larger, the second is, they are equal.
    bound = Maxout(1).bind(np.empty((1, 1, 3)), training=True)
    bound.x, bound.input_grad = np.array([[[2.0, -1.0, 4.0], [1.0, 3.0, 4.0]]]), np.empty((1, 2, 3))
    bound.forward()
    np.testing.assert_array_equal(bound.out, [[[2, 3, 4]]])
    bound.delta[:] = [5.0, 6.0, 7.0]
    bound.backward()
    np.testing.assert_array_equal(bound.input_grad, [[[5, 0, 7], [0, 6, 0]]])
