"""How the cells of one column are read: learned once, from training rows, and kept with the model.

A cell's meaning is a function of the cell and its column's `Reading`, never of the rows that it comes with. Texts out of a CSV file
and typed cells out of Parquet that say the same are read as the same.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import dates
from .dates import of_text
from .numerals import PLAIN, decimal_mark, parse, shown, split_unit, without_unit
from .values import (
    MISSING,
    MISSING_TEXTS,
    Numbers,
    category,
    category_of_text,
    category_with_marks,
    factorize,
    first_code,
    numbers,
    plain_texts,
)

# Words that stand for nothing wherever numbers are expected, beside those that are missing in any table.
_PLACEHOLDERS = frozenset(
    (
        *("#null!", "#value!", "#div/0!", "#ref!", "#name?", "#num!", "(null)", "<null>", "<none>", "nil", "\\n"),
        *(".", "..", "...", "*", "**", "--", "---", "_"),
        *(
            "n.v.",
            "n. v.",
            "k.a.",
            "k. a.",
            "n.a.",
            "n. a.",
            "n/d",
            "nd",
            "n.d.",
            "na.",
            "s.o.",
            "unbekannt",
            "keine angabe",
        ),
        *("not available", "not applicable", "not known", "missing", "unknown", "unk"),
    )
)
_FEW, _OWN_WORDS = 20, 2
_LOOKED_AT = 10_000  # distinct cells of a column, to find its unit


@dataclass(frozen=True)
class Reading:
    """How a column's cells become numbers, dates or categories.

    `decimal` is what a mark means that may be either ("." or ","), `missing` are the words, in small letters, that the column
    uses for missing numbers (and numbers, dates and categories, where the user has said so), `order` is how its dates are
    written (see `dates`), "" where it has none. `unit` is what stands after its numbers, in small letters, "" for nothing.
    """

    decimal: str = "."
    missing: tuple[str, ...] = ()
    order: str = ""
    unit: str = ""

    def apply(self, column: pd.Series) -> Numbers:
        """The column's numbers, or seconds where it has dates, and which cells are something else."""
        read = self._seconds(column) if self.order else self._numbers(column)
        if codes := missing_numbers(self.missing, self.decimal, self.order):
            values = np.where(np.isin(read.values, codes), np.nan, read.values)
            read = Numbers(values, read.non_numeric, read.infinite)
        if self.missing and read.non_numeric.any():
            words = read.non_numeric.copy()
            words[words] = [self._is_word(cell) for cell in column[words]]
            read = Numbers(read.values, read.non_numeric & ~words, read.infinite)
        return read

    def category(self, cell: Any) -> str | None:
        """The name of a cell's category, None where it is missing."""
        name = category_with_marks(cell, self.decimal) if isinstance(cell, str) else category(cell)
        return None if is_word(name, self.missing) else name

    def known_category(self, cell: Any) -> str | None:
        """The name of a cell's category, None also where it is a word that means missing in any table (NA, None, ?)."""
        name = self.category(cell)
        return None if name in MISSING_TEXTS else name

    def _is_word(self, cell: Any) -> bool:
        return str(cell).strip().lower() in self.missing or (bool(self.order) and is_word(category(cell), self.missing))

    def _numbers(self, column: pd.Series) -> Numbers:
        if self.unit:
            column = column.map(lambda cell: without_unit(cell, self.unit) if isinstance(cell, str) else cell)
        return numbers(column, self.decimal)

    def _seconds(self, column: pd.Series) -> Numbers:
        values = dates.seconds(column, self.order)
        codes, cells = factorize(column)
        there = np.array([not _is_missing(cell) for cell in cells] + [False], dtype=np.bool_)[codes]
        return Numbers(values, there & np.isnan(values), np.zeros(len(column), dtype=np.bool_))

    def to_json(self) -> dict[str, Any]:
        """The reading as strict JSON, from which `from_json` makes an equal one."""
        unit = {"unit": self.unit} if self.unit else {}
        return {"decimal": self.decimal, "missing": list(self.missing), "order": self.order, **unit}

    @classmethod
    def from_json(cls, data: Any, order: str = "") -> "Reading":
        """The reading that `to_json` wrote; where there is none, as in models of 0.1.0, the plain one. ValueError otherwise."""
        if data is None:
            return cls(order=order)
        if not isinstance(data, Mapping):
            raise ValueError(f"encoder: a reading must be an object, not {type(data).__name__}")
        decimal, missing, order = data.get("decimal"), data.get("missing"), data.get("order", "")
        if decimal not in (".", ",") or order not in ("", *dates.ORDERS):
            raise ValueError(
                f"encoder: a reading needs a decimal mark and an order of dates, not {decimal!r}, {order!r}"
            )
        if not isinstance(missing, list) or not all(isinstance(word, str) for word in missing):
            raise ValueError("encoder: the missing words of a reading must be a list of texts")
        if not isinstance(unit := data.get("unit", ""), str):
            raise ValueError(f"encoder: the unit of a reading must be a text, not {unit!r}")
        return cls(decimal, tuple(missing), order, unit)


