"""What each column of a table is used as: numbers, categories, dates, or nothing that a network can learn from, with the reason.

The rules, in this order, judged on training rows alone; `numeric` and `categorical` of the data section override them:

- no value at all, or one value and none missing: left out. One value and the rest missing: used as a missing indicator.
- numbers: booleans (0 and 1), numbers of any type and texts that read as numbers, as `numerals` says. A column of numbers with
  words of its own for missing or a unit (see `reading`), or with a few other texts (under 10 %, over 20 distinct numbers), is
  numeric too, and those texts count as missing. Few distinct integers stay numeric.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..._text import counted, joined, listed
from ..errors import UserError
from ..gathered import Gathered
from .dates import named_like_a_date
from .header import COLUMN_ROLES
from .numerals import parse, without_unit
from .reading import Reading, category_reading, decimal_marks, normalised, remark_of, try_dates, try_numbers
from .values import Numbers, alike, category_codes, factorize

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
    are read, `left_out` gives the reason for the others; `remarks` are what else there is to say, by kind and column.
    """

    inputs: tuple[str, ...]
    kinds: Mapping[str, str]
    left_out: Mapping[str, str]
    remarks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    readings: Mapping[str, Reading] = field(default_factory=dict)

    @property
    def messages(self) -> tuple[str, ...]:
        """One line for each reason and each kind of remark, naming the columns; those first that cost most if they are wrong."""
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            if reason not in BY_REQUEST:
                by_reason.setdefault(reason, []).append(name)
        guessed = sorted(self.remarks, key=list(OVERRIDES).index)
        return (
            *(
                f"left out, {reason}: {listed(by_reason[reason])}; {KEEPS[reason]}"
                for reason in by_reason
                if reason in KEEPS
            ),
            *(f"{told(self.remarks[kind])}; {OVERRIDES[kind]}" for kind in guessed),
            *(f"left out, {reason}: {listed(names)}" for reason, names in by_reason.items() if reason not in KEEPS),
        )


BY_REQUEST = ("ignore", "group", "time", "weight")
# What in [data] undoes a guess: by the reason for which a column is left out, and by the kind of remark
KEEPS = {
    "integers that only number the rows": "data.numeric keeps them",
    "free text": "data.categorical keeps them",
    "texts that are (nearly) all different": "data.categorical keeps them",
}
# (those of dates have it inside). Those come first that cost most if they are wrong.
OVERRIDES = {
    "unread": "data.categorical takes all as texts",
    "mark": "data.decimal says it instead",
    "words": "data.missing says it instead",
    "presence": "data.categorical keeps the texts",
    "dates": 'data.dates says it instead ("dmy", "mdy"), or drops them ("drop")',
    "written": "data.categorical takes them as texts",
    "spelling": "one spelling in the table makes them one",
}


def infer_schema(frame: pd.DataFrame, data: "DataConfig") -> Schema:
    """The use of each input column, as `recognised` gives it. Raises UserError also when no column is left to learn from."""
    schema = recognised(frame, data)
    if not schema.kinds:
        reasons = [f"{name} ({schema.left_out[name]})" for name in schema.inputs]
        raise UserError(
            f"data: no column is left to learn from: {listed(reasons, 4) or 'there is none beside the target'}; "
            "numeric or categorical keep a column"
        )
    return schema


