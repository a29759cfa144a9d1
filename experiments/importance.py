"""How much a model's score falls when a column is shuffled (permutation importance, Breiman 2001; Fisher et al. 2019)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .model import TunedModel, encode, evaluator


def permutation_importance(
    model: TunedModel, frame: pd.DataFrame, y: ArrayLike, weight: ArrayLike | None, metric: str
) -> dict[str, float]:
    """The metric's value on these rows minus that with the cells of one column shuffled, by column.

    Each column is shuffled once, by a stream that is the same in every call. Rows are encoded once: a row's features depend on
    its own cells alone, so shuffling a column's features is shuffling its cells.
    """
    value, encoded = evaluator(model, y, weight, metric), encode(model, frame)
    whole, random = value(encoded), np.random.default_rng(0)
    drops = {}
    for column in model.parts[0].encoder.columns:
        order = random.permutation(len(frame))
        drops[column] = whole - value(_shuffled(model, encoded, column, order))
    return drops


def _shuffled(
    model: TunedModel, encoded: Sequence[NDArray[Any]], column: str, order: NDArray[np.intp]
) -> list[NDArray[Any]]:
    """The rows with one column's cells in another order; parts of one encoding still share the array."""
    shuffled: dict[int, NDArray[Any]] = {}
    for part, X in zip(model.parts, encoded, strict=True):
        if id(X) not in shuffled:
            places = part.encoder.places(column)
            changed = X.copy()
            changed[:, places] = X[np.ix_(order, places)]
            shuffled[id(X)] = changed
    return [shuffled[id(X)] for X in encoded]
