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


# The columns: learning_rate, number of hidden layers, dropout, weight_decay, embedding, embedding_sigma, label_smoothing.
_PORTFOLIO: tuple[tuple[float, int, float, float, str, float | None, float], ...] = (
    (0.0088, 2, 0.07, 0.003, "cosine", 0.25, 0.0),
    (0.0135, 2, 0.01, 0.1, "periodic", 0.015, 0.0),
    (0.0035, 2, 0.01, 0.07, "cosine", 0.29, 0.0),
    (0.01, 2, 0.09, 0.03, "none", None, 0.0),
    (0.0025, 2, 0.11, 0.004, "periodic", 0.01, 0.0),
    (0.0146, 3, 0.3, 0.01, "cosine", 0.14, 0.1),
    (0.0118, 2, 0.29, 0.001, "cosine", 0.36, 0.1),
    (0.0158, 2, 0.08, 0.25, "none", None, 0.1),
)


def portfolio(n_rows: int) -> list[dict[str, Any]]:
    """Eight points of the default space that complement one another, to be tried first.

    A portfolio as of Feurer et al. 2022 ("Auto-sklearn 2.0", sect. 4.1): of random points, trained on the nine development
    tables, each is the one with which the ensemble of those so far gets the least loss, in the geometric mean over the tables
    (`tests/bench/bench_portfolio.py`; what it gains on a table that was left out is in docs/defaults.md).

    Args:
        n_rows: Training rows, which decide the width.
    """
    points = []
    for rate, depth, dropout, decay, embedding, sigma, smoothing in _PORTFOLIO:
        point = {
            "learning_rate": rate,
            "hidden": [width(n_rows)] * depth,
            "dropout": dropout,
            "weight_decay": decay,
            "embedding": embedding,
            "label_smoothing": smoothing,
        }
        points.append(point if sigma is None else {**point, "embedding_sigma": sigma})
    return points


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
