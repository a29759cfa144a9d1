"""Three overlapping classes, and networks that were trained on them as one stack, without a sweep around it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.state import State
from mlptune.core.structure import Structure
from mlptune.core.training import Curves, Fold, Network, start, train


def three_classes(n: int = 80, n_val: int = 40, noise: float = 1.0, seed: int = 0) -> Fold:
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, n + n_val)
    X = np.eye(3)[y] @ generator.normal(size=(3, 5)) + noise * generator.normal(size=(n + n_val, 5))
    return Fold(X[:n], y[:n], None, X[n:], y[n:], None)


def group_of(
    hp: Hyperparameters, fold: Fold, loss: str = "cross_entropy", n_outputs: int = 3, dtype: str = "float32"
) -> Structure:
    n_rows, n_inputs = fold.X.shape
    return Structure.of(hp, n_inputs=n_inputs, n_outputs=n_outputs, n_rows=n_rows, loss=loss, dtype=dtype)


def run(
    hps: Sequence[Hyperparameters],
    fold: Fold,
    until: int = 1000,
    state: State | None = None,
    seeds: Sequence[int] | None = None,
    **kwargs: Any,
) -> tuple[Structure, State, Curves]:
    """Structure, state and curves of a stack; `kwargs` are those of `group_of` and `train`."""
    group = group_of(hps[0], fold, **{k: kwargs.pop(k) for k in ("loss", "n_outputs", "dtype") if k in kwargs})
    networks = [Network(hp, seeds[i] if seeds else 0) for i, hp in enumerate(hps)]
    state = start(group, networks) if state is None else state
    return group, *train(group, networks, [fold], state, until, order_seed=0, **kwargs)
