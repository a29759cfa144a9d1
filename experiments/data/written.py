"""A number or a date as the cells of a column have it: the way back of its reading, for rows that are made up."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

_DAY = 86400.0


def written(feature: Mapping[str, Any], deviations: float) -> str:
    """What is so many deviations from the mean of a column, as a cell of it; `feature` is the column's JSON."""
    value, order = feature["mean"] + deviations * feature["scale"], feature["reading"]["order"]
    if not order:
        text = repr(value)
        return text.replace(".", ",") if feature["reading"]["decimal"] == "," else text
    seconds = value * (_DAY if feature["kind"] == "calendar" else 1.0)
    if order == "clock":
        return f"{int(abs(seconds) // 3600) % 24:02d}:{int(abs(seconds) // 60) % 60:02d}"
    day = np.datetime64("1970-01-01") + int(max(min(seconds / _DAY, 2e6), -7e5)) if math.isfinite(seconds) else ""
    year, month, number = str(day).split("-") if day else ("", "", "")
    shapes = {"dmy": f"{number}/{month}/{year}", "mdy": f"{month}/{number}/{year}", "digits": f"{year}{month}{number}"}
    return shapes.get(order, f"{year}-{month}-{number}")
