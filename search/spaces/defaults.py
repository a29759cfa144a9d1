"""The default search spaces, for sweep files without a [space] table."""

from __future__ import annotations

from typing import Any

from ..._text import hint


def default_space(n_rows: int, task: str) -> dict[str, Any]:
    """The default [space] table: the hyperparameters that matter most for MLPs on tables.

    Learning rate, width and regularisation are searched; the structure has few choices (four shapes, two batch
    sizes), because only trials of one structure train in one stack. Batch sizes grow with `n_rows` (training rows).

    Raises ValueError for a task other than classification and regression.
    """
    if task not in ("classification", "regression"):
        raise ValueError(f"task: {task!r} is not a task{hint(task, ['classification', 'regression'])}")
    sizes = next(
        (pair for rows, pair in [(1000, [16, 32]), (5000, [32, 64]), (20000, [128, 256])] if n_rows < rows), [256, 512]
    )
    shapes = [[64], [128], [64, 64], [128, 128]] if n_rows < 10000 else [[128], [256], [128, 128], [256, 256]]
    return {
        "learning_rate": {"low": 3e-4, "high": 3e-2, "log": True},
        "hidden": shapes,
        "batch_size": sizes,
        "dropout": {"low": 0.0, "high": 0.5},
        "l2": {"low": 1e-6, "high": 1e-2, "log": True},
    }


DEEPEST = 4
"""The most hidden layers of `architecture_space`."""


def architecture_space(n_rows: int, task: str) -> dict[str, Any]:
    """The default [space] table of architecture search: the depth, and each layer by itself.

    Raises ValueError for a task other than classification and regression.
    """
    rate = default_space(n_rows, task)["learning_rate"]
    widths = [16, 32, 64, 128] if n_rows < 10000 else [32, 64, 128, 256]
    each: dict[str, list[Any]] = {
        "units": widths,
        "activation": ["relu", "silu", "tanh"],
        "batch_norm": [False, True],
        "skip": [False, True],
    }
    layers = {f"{family}_{i}": list(choices) for i in range(1, DEEPEST + 1) for family, choices in each.items()}
    return {"learning_rate": rate, "layers": {"low": 1, "high": DEEPEST}, **layers}
