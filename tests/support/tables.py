"""A small table of numbers of very different sizes, and a network that was trained on one, without a sweep around it."""

from typing import Any

import numpy as np

from mlptune.core.array import Array
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.state import State
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train

N, D = 40, 3  # rows and inputs


def table(n: int = N, outputs: int = 2) -> tuple[Array, Array]:
    """Inputs (n, 3) and targets (n, outputs) that have nothing to do with them."""
    generator = np.random.default_rng(0)
    X = generator.lognormal(size=(n, D)) * [1.0, 1000.0, 0.01] + [0.0, -5e4, 3.0]
    return X, generator.normal(size=(n, outputs))


def group_of(
    hp: Hyperparameters,
    n_inputs: int = D,
    n_rows: int = N,
    n_outputs: int = 2,
    loss: str = "squared_error",
    dtype: str = "float64",
) -> Structure:
    return Structure.of(hp, n_inputs=n_inputs, n_outputs=n_outputs, n_rows=n_rows, loss=loss, dtype=dtype)


def trained(hp: Hyperparameters, fold: Fold, **kwargs: Any) -> tuple[Structure, State, dict[str, Array]]:
    """Structure, state and curves of one network after all its epochs."""
    group, networks = group_of(hp, n_rows=len(fold.X), **kwargs), [Network(hp, 0)]
    state, curves = train(group, networks, [fold], start(group, networks), hp.epochs, order_seed=0, metrics=["rmse"])
    return group, state, {name: values[0] for name, values in curves.values.items()}