def recognised(frame: pd.DataFrame, data: "DataConfig") -> Schema:
    """The use of each input column, inferred from the training rows.

    `frame` has all columns but the target, and its index holds the rows' positions in the table. `group` and `time` are used as
    inputs only when they are named in `numeric` or `categorical`. Raises UserError for a column without numbers named in
    `numeric`.
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
    found = Gathered()
    marks = decimal_marks(frame[[name for name in inputs if name not in left_out]], data.decimal)
    for name in inputs:
        if name in left_out:
            continue
        column, mark = frame[name], marks[name]
        if name in asked:
            use = found.value(_asked, name, column, asked[name], mark, data) or _Use("", "no numbers")
        else:
            use = _guess(name, column, mark, data)
        if use.kind:
            kinds[name], readings[name] = use.kind, use.reading
        else:
            left_out[name] = use.reason
        for kind, remark in use.remarks.items():
            if remark:
                remarks.setdefault(kind, {})[name] = remark
    found.raise_any()
    ordered = {name: left_out[name] for name in inputs if name in left_out}
    return Schema(inputs, kinds, ordered, remarks, readings)


def brief(lines: Sequence[str], most: int) -> list[str]:
    """The lines, `most` at most: the last of them then says how many are left, and where they are."""
    if len(lines) <= most:
        return list(lines)
    left = len(lines) - most + 1
    return [*lines[: most - 1], f"and {left} more remarks on columns, which `mlptune columns` shows"]


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


def _asked(name: str, column: pd.Series, kind: str, mark: str, data: "DataConfig") -> _Use:
    """Check what the user says of a column against its cells."""
    if kind == "categorical":
        reading = category_reading(column, mark, data.missing)
        return _Use(kind, "", reading, _spellings(category_codes(column, reading.known_category)[1]))
    reading, read, written = try_numbers(column, mark, data.missing)
    if np.isfinite(read.values).any():
        return _Use("numeric", "", reading, _number_remarks(column, reading, read, written))
    _, cells = factorize(column)
    order = try_dates(name, column, _first(data), data.missing)
    if order is not None:
        return _Use("date", "", order)
    if read.non_numeric.any() or read.infinite.any():
        raise UserError(f"[data] numeric: column {name!r} holds no numbers, for instance {str(cells[0])[:40]!r}")
    return _Use("", "no value in any training row")


def _number_remarks(column: pd.Series, reading: Reading, read: Numbers, written: str) -> dict[str, str]:
    is_read, number = remark_of(written, reading), without_unit(written, reading.unit)
    ambiguous = bool(written) and parse(number, ".") != parse(number, ",")
    return {
        "mark" if ambiguous else "written": is_read,
        "words": _words(column, reading),
        "unread": _not_numbers(read),
    }


def _words(column: pd.Series, reading: Reading) -> str:
    """Say which words of its own a column uses for missing numbers, and in how many cells."""
    if not reading.missing:
        return ""
    found = column[[isinstance(cell, str) and cell.strip().lower() in reading.missing for cell in column]]
    if found.empty:
        return ""
    words = listed([repr(word) for word in dict.fromkeys(cell.strip() for cell in found)], 3)
    return f"{words} ({counted(len(found), 'cell')}) {'counts' if len(reading.missing) == 1 else 'count'} as missing"


def _not_numbers(read: Numbers) -> str:
    count = int((read.non_numeric | read.infinite).sum())
    cells = (
        "1 cell is not a finite number and counts" if count == 1 else f"{count} cells are not finite numbers and count"
    )
    return f"{cells} as missing" if count else ""


def _first(data: "DataConfig") -> str:
    """What [data] says of dates in which either the day or the month may come first, "" for nothing."""
    return data.dates if data.dates in ("dmy", "mdy") else ""


def _guess(name: str, column: pd.Series, mark: str, data: "DataConfig") -> _Use:
    words = Reading(missing=normalised(data.missing or ()))
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, categories = category_codes(column, words.known_category)
        return _few_values(codes, len(categories)) or _Use("categorical", "", words, _spellings(categories))
    reading, read, written = try_numbers(column, mark, data.missing)
    there = np.isfinite(read.values)
    unique = np.unique(read.values[there])
    n_non_numeric = int(read.non_numeric.sum())
    numeric = n_non_numeric == 0 or (len(unique) > _FEW and n_non_numeric < 0.1 * (there.sum() + n_non_numeric))
    if numeric:
        few = _few_values(np.where(there, 0, -1), len(unique))
        if few:
            return replace(few, reading=words)
        if numbers_rows(name, read.values, column.index, unique):
            return _Use("", "integers that only number the rows")
    order = try_dates(name, column, _first(data), data.missing) if not numeric or named_like_a_date(name) else None
    if order is not None:
        return _dates(column, order, data.dates)
    if numeric:
        return _Use("numeric", "", reading, _number_remarks(column, reading, read, written))
    _, cells = factorize(column)
    if any(isinstance(cell, list | tuple | dict | set | bytes | np.ndarray) for cell in cells):
        return _Use("", "neither numbers nor texts")
    codes, categories = category_codes(column, words.known_category)
    return replace(_few_values(codes, len(categories)) or _texts(codes, categories), reading=words)


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
    return _Use("calendar", "", reading, {"dates": f"{what}, used as elapsed time and cycles{others}"})


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


def _spellings(categories: Sequence[str]) -> dict[str, str]:
    """Say which categories may be one, written in several ways."""
    names = alike(categories)
    differ = f"{joined([repr(name) for name in names])} differ in case or blanks alone" if names else ""
    return {"spelling": differ + ", and are told apart" if differ else ""}


def _texts(codes: np.ndarray, categories: list[str]) -> _Use:
    there = int((codes >= 0).sum())
    many = len(categories)
    length = sum(map(len, categories)) / many
    if many > _MANY and length > 60:
        reason = "free text"
    elif (there >= _FEW and many > 0.9 * there) or many > max(_MANY, 0.5 * there):
        reason = "texts that are (nearly) all different"
    else:
        return _Use("categorical", remarks=_spellings(categories))
    if 0.05 <= 1 - there / len(codes) <= 0.95:
        return _Use("presence", remarks={"presence": f"{reason}; used as a missing indicator"})
    return _Use("", reason)
