"""Training for the pictures: networks of one structure as one stack, looked at as often as a picture needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.hyperparameters import Hyperparameters
from ...core.network import Network
from ...core.structure import Structure
from ...core.training import Fold, State, start, train
from ...core.workspace import outputs

Array = NDArray[Any]


@dataclass(frozen=True)
class Trained:
    """A stack after training.

    Attributes:
        structure: What all its networks are.
        networks: The networks.
        states: The stack as it was, by epoch.
        curves: By name (K, E).
    """

    structure: Structure
    networks: Sequence[Network]
    states: Mapping[int, State]
    curves: Mapping[str, Array]

    @property
    def last(self) -> State:
        """The stack at the end."""
        return self.states[max(self.states)]

    def predict(self, X: Array, epoch: int | None = None) -> Array:
        """Predictions (K, n, o) of all networks, as they were after that epoch; at the end unless given."""
        state = self.last if epoch is None else self.states[epoch]
        return outputs(self.structure, state.theta, state.buffers, X)


def train_stack(
    configurations: Sequence[Mapping[str, Any]],
    X: Array,
    y: Array,
    *,
    loss: str,
    epochs: int,
    seeds: Sequence[int] | None = None,
    n_outputs: int = 1,
    validation: tuple[Array, Array] | None = None,
    looks: Sequence[int] = (),
    gradient_norms: bool = False,
) -> Trained:
    """Train one network a configuration, all as one stack, and keep what it was after the epochs `looks`.

    Args:
        configurations: Hyperparameters that may differ inside a stack: rates, regularisation, initialisation.
        X: Inputs (n, d).
        y: Class indices (n,) or numbers (n, o).
        loss: The loss.
        epochs: How long.
        seeds: A seed for each network; 0, 1, ... unless given.
        n_outputs: Output units.
        validation: Other rows and their targets, for curves.
        looks: Epochs to keep the stack of, besides the last.
        gradient_norms: Add the curves grad_norm_1, ...
    """
    each = [Hyperparameters.from_config({**c, "epochs": epochs}) for c in configurations]
    structures = {
        Structure.of(hp, n_inputs=X.shape[1], n_outputs=n_outputs, n_rows=len(X), loss=loss, dtype="float64")
        for hp in each
    }
    if len(structures) != 1:
        raise ValueError(f"a stack has networks of one structure, got {len(structures)}")
    [structure] = structures
    networks = [Network(hp, seed) for hp, seed in zip(each, seeds or range(len(each)), strict=True)]
    fold = Fold(X, y) if validation is None else Fold(X, y, None, *validation)
    state = start(structure, networks)
    states, parts = {0: state}, []
    for until in sorted({*(look for look in looks if 0 < look < epochs), epochs}):
        state, curves = train(structure, networks, [fold], state, until, order_seed=0, gradient_norms=gradient_norms)
        states[until] = state
        parts.append(curves.values)
    joined = {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
    return Trained(structure, networks, states, joined)


def plane(points: int = 41, size: float = 1.6) -> Array:
    """A square grid of points around the origin (points**2, 2), row by row from the top left."""
    side = np.linspace(-size, size, points)
    x, y = np.meshgrid(side, side[::-1])
    return np.column_stack([x.ravel(), y.ravel()])


def moons(n: int, noise: float, seed: int) -> tuple[Array, Array]:
    """Two interleaved half circles, (n, 2) and classes (n,), about the origin."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    angle = rng.uniform(0, np.pi, size=n)
    X = np.where(
        y[:, None] == 0,
        np.column_stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25]),
        np.column_stack([0.5 - np.cos(angle), 0.25 - np.sin(angle)]),
    )
    return X + rng.normal(scale=noise, size=X.shape), y


def digits(n: int) -> tuple[Array, Array, tuple[Array, Array]]:
    """Small pictures of handwritten digits, scaled to -1 to 1: n to train on, and the rest."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order] / 8.0 - 1.0, y[order]
    return X[:n], y[:n], (X[n:], y[n:])
