"""Columns that tell the target by themselves: often a copy of it under another name, or something known only afterwards.

What is told is judged on training rows alone, and only where it cannot well be chance:

- a column of numbers or dates tells a numeric target if the ranks of the two agree, up or down (Spearman's correlation beyond
  `_CORRELATION`), whatever monotone function lies between them;
- it tells classes if each class has a stretch of its numbers to itself;
- any column tells the target if each of its values goes with one value of the target, and values occur often enough for that to say
  something.
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .reading import Reading
from .values import category_codes, known_category

Codes = NDArray[np.int64]
_CORRELATION = 0.9995
# The probability of a false alarm for one column, as its logarithm.
_CHANCE = math.log(1e-9)
# Most columns are cleared by so many rows.
_FIRST_LOOK = 500


def telling_columns(
    frame: pd.DataFrame, target: NDArray[np.generic], kinds: Mapping[str, str], readings: Mapping[str, Reading]
) -> Iterator[str]:
    """The names of the columns that tell the target, in the table's order.

    Args:
        frame: The training rows (n,).
        target: Their targets (n,): float64 in regression, else the labels.
        kinds: What each column is used as, see `Schema`.
        readings: How the columns of numbers and dates are read.
    """
    is_number = target.dtype.kind == "f"
    y: NDArray[np.float64] = target.astype(np.float64) if is_number else pd.factorize(target)[0].astype(np.float64)
    first = np.linspace(0, len(y) - 1, min(_FIRST_LOOK, len(y))).astype(np.int64)
    for name, kind in kinds.items():
        tell = _numbers_tell if kind in ("numeric", "date", "calendar") else _categories_tell
        for rows in (first, slice(None)):
            if not tell(frame[name].iloc[rows], y[rows], is_number, readings[name]):
                break
        else:
            yield name


def _numbers_tell(column: pd.Series, y: NDArray[np.float64], is_number: bool, reading: Reading) -> bool:
    values = reading.apply(column).values
    there = np.isfinite(values)
    x, y_there = values[there], y[there]
    if there.sum() < max(10, 0.5 * len(y)) or len(np.unique(y_there)) < 2:
        return False
    if is_number and _rank_correlation(x, y_there) > _CORRELATION:
        return True
    if not is_number and _is_cut(x, y_there):
        return True
    return bool(there.all()) and _tells_each(pd.factorize(x)[0], y)


def _categories_tell(column: pd.Series, y: NDArray[np.float64], is_number: bool, reading: Reading) -> bool:
    return _tells_each(category_codes(column, known_category)[0] + 1, y)


def _rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Spearman's, without its sign; 0 where one has a few values only, whose ranks say little."""
    if min(len(np.unique(x)), len(np.unique(y))) < 10:
        return 0.0
    ranks = [pd.Series(values).rank().to_numpy() for values in (x, y)]
    return float(abs(np.corrcoef(*ranks)[0, 1]))


def _is_cut(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    """Whether the classes y lie one behind the other along x, and that is no chance: of n rows n! / (n_1! n_2! ...) orders do."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    changes = np.flatnonzero(y[1:] != y[:-1])
    sizes = np.unique(y, return_counts=True)[1]
    if len(changes) != len(sizes) - 1 or (x[changes] == x[changes + 1]).any():
        return False
    orders = math.lgamma(len(y) + 1) - sum(math.lgamma(size + 1) for size in sizes)
    return math.lgamma(len(sizes) + 1) - orders < _CHANCE


def _tells_each(codes: Codes, y: NDArray[np.float64]) -> bool:
    """Whether equal codes have equal y, and that is no chance: every row but the first of its code confirms it."""
    order = np.lexsort((y, codes))
    codes, y = codes[order], y[order]
    again = codes[1:] == codes[:-1]
    if not again.any() or (y[1:] != y[:-1])[again].any():
        return False
    shares = np.unique(y, return_counts=True)[1] / len(y)
    return len(shares) > 1 and int(again.sum()) * math.log((shares**2).sum()) < _CHANCE
