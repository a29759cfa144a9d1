"""Cells as numbers, dates and category names, by their value and never by the column's dtype.

The dtype of a column depends on every row of a file (one stray text makes a column of integers a column of texts),
and so on rows that must not matter; a table may also arrive as CSV for the search and as Parquet for the prediction.
Reading cells by value gives the same result every time.
"""

import datetime
import math
import re
import warnings
from collections.abc import Callable
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_CODE = re.compile(r"[+-]?0\d", re.ASCII)
_TIME = r"([T ]\d{1,2}:\d{2}.*)?"
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}" + _TIME, re.ASCII)
_YEAR_LAST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})" + _TIME, re.ASCII)
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>", "?", "-"})
_TRUTH = {"true": True, "false": False}
_EPOCH = pd.Timestamp(0, tz="UTC")


def _is_real(value: Any) -> bool:
    return isinstance(value, Real | Decimal | np.integer | np.floating | np.bool_)


def number(value: Any) -> float | None:
    """The number that a cell stands for: NaN where it is missing, None where it is something else. Booleans are 0 and 1."""
    if isinstance(value, str):
        text = value.strip()
        lowered = text.lower()
        if lowered in _MISSING:
            return math.nan
        if lowered in _TRUTH:
            return float(_TRUTH[lowered])
        return float(text) if _NUMBER.fullmatch(text) or _INFINITE.fullmatch(text) else None
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
        text = value.strip()
        if text.lower() in _TRUTH:
            return text.capitalize()
        if not _NUMBER.fullmatch(text) or _CODE.match(text):
            return text or None
        value = float(text)
        if not math.isfinite(value):
            return text
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if _is_real(value):
        plain = number(value)
        if plain is None or math.isnan(plain):
            return None
        return str(int(plain)) if plain.is_integer() and abs(plain) < 2**53 else repr(plain)
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return str(value)


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


def numbers(column: pd.Series) -> Numbers:
    """Read a column as numbers. Booleans are 0 and 1, time spans are seconds."""
    kind = column.dtype
    non_numeric = np.zeros(len(column), dtype=np.bool_)
    if pd.api.types.is_timedelta64_dtype(kind):
        values = column.dt.total_seconds().to_numpy(dtype=np.float64)
    elif isinstance(kind, np.dtype) and kind.kind in "biuf":
        values = column.to_numpy(dtype=np.float64)
    elif pd.api.types.is_extension_array_dtype(kind) and _is_nullable_number(kind):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        codes, cells = factorize(column)
        parsed = [number(cell) for cell in cells]
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


def dates(column: pd.Series) -> NDArray[np.float64]:
    """The column as seconds since 1970 (n,) float64, NaN where missing or not a date. Dates without zone are UTC.

    Texts must begin with the year: 03/02/2024 is another day in another country.
    """
    codes, cells = factorize(column)
    plain = [_plain_date(cell) for cell in cells]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas would like one format for all cells; each is read on its own here
        stamps = pd.to_datetime(pd.Series(plain, dtype=object), utc=True, format="mixed", errors="coerce")
    seconds = (stamps - _EPOCH).dt.total_seconds().to_numpy(dtype=np.float64)
    return np.asarray(np.append(seconds, math.nan)[codes])


def _plain_date(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell.strip() if _DATE.fullmatch(cell.strip()) else None
    if isinstance(cell, pd.Period):
        return cell.to_timestamp()
    return cell if isinstance(cell, datetime.date | np.datetime64) else None


def are_dates(cells: list[Any]) -> bool:
    """True when every distinct cell is a date, as an object or as text such as 2024-03-01 or 01/03/2024 10:00."""
    return bool(cells) and all(
        bool(_DATE.fullmatch(cell.strip()) or _YEAR_LAST.fullmatch(cell.strip()))
        if isinstance(cell, str)
        else isinstance(cell, datetime.date | np.datetime64 | pd.Period)
        for cell in cells
    )
