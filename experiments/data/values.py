"""Cells as numbers and category names, by their value and never by the column's dtype.

The dtype of a column depends on every row of a file (one stray text makes a column of integers a column of texts),
and so on rows that must not matter; a table may also arrive as CSV for the search and as Parquet for the prediction.
Reading cells by value gives the same result every time.
"""

import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .numerals import PLAIN, parse

_CODE = re.compile(r"[+-]?0\d", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_MARKED = re.compile(r"[+-]?[\d.,]*[.,]\d+", re.ASCII)
_LONGEST = 4000  # of whole numbers that Python reads
EXACT = 2**53
"""From here on not every whole number is a float64."""
_WORDS = ("", "NA", "N/A", "n/a", "nan", "NaN", "-nan", "-NaN", "null", "NULL", "None", "<NA>", "?")
_OF_PROGRAMS = ("#N/A", "#N/A N/A", "#NA", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN")
# Among texts, where many a word is a category: what pandas takes as missing, and the question mark.
MISSING_TEXTS = frozenset((*_WORDS, *_OF_PROGRAMS))
MISSING = frozenset((*map(str.lower, MISSING_TEXTS), "-"))  # among numbers, in any case
_SPAN = re.compile(r"([+-]?\d+) days? \+?(\d\d):(\d\d):(\d\d(?:\.\d+)?)", re.ASCII)
_TRUTH = {"true": True, "false": False}


def _is_real(value: Any) -> bool:
    return isinstance(value, Real | Decimal | np.integer | np.floating | np.bool_)


def number_of_text(cell: str, decimal: str = ".") -> float | None:
    """What `number` says of a cell that is a text."""
    text = cell.strip()
    lowered = text.lower()
    if lowered in MISSING:
        return math.nan
    if lowered in _TRUTH:
        return float(_TRUTH[lowered])
    span = _SPAN.fullmatch(text)
    if span is not None:  # as pandas writes time spans
        days, hours, minutes, seconds = map(float, span.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + seconds
    return parse(text, decimal)


def number(value: Any, decimal: str = ".") -> float | None:
    """The number that a cell stands for: NaN where it is missing, None where it is something else. Booleans are 0 and 1.

    `decimal` is the mark that decides how a text such as 1,234 is read.
    """
    if isinstance(value, str):
        return number_of_text(value, decimal)
    if _is_real(value):
        try:
            return float(value)
        except OverflowError:
            return math.inf
        except ValueError:  # a signalling NaN of Decimal
            return math.nan
    return math.nan if value is None or value is pd.NA or value is pd.NaT else None


def category(value: Any) -> str | None:
    """The name of a cell's category, None where it is missing. 1, 1.0, "1" and "1.0" are one; "01" is another."""
    if isinstance(value, str):
        return category_of_text(value)
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if _is_real(value):
        plain = number(value)
        return None if plain is None or math.isnan(plain) else _category_of_number(plain)
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return str(value)


def category_of_text(cell: str) -> str | None:
    """What `category` says of a cell that is a text."""
    text = cell.strip()
    if text.lower() in _TRUTH:
        return text.capitalize()
    if not PLAIN.fullmatch(text) or _CODE.match(text):
        return text or None
    if _INTEGER.fullmatch(text) and len(text) < _LONGEST:
        return str(int(text))  # to the last digit, as identifiers need it
    value = float(text)
    return _category_of_number(value) if math.isfinite(value) else text


def category_with_marks(cell: str, decimal: str) -> str | None:
    """What `category_of_text` says where `decimal` may be a comma: 10,4 is the category that 10.4 is as a number."""
    text = cell.strip()
    if decimal == "," and _MARKED.fullmatch(text) and not _CODE.match(text):
        value = parse(text, decimal)
        return text if value is None else _category_of_number(value)
    return category_of_text(text)


def _category_of_number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)


def alike(names: Iterable[str]) -> list[str]:
    """The first names among these that differ in case or blanks alone, sorted; none where all differ in more."""
    spellings: dict[str, list[str]] = {}
    for name in sorted(names):
        spellings.setdefault(" ".join(name.casefold().split()), []).append(name)
    return next((found for found in spellings.values() if len(found) > 1), [])


def known_category(value: Any) -> str | None:
    """The name of a cell's category, None also where it is a word that means missing in any table (NA, None, ?)."""
    name = category(value)
    return None if name in MISSING_TEXTS else name


def factorize(column: pd.Series) -> tuple[NDArray[np.int64], list[Any]]:
    """Codes (n,) into the list of distinct cells, -1 where missing. Cells of two types differ (True is not 1)."""
    if column.dtype != object:
        codes, found = pd.factorize(column, use_na_sentinel=True)
        return codes.astype(np.int64), list(found)
    missing = column.isna().to_numpy()
    known: dict[Any, int] = {}
    cells: list[Any] = []
    codes = np.full(len(column), -1, dtype=np.int64)
    for row, cell in enumerate(column.to_list()):
        if missing[row]:
            continue
        try:
            code = known.setdefault((type(cell), cell), len(cells))
        except TypeError:  # lists and dictionaries cannot be keys
            code = known.setdefault((type(cell), repr(cell)), len(cells))
        if code == len(cells):
            cells.append(cell)
        codes[row] = code
    return codes, cells


def category_codes(
    column: pd.Series, name: Callable[[Any], str | None] = category
) -> tuple[NDArray[np.int64], list[str]]:
    """Codes (n,) into the list of distinct category names, -1 where missing."""
    codes, cells = factorize(column)
    places: dict[str, int] = {}
    place = np.full(len(cells) + 1, -1, dtype=np.int64)  # the last entry serves code -1
    for index, cell in enumerate(cells):
        text = name(cell)
        if text is not None:
            place[index] = places.setdefault(text, len(places))
    return place[codes], list(places)


class Numbers(NamedTuple):
    """A column read as numbers: `values` (n,) finite float64, NaN where there is none.

    `non_numeric` (n,) marks cells that are something else (texts, dates), `infinite` (n,) those beyond float64. Both count
    as missing wherever numbers are wanted.
    """

    values: NDArray[np.float64]
    non_numeric: NDArray[np.bool_]
    infinite: NDArray[np.bool_]


def numbers(column: pd.Series, decimal: str = ".") -> Numbers:
    """Read a column as numbers. Booleans are 0 and 1, time spans are seconds."""
    kind = column.dtype
    non_numeric = np.zeros(len(column), dtype=np.bool_)
    if pd.api.types.is_timedelta64_dtype(kind):
        values = column.dt.total_seconds().to_numpy(dtype=np.float64)
    elif isinstance(kind, np.dtype) and kind.kind in "biuf":
        values = column.to_numpy(dtype=np.float64)
    elif pd.api.types.is_extension_array_dtype(kind) and _is_nullable_number(kind):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    elif decimal != "." or (values := plain_texts(column)) is None:
        codes, cells = factorize(column)
        parsed = [number(cell, decimal) for cell in cells]
        values = np.array([math.nan if cell is None else cell for cell in [*parsed, math.nan]], dtype=np.float64)[codes]
        non_numeric = np.array([cell is None for cell in [*parsed, math.nan]], dtype=np.bool_)[codes]
    infinite = np.isinf(values)
    return Numbers(np.where(infinite, np.nan, values) if infinite.any() else values, non_numeric, infinite)


def mean_and_scale(values: NDArray[np.float64]) -> tuple[float, float]:
    """(mean, scale) of finite numbers (n,): the standard deviation, or 1 where they are all (nearly) the same.

    Numbers so large that their rounding alone exceeds 1 get that rounding as their scale.
    """
    # The squares of very large or small numbers leave the range; a power of two changes no bit of the result.
    unit = float(np.ldexp(1.0, int(np.frexp(np.abs(values).max())[1]) - 1))
    mean, deviation = float((values / unit).mean()), float((values / unit).std())
    rounding, scale = 20 * np.finfo(np.float64).eps, deviation * unit
    # The scale of numbers that are hardly larger than 0 may vanish.
    if deviation > rounding and scale >= np.finfo(np.float64).tiny:
        return mean * unit, scale
    return mean * unit, max(1.0, rounding * unit)


def _is_nullable_number(kind: Any) -> bool:
    return not isinstance(kind, pd.CategoricalDtype | pd.SparseDtype) and getattr(kind, "kind", "O") in "biuf"


def first_code(column: pd.Series) -> str:
    """The first cell that is a whole number and says more than a float64 holds: zeros before it, or over 15 digits; else ""."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.dtype.kind in "iu" and len(column):
        large = column[(column >= EXACT) | (column <= -EXACT)]
        return "" if large.empty else str(large.iloc[0])
    if not (column.dtype == object or isinstance(column.dtype, pd.StringDtype)):
        return ""
    try:
        texts = pc.utf8_trim_whitespace(pa.array(column, type=pa.string(), from_pandas=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return ""
    codes = texts.filter(pc.match_substring_regex(texts, r"^[+-]?(0\d+|\d{16,})$"))
    return str(codes[0]) if len(codes) else ""


def plain_texts(column: pd.Series) -> NDArray[np.float64] | None:
    """The numbers (n,) of a column of texts that are all plain numbers or missing, at once; None for any other column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (column.dtype == object or isinstance(column.dtype, pd.StringDtype)):
        return None
    try:
        texts = pc.utf8_trim_whitespace(pa.array(column, type=pa.string(), from_pandas=True))
        missing = pc.is_in(pc.utf8_lower(texts), value_set=pa.array(sorted(MISSING)))
        found = pc.cast(pc.if_else(missing, pa.scalar(None, pa.string()), texts), pa.float64())
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return None
    values: NDArray[np.float64] = found.to_numpy(zero_copy_only=False)
    return values
