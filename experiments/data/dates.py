"""Dates and times of day as seconds, from objects and from texts in the forms that tables hold.

One cell is read by itself. Of its column the `order` has to be known: "ymd" (2024-03-01, 01.03.2024 and forms with the month's
name, which say themselves what is what), "dmy" (01/03/2024), "mdy" (03/01/2024), "clock" (13:08, and 125:30 that something took),
"digits" (20240301 or 240301). Years of two digits are 1936 to 2035.
"""

import datetime
import math
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .values import factorize

ORDERS = ("ymd", "dmy", "mdy", "clock", "digits")
_PIVOT = 36
_LOOK = 200
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_NAME = re.compile(r"(?i:.*(date|datum|fecha|day|time|zeit|(^|[_\s.-])(dt|ymd|yyyymmdd)($|[_\s.-])).*)")
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(:(?P<second>\d{2}(\.\d+)?))?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
_AFTER = rf"([T ,]\s*{_CLOCK}\s*(?P<zone>Z|UTC|GMT|[+-]\d{{2}}:?\d{{2}})?)?"
_MONTH = r"(?P<name>[A-Za-zäÄéûÉ]{3,9})\.?"
_FORMS = {
    order: [re.compile(form + (_AFTER if order != "digits" else ""), re.ASCII) for form in forms]
    for order, forms in {
        "ymd": [
            r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
            r"(?P<year>\d{4})[-/](?P<month>\d{1,2})",
            rf"(?P<day>\d{{1,2}})\.?[-/. ]?{_MONTH}[-/., ]*(?P<year>\d{{4}}|\d{{2}})",
            rf"{_MONTH} (?P<day>\d{{1,2}})(?:,| ,|, | ) ?(?P<year>\d{{4}})",
            rf"{_MONTH}[-/., ]+(?P<year>\d{{4}}|\d{{2}})",
            rf"(?P<year>\d{{4}})[-/. ]{_MONTH}([-/. ](?P<day>\d{{1,2}}))?",
            r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
        ],
        "dmy": [r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4}|\d{2})"],
        "mdy": [r"(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[-/.](?P<year>\d{4}|\d{2})"],
        "digits": [
            r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
            r"(?P<year>\d{2})(?P<month>\d{2})(?P<day>\d{2})",
        ],
    }.items()
}
_TIME = re.compile(_CLOCK.replace(r"\d{1,2}", r"\d{1,4}", 1), re.ASCII)  # also how long something took
_MONTHS = tuple(
    names.split()
    for names in (
        "january januar janvier", "february februar février fevrier", "march märz maerz mrz mars", "april avril", "may mai",
        "june juni juin", "july juli juillet", "august août aout", "september septembre", "october oktober octobre",
        "november novembre", "december dezember décembre decembre",
    )
)  # fmt: skip


def seconds(column: pd.Series, order: str = "ymd") -> NDArray[np.float64]:
    """The column as seconds since 1970 (n,) float64, NaN where missing or not a date. Dates without zone are UTC.

    Under the order "clock" they are the seconds since midnight.
    """
    codes, cells = factorize(column)
    found = np.array([of_text(cell.strip(), order) if isinstance(cell, str) else math.nan for cell in cells])
    others = [place for place, cell in enumerate(cells) if not isinstance(cell, str)]
    if others:
        found[others] = _of_objects([cells[place] for place in others], order)
    return np.asarray(np.append(found, math.nan)[codes], dtype=np.float64)


