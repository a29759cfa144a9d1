"""Rows that sum up the others, as spreadsheets end in one: among the rows to learn from, they are far from all of them."""

import pandas as pd

from .values import factorize

_WORDS = frozenset(
    (
        *("total", "totals", "grand total", "subtotal", "sum", "sums", "average", "mean"),
        *("gesamt", "gesamtsumme", "summe", "insgesamt", "mittelwert", "durchschnitt"),
        *("somme", "total général", "moyenne", "suma", "total general", "media", "totale", "somma", "totaal"),
    )
)
_LAST = 3


def total_remarks(frame: pd.DataFrame) -> list[str]:
    """A line where one of a table's last rows, and no other one, says in some column that it is a total.

    The index of `frame` holds the rows' positions in the table.
    """
    for name, column in frame.items():
        if pd.api.types.is_numeric_dtype(column.dtype) or not any(map(_is_total, column.iloc[-_LAST:])):
            continue
        codes, cells = factorize(column)
        rows = [int(row) for row in range(len(frame)) if codes[row] >= 0 and _is_total(cells[codes[row]])]
        if len(rows) == 1 and len(frame) > _LAST:
            cell = str(column.iloc[rows[0]]).strip()
            return [
                f"row {frame.index[rows[0]] + 1} says {cell!r} in {name}: a sum is not a row like the others; take it out of the "
                "table"
            ]
    return []


def _is_total(cell: object) -> bool:
    return isinstance(cell, str) and cell.strip().rstrip(":").strip().lower() in _WORDS