def missing_numbers(words: Sequence[str], decimal: str, order: str = "") -> list[float]:
    """Those of a column's words for missing that are numbers, or dates: a cell of that value is missing, however written."""
    if order:
        return [seconds for word in words if not math.isnan(seconds := of_text(word.upper(), order))]
    return [value for word in words if (value := parse(word, decimal)) is not None]


def is_word(name: str | None, words: Sequence[str]) -> bool:
    """Say whether the name of a category is among the words for missing, in small letters; a number however it is written."""
    return name is not None and any(name.lower() in (word, category_of_text(word)) for word in words)


class Attempt(NamedTuple):
    """A column tried as numbers: the reading, what it gives, and the first cell that is written otherwise than plainly."""

    reading: Reading
    read: Numbers
    written: str


def try_numbers(column: pd.Series, decimal: str, missing: Sequence[str] | None = None) -> Attempt:
    """Read training cells as numbers and learn the column's own words for missing, unless `missing` says which they are.

    Such words are those that usually mean it (`.`, `n.v.`, `#NULL!`), where there are two numbers besides, and one or two
    of any kind where there are over 20 distinct numbers. The unit is learned too, if there is one.
    """
    if missing is not None:
        reading, read = _with_unit(column, Reading(decimal, normalised(missing)))
        return Attempt(reading, read, first_written(column, reading))
    reading = Reading(decimal)
    if decimal == "." and (values := plain_texts(column)) is not None:
        return Attempt(reading, numbers(pd.Series(values)), first_code(column))
    reading, read = _with_unit(column, reading)
    if read.non_numeric.any():
        words = {cell.strip().lower() for cell in _texts(column[read.non_numeric])}
        n_distinct = len(np.unique(read.values[np.isfinite(read.values)]))
        strange = words - _PLACEHOLDERS
        if n_distinct < 2 or (strange and n_distinct <= _FEW):
            words = set()
        elif len(strange) > _OWN_WORDS:
            words -= strange
        reading = replace(reading, missing=tuple(sorted(words)))
        read = reading.apply(column)
    return Attempt(reading, read, first_written(column, reading))


def _with_unit(column: pd.Series, reading: Reading) -> tuple[Reading, Numbers]:
    """The reading with the column's unit, if it has one, and what it gives."""
    read = reading.apply(column)
    if read.non_numeric.any() and (unit := _unit_of(_texts(column[read.non_numeric]), reading.decimal)):
        reading = replace(reading, unit=unit)
        read = reading.apply(column)
    return reading, read


def _unit_of(cells: Sequence[str], decimal: str) -> str:
    """The unit that nearly all of these cells have after a number, over 20 distinct numbers; "" where there is none."""
    texts = {text for cell in cells[:_LOOKED_AT] if (text := cell.strip()).lower() not in _PLACEHOLDERS}
    found: dict[str, set[float]] = {}
    for number, unit in map(split_unit, texts):
        if unit and (value := parse(number, decimal)) is not None:
            found.setdefault(unit, set()).add(value)
    unit, values = max(found.items(), key=lambda item: (len(item[1]), item[0]), default=("", set()))
    return unit if len(values) > max(_FEW, 0.9 * len(texts)) else ""


