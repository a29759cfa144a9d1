"""The gradient of a whole network against the slope of its outputs in random directions."""

from collections.abc import Callable

import numpy as np

from mlptune.core.array import Array
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.inputs import with_ones
from mlptune.core.structure import Structure
from mlptune.core.training import Network, start
from mlptune.core.workspace import Workspace


def assert_gradients_follow_the_slope(
    structure: Structure,
    hp: Hyperparameters,
    encoded: Callable[[np.random.Generator, tuple[int, ...]], Array],
    *,
    shared: bool,
    rows: int = 40,
    rtol: float = 1e-5,
    atol: float = 1e-8,
) -> None:
    """Compare the gradient of a random sum of the outputs of two networks with central differences in three directions.

    Args:
        structure: Of the networks, in float64.
        hp: What they are initialised by.
        encoded: Draws rows as the lowest layer takes them, of a given shape.
        shared: Whether both networks see the same rows.
        rows: How many rows there are.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
    """
    random = np.random.default_rng(1)
    theta = start(structure, [Network(hp, seed) for seed in range(2)]).theta
    theta += 0.2 * random.normal(size=theta.shape)
    gradient, z = np.empty_like(theta), np.empty((2, structure.n_outputs, rows))
    coefficients = random.normal(size=z.shape)
    wide = structure.n_encoded
    x = with_ones(encoded(random, (rows, wide) if shared else (2, rows, wide)), "float64").swapaxes(-1, -2)
    workspace = Workspace(structure, theta, gradient, rows)
    workspace.forward(x, z)
    workspace.last.delta[:] = coefficients
    workspace.backward()
    for _ in range(3):
        direction, values = random.normal(size=theta.shape), []
        for h in (1e-6, -1e-6):
            moved = Workspace(structure, theta + h * direction, np.empty_like(theta), rows)
            moved.forward(x, z)
            values.append((coefficients * z).sum(axis=(1, 2)))
        slopes = (values[0] - values[1]) / 2e-6
        np.testing.assert_allclose((gradient * direction).sum(axis=1), slopes, rtol=rtol, atol=atol)
