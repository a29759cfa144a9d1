"""The default search spaces, for sweep files without a [space] table."""

from __future__ import annotations

from typing import Any

from ..._text import hint

TASKS = ("classification", "regression")


def width(n_rows: int) -> int:
    """The width of all hidden layers of the default space, by the number of training rows.

    One width, so that trials of one depth and embedding train in one stack.
    """
    return 64 if n_rows < 1000 else 128 if n_rows < 10_000 else 256


def default_space(n_rows: int, task: str, n_numeric: int = 1) -> dict[str, Any]:
    """The default [space] table: what makes multilayer perceptrons strong on tables.

    Rates and regularisation are ranges; what changes the structure has few choices (two depths of one width, two embeddings of
    numbers or none), because only trials of one structure train in one stack. The ranges are those in which the good
    configurations of the development tables lie (docs/defaults.md).

    Args:
        n_rows: Training rows.
        task: classification or regression.
        n_numeric: How many of the network's inputs are numbers; without any there is nothing to embed.

    Raises:
        ValueError: For another task.
    """
    _check_task(task)
    units = width(n_rows)
    space: dict[str, Any] = {
        "learning_rate": {"low": 1e-3, "high": 2e-2, "log": True},
        "hidden": [[units, units], [units, units, units]],
        "dropout": {"low": 0.0, "high": 0.4},
        "weight_decay": {"low": 1e-3, "high": 3e-1, "log": True},
    }
    if n_numeric:
        space["embedding"] = ["periodic", "cosine", "none"]
        space["embedding_sigma"] = {"low": 0.01, "high": 1.0, "log": True}
    if task == "classification":
        space["label_smoothing"] = [0.0, 0.1]
    return space


def plain_space(n_rows: int, task: str) -> dict[str, Any]:
    """The default [space] table of plain networks (`preset = "plain"`): rate, width, batch size and regularisation.

    Raises ValueError for a task other than classification and regression.
    """
    _check_task(task)
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
    rate = plain_space(n_rows, task)["learning_rate"]
    widths = [16, 32, 64, 128] if n_rows < 10000 else [32, 64, 128, 256]
    each: dict[str, list[Any]] = {
        "units": widths,
        "activation": ["relu", "silu", "tanh"],
        "batch_norm": [False, True],
        "skip": [False, True],
    }
    layers = {f"{family}_{i}": list(choices) for i in range(1, DEEPEST + 1) for family, choices in each.items()}
    return {"learning_rate": rate, "layers": {"low": 1, "high": DEEPEST}, **layers}


def _check_task(task: str) -> None:
    if task not in TASKS:
        raise ValueError(f"task: {task!r} is not a task{hint(task, TASKS)}")