def try_dates(name: str, column: pd.Series, first: str = "", missing: Sequence[str] | None = None) -> Reading | None:
    """The reading of training cells that are dates or times of day, None where they are not.

    `first` is the order "dmy" or "mdy" of those in which either the day or the month may come first; "" to recognise it.
    `missing` are words and dates that the user says to be missing.
    """
    words = normalised(missing or ())
    codes, cells = factorize(column)
    there = [place for place, cell in enumerate(cells) if not _is_missing(cell) and not is_word(category(cell), words)]
    counts = np.bincount(codes[codes >= 0], minlength=len(cells))
    order = dates.recognised(name, [cells[place] for place in there], counts[there])
    if first and order in ("dmy", "mdy"):
        order = first
    return Reading(missing=words, order=order) if order else None


def category_reading(column: pd.Series, decimal: str, missing: Sequence[str] | None = None) -> Reading:
    """The reading of training cells that are categories; `decimal` is the column's mark, `missing` what the user says to be so.

    A decimal comma is one only where all cells are numbers and it makes no two of them one category, as it would of 1,2 and 1,20.
    """
    words = normalised(missing or ())
    cells = [cell for cell in _texts(column) if not _is_missing(cell) and not is_word(category_of_text(cell), words)]
    names = {cell: category_with_marks(cell, decimal) for cell in {cell.strip() for cell in cells}}
    numeric = all(parse(cell, decimal) is not None for cell in names)
    return Reading(decimal if numeric and len(set(names.values())) == len(names) else ".", words)


def normalised(words: Sequence[str]) -> tuple[str, ...]:
    """Words for missing as a reading has them."""
    return tuple(sorted({word.strip().lower() for word in words}))


def decimal_marks(frame: pd.DataFrame, decimal: str | None = None) -> dict[str, str]:
    """What a mark that may be either means in each column of training rows: `decimal`, or else what the column shows.

    A column that does not show it takes it from the others: commas, where one of them shows commas, and else points.
    """
    if decimal is not None:
        return {str(name): decimal for name in frame}
    marks = {name: decimal_mark(_texts(column)) if _holds(column, ",") else "" for name, column in frame.items()}
    usual = "," if "," in marks.values() else "."
    if usual == ",":  # else points are decimal ones wherever they may be
        marks |= {name: decimal_mark(_texts(frame[name])) for name, mark in marks.items() if not mark}
    return {str(name): {"?": usual, "": "."}.get(mark, mark) for name, mark in marks.items()}


def remark_of(written: str, reading: Reading) -> str:
    """What a cell that is not written plainly is read as, for a message; "" where there is no such cell."""
    value = parse(without_unit(written, reading.unit), reading.decimal)
    return "" if value is None else f"{written[:40]!r} is read as {shown(value)}"


def first_unread(column: pd.Series, unread: NDArray[np.bool_]) -> str:
    """The first cell that could not be read, for a message."""
    return repr(str(column[unread].iloc[0]).strip()[:40])


def _holds(column: pd.Series, mark: str) -> bool:
    if isinstance(column.dtype, pd.StringDtype):
        return bool(column.str.contains(mark, regex=False).any())
    return any(mark in cell for cell in _texts(column))


def _texts(column: pd.Series) -> list[str]:
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return []
    return [cell for cell in factorize(column)[1] if isinstance(cell, str)]


def first_written(column: pd.Series, reading: Reading) -> str:
    """The first cell that is a number and not written plainly, or a code that loses its zeros; "" where there is none."""
    decimal = reading.decimal
    if column.dtype.kind in "iu" or (decimal == "." and plain_texts(column) is not None):
        return first_code(column)
    for cell in _texts(column):
        text = cell.strip()
        plain = decimal == "." or "." not in text
        number = without_unit(text, reading.unit)
        if not (plain and PLAIN.fullmatch(text)) and parse(number, decimal) not in (None, np.inf, -np.inf):
            return text
    return ""


def _is_missing(cell: Any) -> bool:
    return isinstance(cell, str) and cell.strip().lower() in MISSING
