"""What each column of a table is used as: numbers, categories, or nothing that a network can learn from, with the reason.

The rules, in this order, judged on training rows alone; `numeric` and `categorical` of the data section override them:

- no value at all, or one value and none missing: left out. One value and the rest missing: used as a missing indicator.
- dates (objects, or texts such as 2024-03-01): left out; named in `numeric` they count as seconds.
- numbers: booleans (0 and 1), numbers of any type and texts that read as numbers. A column of numbers with a few
  other texts (under 10 %, over 20 distinct numbers) is numeric too, and those texts count as missing. Few distinct
  integers stay numeric.
- integers that only number the rows are left out: all distinct, at least 20 of them, and either steadily rising or
  falling in the table, or named like an identifier (id, ..._id, ...Id, index, key), or (from 50 rows on) packed as
  densely as a row count.
- texts that name or describe the row are left out: at least 20 of them and over 90 % distinct, or more than 50
  distinct ones that are over half of all, or (free text) more than 50 distinct ones of over 60 characters on average.
  Where such a column is missing in 5 to 95 % of the rows, it is used as a missing indicator.
- everything else is categorical.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..errors import UserError
from .header import COLUMN_ROLES
from .values import Numbers, are_dates, category_codes, dates, factorize, numbers

if TYPE_CHECKING:
    from ..config.schema import DataConfig

_IDENTIFIER = re.compile(
    r"(?i:id|index|key|uuid|guid|row_?(id|number|no))|.*(?i:[_\s.-](id|index|key|uuid|guid))"
    r"|.*[a-z](Id|ID)|Unnamed: \d+"
)
_FEW, _MANY = 20, 50


@dataclass(frozen=True)
class Schema:
    """What the columns of a table (target apart) are used as.

    `inputs` are all of them in the table's order, `kinds` the used ones: "numeric", "date" (in seconds),
    "categorical" or "presence" (a missing indicator). `left_out` gives the reason for the others; `notes`
    are other remarks.
    """

    inputs: tuple[str, ...]
    kinds: Mapping[str, str]
    left_out: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def messages(self) -> tuple[str, ...]:
        """One line for each reason, naming the columns; then the notes."""
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            if reason not in _BY_REQUEST:
                by_reason.setdefault(reason, []).append(name)
        return (*(f"left out, {reason}: {listed(names)}" for reason, names in by_reason.items()), *self.notes)


_BY_REQUEST = ("ignore", "group", "time", "weight")


def listed(names: list[str], limit: int = 8) -> str:
    """The first few of `names` for a message, and how many more there are."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def infer_schema(frame: pd.DataFrame, data: "DataConfig") -> Schema:
    """The use of each input column, inferred from the training rows.

    `frame` has all columns but the target, and its index holds the rows' positions in the table. `group` and `time` are used as
    inputs only when they are named in `numeric` or `categorical`. Raises UserError for a column without numbers named in
    `numeric`, and when no column is left.
    """
    asked = {name: kind for kind in ("numeric", "categorical") for name in getattr(data, kind)}
    left_out: dict[str, str] = dict.fromkeys(data.ignore, "ignore")
    for role in COLUMN_ROLES:
        name = getattr(data, role)
        if name is not None and name not in asked:
            left_out[name] = role
    inputs = tuple(frame.columns)
    kinds: dict[str, str] = {}
    notes: list[str] = []
    for name in inputs:
        if name in left_out:
            continue
        column = frame[name]
        kind, reason, note = _asked(name, column, asked[name]) if name in asked else _guess(name, column)
        if kind:
            kinds[name] = kind
        else:
            left_out[name] = reason
        if note:
            notes.append(f"{name}: {note}")
    if not kinds:
        reasons = listed([f"{name} ({left_out[name]})" for name in inputs], 4) or "there is none beside the target"
        raise UserError(f"data: no column is left to learn from: {reasons}; numeric or categorical keep a column")
    ordered = {name: left_out[name] for name in inputs if name in left_out}
    return Schema(inputs, kinds, ordered, tuple(notes))


