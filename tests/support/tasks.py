"""What the engine trains in tests: iris in folds, without a sweep around it."""

from typing import Any

import numpy as np
from sklearn.datasets import load_iris

from mlptune.core.training import Fold
from mlptune.experiments.execution.engine import Task


def iris_task(seeds: tuple[int, ...] = (0,), folds: int = 1, **changes: Any) -> Task:
    """Iris in `folds` of five parts, each of which is validated on once."""
    X, y = load_iris(return_X_y=True)
    X = ((X - X.mean(0)) / X.std(0)).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(X))
    parts = np.array_split(order, 5)
    made = []
    for i in range(folds):
        train_rows = np.concatenate([part for j, part in enumerate(parts) if j != i])
        made.append(Fold(X[train_rows], y[train_rows], None, X[parts[i]], y[parts[i]], None))
    values = {"order_seed": 3, "objective": "val_loss", "scale": (1.0,) * folds} | changes
    return Task(tuple(made), f"iris in {folds} folds", "cross_entropy", 3, seeds, **values)
