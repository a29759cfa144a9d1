"""What each column of a table is used as: numbers, categories, dates, or nothing that a network can learn from, with the reason.

The rules, in this order, judged on training rows alone; `numeric` and `categorical` of the data section override them:

- no value at all, or one value and none missing: left out. One value and the rest missing: used as a missing indicator.
- numbers: booleans (0 and 1), numbers of any type and texts that read as numbers, as `numerals` says. A column of numbers with
  words of its own for missing (see `reading`), or with a few other texts (under 10 %, over 20 distinct numbers), is numeric
  too, and those texts count as missing. Few distinct integers stay numeric.
- integers that only number the rows are left out: all distinct, at least 20 of them, and either 0 or 1 and on in steps of 1 in the
  table's order, or named like an identifier (id, ..._id, ...Id, index, key).
- dates and times of day (objects, or texts in the forms of `dates`): elapsed time and cycles, see `calendar`; left out under
  `dates = "drop"`; named in `numeric` they count as seconds.
- texts that name or describe the row are left out: at least 20 of them and over 90 % distinct, or more than 50
  distinct ones that are over half of all, or (free text) more than 50 distinct ones of over 60 characters on average.
  Where such a column is missing in 5 to 95 % of the rows, it is used as a missing indicator.
- everything else is categorical.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..._text import counted
from ..errors import UserError
from .dates import named_like_a_date
from .header import COLUMN_ROLES
from .reading import Reading, decimal_marks, remark_of, try_dates, try_numbers
from .values import Numbers, category_codes, factorize, known_category

if TYPE_CHECKING:
    from ..config.schema import DataConfig

IDENTIFIER = re.compile(
    r"(?i:id|index|key|uuid|guid|row_?(id|number|no))|.*(?i:[_\s.-](id|index|key|uuid|guid))"
    r"|.*[a-z](Id|ID)|Unnamed: \d+"
)
_FEW, _MANY = 20, 50
_FIRST = {"dmy": " with the day first", "mdy": " with the month first"}


@dataclass(frozen=True)
class Schema:
    """What the columns of a table (target apart) are used as.

    `inputs` are all of them in the table's order, `kinds` the used ones: "numeric", "date" (in seconds),
    "calendar" (a date's parts), "categorical" or "presence" (a missing indicator). `readings` say how the cells of used columns
    are read, `left_out` gives the reason for the others; `notes` are other remarks.
    """

    inputs: tuple[str, ...]
    kinds: Mapping[str, str]
    left_out: Mapping[str, str]
    notes: tuple[str, ...] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)

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
    readings: dict[str, Reading] = {}
    remarks: dict[str, dict[str, str]] = {}
    marks = decimal_marks(frame[[name for name in inputs if name not in left_out]])
    for name in inputs:
        if name in left_out:
            continue
        column, mark = frame[name], marks[name]
        use = _asked(name, column, asked[name], mark) if name in asked else _guess(name, column, mark, data.dates)
        if use.kind:
            kinds[name], readings[name] = use.kind, use.reading
        else:
            left_out[name] = use.reason
        for kind, remark in use.remarks.items():
            if remark:
                remarks.setdefault(kind, {})[name] = remark
    if not kinds:
        reasons = listed([f"{name} ({left_out[name]})" for name in inputs], 4) or "there is none beside the target"
        raise UserError(f"data: no column is left to learn from: {reasons}; numeric or categorical keep a column")
    ordered = {name: left_out[name] for name in inputs if name in left_out}
    return Schema(inputs, kinds, ordered, tuple(map(told, remarks.values())), readings)


def told(remarks: Mapping[str, str]) -> str:
    """One line for remarks of one kind: the first column's, and the names of the others."""
    (name, remark), *others = remarks.items()
    return f"{name}: {remark}" + (f"; likewise {listed([other for other, _ in others])}" if others else "")


@dataclass(frozen=True)
class _Use:
    """What one column is used as; `kind` "" where it is left out for a `reason`. `remarks` by their kind, "" for none."""

    kind: str
    reason: str = ""
    reading: Reading = field(default_factory=Reading)
    remarks: Mapping[str, str] = field(default_factory=dict)


def _asked(name: str, column: pd.Series, kind: str, mark: str) -> _Use:
    """Check what the user says of a column against its cells."""
    if kind == "categorical":
        return _Use(kind)
    reading, read, written = try_numbers(column, mark)
    if np.isfinite(read.values).any():
        return _Use("numeric", "", reading, _number_remarks(column, reading, read, written))
    _, cells = factorize(column)
    order = try_dates(name, column)
    if order is not None:
        return _Use("date", "", order)
    if read.non_numeric.any() or read.infinite.any():
        raise UserError(f"[data] numeric: column {name!r} holds no numbers, for instance {str(cells[0])[:40]!r}")
    return _Use("", "no value in any training row")


def _number_remarks(column: pd.Series, reading: Reading, read: Numbers, written: str) -> dict[str, str]:
    return {
        "written": remark_of(written, reading.decimal),
        "words": _words(column, reading),
        "unread": _not_numbers(read),
    }


def _words(column: pd.Series, reading: Reading) -> str:
    """Say which words of its own a column uses for missing numbers, and in how many cells."""
    if not reading.missing:
        return ""
    found = column[[isinstance(cell, str) and cell.strip().lower() in reading.missing for cell in column]]
    words = listed([repr(word) for word in dict.fromkeys(cell.strip() for cell in found)], 3)
    return f"{words} ({counted(len(found), 'cell')}) {'counts' if len(reading.missing) == 1 else 'count'} as missing"


def _not_numbers(read: Numbers) -> str:
    count = int((read.non_numeric | read.infinite).sum())
    cells = (
        "1 cell is not a finite number and counts" if count == 1 else f"{count} cells are not finite numbers and count"
    )
    return f"{cells} as missing" if count else ""


def _guess(name: str, column: pd.Series, mark: str, use_of_dates: str) -> _Use:
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, categories = category_codes(column, known_category)
        return _few_values(codes, len(categories)) or _Use("categorical")
    reading, read, written = try_numbers(column, mark)
    there = np.isfinite(read.values)
    unique = np.unique(read.values[there])
    n_non_numeric = int(read.non_numeric.sum())
    numeric = n_non_numeric == 0 or (len(unique) > _FEW and n_non_numeric < 0.1 * (there.sum() + n_non_numeric))
    if numeric:
        few = _few_values(np.where(there, 0, -1), len(unique))
        if few:
            return few
        if numbers_rows(name, read.values, column.index, unique):
            return _Use("", "integers that only number the rows")
    order = try_dates(name, column) if not numeric or named_like_a_date(name) else None
    if order is not None:
        return _dates(column, order, use_of_dates)
    if numeric:
        return _Use("numeric", "", reading, _number_remarks(column, reading, read, written))
    _, cells = factorize(column)
    if any(isinstance(cell, list | tuple | dict | set | bytes | np.ndarray) for cell in cells):
        return _Use("", "neither numbers nor texts")
    codes, categories = category_codes(column, known_category)
    return _few_values(codes, len(categories)) or _texts(codes, categories)


def _dates(column: pd.Series, reading: Reading, use: str) -> _Use:
    read = reading.apply(column)
    there = np.isfinite(read.values)
    few = _few_values(np.where(there, 0, -1), len(np.unique(read.values[there])))
    if few:
        return few
    if use == "drop":
        return _Use("", "dates")
    what = "times of day" if reading.order == "clock" else f"dates{_FIRST.get(reading.order, '')}"
    n_others = int(read.non_numeric.sum())
    others = f"; {counted(n_others, 'cell')} that cannot be read so count as missing" if n_others else ""
    remark = f'{what}, used as elapsed time and cycles{others}; data.dates = "drop" leaves them out'
    return _Use("calendar", "", reading, {"dates": remark})


def _few_values(codes: np.ndarray, n_distinct: int) -> _Use | None:
    if n_distinct == 0:
        return _Use("", "no value in any training row")
    if n_distinct == 1:
        return _Use("presence") if (codes < 0).any() else _Use("", "one value only")
    return None


def numbers_rows(name: str, values: np.ndarray, index: pd.Index, unique: np.ndarray) -> bool:
    """Say whether a column of integers is an identifier or a counter of the rows."""
    n = len(values)
    if n < _FEW or len(unique) != n or (unique != np.floor(unique)).any():
        return False
    if IDENTIFIER.fullmatch(name):
        return True
    positions = index.to_numpy() if index.dtype.kind in "iu" else np.arange(n)
    first = values[0] - positions[0]
    return bool(first in (0, 1) and (values - positions == first).all())


def _texts(codes: np.ndarray, categories: list[str]) -> _Use:
    there = int((codes >= 0).sum())
    many = len(categories)
    length = sum(map(len, categories)) / many
    if many > _MANY and length > 60:
        reason = "free text"
    elif (there >= _FEW and many > 0.9 * there) or many > max(_MANY, 0.5 * there):
        reason = "texts that are (nearly) all different"
    else:
        return _Use("categorical")
    if 0.05 <= 1 - there / len(codes) <= 0.95:
        return _Use("presence", remarks={"presence": f"{reason}; used as a missing indicator"})
    return _Use("", reason)