def _asked(name: str, column: pd.Series, kind: str) -> tuple[str, str, str]:
    """Check what the user says of a column against its cells; the result is that of `_guess`."""
    if kind == "categorical":
        return kind, "", ""
    read = numbers(column)
    if np.isfinite(read.values).any():
        return "numeric", "", _not_numbers(read)
    _, cells = factorize(column)
    if np.isfinite(dates(column)).any():
        return "date", "", ""
    if cells:
        raise UserError(f"[data] numeric: column {name!r} holds no numbers, for instance {str(cells[0])[:40]!r}")
    return "", "no value in any training row", ""


def _not_numbers(read: Numbers) -> str:
    count = int((read.non_numeric | read.infinite).sum())
    cells = (
        "1 cell is not a finite number and counts" if count == 1 else f"{count} cells are not finite numbers and count"
    )
    return f"{cells} as missing" if count else ""


def _guess(name: str, column: pd.Series) -> tuple[str, str, str]:
    """Infer (kind, "", note) for a column in use, or ("", reason, note) for one left out."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, categories = category_codes(column)
        return _few_values(codes, len(categories)) or ("categorical", "", "")
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype):
        return ("", "dates", "") if column.notna().any() else ("", "no value in any training row", "")
    read = numbers(column)
    there = np.isfinite(read.values)
    unique = np.unique(read.values[there])
    n_non_numeric = int(read.non_numeric.sum())
    if n_non_numeric == 0 or (len(unique) > _FEW and n_non_numeric < 0.1 * (there.sum() + n_non_numeric)):
        few = _few_values(np.where(there, 0, -1), len(unique))
        if few:
            return few
        if _numbers_rows(name, read.values, column.index, unique):
            return "", "integers that only number the rows", ""
        return "numeric", "", _not_numbers(read)
    codes, cells = factorize(column)
    if are_dates(cells):
        return "", "dates", ""
    if any(isinstance(cell, list | tuple | dict | set | bytes | np.ndarray) for cell in cells):
        return "", "neither numbers nor texts", ""
    codes, categories = category_codes(column)
    return _few_values(codes, len(categories)) or _texts(codes, categories)


def _few_values(codes: np.ndarray, n_distinct: int) -> tuple[str, str, str] | None:
    if n_distinct == 0:
        return "", "no value in any training row", ""
    if n_distinct == 1:
        return ("presence", "", "") if (codes < 0).any() else ("", "one value only", "")
    return None


def _numbers_rows(name: str, values: np.ndarray, index: pd.Index, unique: np.ndarray) -> bool:
    """Say whether a column of integers is an identifier or a counter of the rows."""
    n = len(values)
    if n < _FEW or len(unique) != n or (unique != np.floor(unique)).any():
        return False
    if _IDENTIFIER.fullmatch(name):
        return True
    steps = np.diff(values)
    if (steps > 0).all() or (steps < 0).all():
        return True
    if n < _MANY:
        return False
    positions = index.to_numpy() if index.dtype.kind in "iu" else np.arange(n)
    return bool(unique[-1] - unique[0] <= 1.5 * (positions.max() - positions.min()))


def _texts(codes: np.ndarray, categories: list[str]) -> tuple[str, str, str]:
    there = int((codes >= 0).sum())
    many = len(categories)
    length = sum(map(len, categories)) / many
    if many > _MANY and length > 60:
        reason = "free text"
    elif (there >= _FEW and many > 0.9 * there) or many > max(_MANY, 0.5 * there):
        reason = "texts that are (nearly) all different"
    else:
        return "categorical", "", ""
    if 0.05 <= 1 - there / len(codes) <= 0.95:
        return "presence", "", f"{reason}; used as a missing indicator"
    return "", reason, ""