def recognised(name: str, cells: Sequence[Any], counts: NDArray[np.int64]) -> str:
    """The order in which distinct `cells`, that occur `counts` times, are dates; "" where they are none.

    Nearly all of many must be dates, all of few. A number is one only under a name such as `date`, and only if each cell is.
    """
    if not cells:
        return ""
    if all(_is_number(cell) for cell in cells):
        if not named_like_a_date(name):
            return ""
        read = np.isfinite(seconds(pd.Series(list(cells), dtype=object), "digits"))
        lengths = {len(str(int(float(cell))).zfill(6)) for cell in cells}
        return "digits" if read.all() and len(lengths) == 1 else ""
    column = pd.Series(list(cells), dtype=object)
    orders = ("ymd", "dmy", "mdy", "clock")
    if len(cells) > _LOOK and not any(np.isfinite(seconds(column[:_LOOK], order)).mean() > 0.5 for order in orders):
        return ""  # most columns of many texts are no dates, and need not be read to the end for that
    shares = {order: counts[np.isfinite(seconds(column, order))].sum() for order in orders}
    best = max(shares.values())
    needed = counts.sum() if len(cells) <= 20 else 0.9 * counts.sum()
    if best == 0 or best < needed:
        return ""
    tied = [order for order in shares if shares[order] == best]
    if "ymd" in tied or len(tied) == 1:
        return tied[0]
    return "dmy" if any("." in str(cell) for cell in cells) else "mdy"


def named_like_a_date(name: str) -> bool:
    """Say whether whole numbers under this name may be dates."""
    return _NAME.fullmatch(name) is not None


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float | np.integer | np.floating) or (
        isinstance(cell, str) and cell.strip().removesuffix(".0").isdigit()
    )


def of_text(text: str, order: str) -> float:
    """The seconds that a stripped text says under an order, NaN where it is no date."""
    if order == "clock":
        found = _TIME.fullmatch(text)
        return math.nan if found is None else _time_of(found)
    if order == "digits" and text.removesuffix(".0").isdigit():
        text = text.removesuffix(".0").zfill(6)  # a column of numbers has lost the zeros of 070101
    for known in dict.fromkeys((order, "ymd")):
        for form in _FORMS[known]:
            found = form.fullmatch(text)
            if found is not None:
                value = _date_of(found)
                if not math.isnan(value):
                    return value
    return math.nan


def _date_of(found: re.Match[str]) -> float:
    parts = found.groupdict()
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 2000 if year < _PIVOT else 1900
    month = _month(parts["name"]) if parts.get("name") else int(parts.get("month") or 1)
    try:
        days = datetime.date(year, month, int(parts.get("day") or 1)).toordinal() - _EPOCH
    except ValueError:
        return math.nan
    return days * 86400.0 + (_time_of(found) if parts.get("hour") else 0.0)


def _month(name: str) -> int:
    """The number of a month by its name or the beginning of that, 0 where it is none."""
    lowered = name.lower()
    return next((i for i, names in enumerate(_MONTHS, 1) if any(full.startswith(lowered) for full in names)), 0)


def _time_of(found: re.Match[str]) -> float:
    parts = found.groupdict()
    hour, minute, second = int(parts["hour"]), int(parts["minute"]), float(parts["second"] or 0)
    if parts["half"]:
        if not 1 <= hour <= 12:
            return math.nan
        hour = hour % 12 + (12 if parts["half"][0] in "Pp" else 0)
    if (hour > 24 and "year" in parts) or minute > 59 or second >= 61:
        return math.nan
    zone = parts.get("zone")
    offset = 0.0
    if zone and zone[0] in "+-":
        offset = (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60) * (-1.0 if zone[0] == "-" else 1.0)
    return hour * 3600.0 + minute * 60.0 + second - offset


def _of_objects(cells: list[Any], order: str) -> NDArray[np.float64]:
    if order == "clock":
        return np.array([of_text(str(cell), order) if isinstance(cell, datetime.time) else math.nan for cell in cells])
    numbers = [isinstance(cell, int | float | np.integer | np.floating) for cell in cells]
    plain = [None if number else _plain(cell) for cell, number in zip(cells, numbers, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas would like one format for all cells; each is read on its own here
        stamps = pd.to_datetime(pd.Series(plain, dtype=object), utc=True, format="mixed", errors="coerce")
    found = (stamps - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy(dtype=np.float64).copy()
    if order == "digits":
        for place, number in enumerate(numbers):
            if number and float(cells[place]).is_integer():
                found[place] = of_text(str(int(cells[place])), order)
    return found


def _plain(cell: Any) -> Any:
    if isinstance(cell, pd.Period):
        return cell.to_timestamp()
    return cell if isinstance(cell, datetime.date | np.datetime64) else None
