"""Rows that occur more than once: a copy on the other side of a split would be scored from memory.

Two rows are the same if all their columns say the same, the target included, except those of `[data] ignore` and those that only
number the rows. In a table of few values rows agree by chance, as answers to a questionnaire do; those are no copies, and held
together they would leave a split nothing to learn from. So rows are taken for copies only where there are

- many times (`_TIMES_CHANCE`) as many pairs of equal rows as independent columns of the same values would make, and
- not more than `_COPIES` rows for each different one.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .columns import IDENTIFIER, numbers_rows
from .values import category_codes, plain_texts

Codes = NDArray[np.int64]
_TIMES_CHANCE, _COPIES = 100.0, 5


def repeated_rows(frame: pd.DataFrame, target: NDArray[Any], ignored: Collection[str] = ()) -> Codes | None:
    """A number for each row (n,), the same for the same rows; None where no row is a copy of another one.

    Args:
        frame: The inputs, n rows.
        target: Their targets (n,).
        ignored: Columns that do not count.
    """
    counting = [name for name in frame.columns if name not in ignored and not _only_counts(name, frame[name])]
    codes = _same(frame, target, counting)
    return codes if codes is not None and _is_no_chance(codes, frame[counting]) else None


def count_shared(frame: pd.DataFrame, target: NDArray[Any], n_first: int, ignored: Collection[str] = ()) -> int:
    """How many rows from the position `n_first` on are copies of a row before it; 0 where rows agree by chance."""
    codes = repeated_rows(frame, target, ignored)
    return 0 if codes is None else int(np.isin(codes[n_first:], codes[:n_first]).sum())


def _only_counts(name: str, column: pd.Series) -> bool:
    """Say whether a column numbers or names the rows, so that copies have different cells there."""
    named, first = bool(IDENTIFIER.fullmatch(name)), _numbers(column.iloc[:1])
    if not named and (first is None or first[0] not in (0, 1)):
        return False
    values = _numbers(column)
    if values is None:
        return named and column.is_unique
    return numbers_rows(name, values, column.index, np.unique(values))


def _same(frame: pd.DataFrame, target: NDArray[Any], columns: list[str]) -> Codes | None:
    """The same code (n,) for equal rows, None where all differ. A row that differs from all others is not looked at again."""
    codes, sizes = _numbered(target)
    for name in columns:
        alike = np.flatnonzero(sizes[codes] > 1)
        if not len(alike):
            return None
        cells = _codes(frame[name].iloc[alike])
        pairs = codes[alike] * (cells.max() + 2) + cells
        codes[alike] = len(codes) + _numbered(pairs)[0]
        codes, sizes = _numbered(codes)
    return codes if (sizes > 1).any() else None


def _numbered(values: NDArray[Any]) -> tuple[Codes, Codes]:
    """Values (n,) as codes from 0 in the order of their first appearance, and how often each occurs."""
    codes = pd.factorize(values)[0].astype(np.int64)
    return codes, np.bincount(codes)


def _codes(column: pd.Series) -> Codes:
    """Cells (n,) as codes, -1 where missing: the same for cells that say the same, in whatever file they came."""
    values = _numbers(column)
    return category_codes(column)[0] if values is None else pd.factorize(values)[0].astype(np.int64)


def _numbers(column: pd.Series) -> NDArray[np.float64] | None:
    """The numbers (n,) of a column that has plain numbers only."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.to_numpy(dtype=np.float64)
    return plain_texts(column)


def _is_no_chance(codes: Codes, frame: pd.DataFrame) -> bool:
    n, sizes = len(codes), np.bincount(codes)
    if n > _COPIES * len(sizes):
        return False
    different = frame.iloc[np.unique(codes, return_index=True)[1]]
    # Not of the target, which is expected to depend on the inputs.
    expected = n * (n - 1) * np.prod([_coincidence(_codes(different[name])) for name in different])
    return bool(_pairs(sizes) > _TIMES_CHANCE * expected)


def _coincidence(codes: Codes) -> float:
    """The share of the pairs of cells of a column that are the same."""
    return _pairs(np.bincount(codes + 1)) / max(len(codes) * (len(codes) - 1), 1)


def _pairs(sizes: Codes) -> float:
    return float((sizes * (sizes - 1.0)).sum())
