"""What a column of dates or times becomes: elapsed time as a number, and month, weekday and time of day as points on a circle.

On a circle December is next to January and Sunday next to Monday. A part that is the same in all training rows is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .features import Feature, Unread, flag, number, standardised, text, texts
from .reading import Reading
from .values import mean_and_scale

_DAY = 86400.0
CYCLES = {"month": 12.0, "weekday": 7.0, "hour": 24.0}


@dataclass(frozen=True)
class Calendar(Feature):
    """A column of dates: the days since the training rows' mean, the year, and the `cycles` that it goes through.

    `elapsed` and `year` are (mean, scale) of training rows, in days and years; `year` is None where there is only one.
    """

    column: str
    reading: Reading
    impute_value: float
    elapsed: tuple[float, float]
    year: tuple[float, float] | None
    cycles: tuple[str, ...]
    missing_indicator: bool

    @classmethod
    def fit(cls, column: str, cells: pd.Series, like: "Feature | None", reading: Reading) -> "Calendar":
        values = reading.apply(cells).values / _DAY
        present = np.isfinite(values)
        median = float(np.median(values[present])) if present.any() else 0.0
        filled = np.where(present, values, median)
        parts = parts_of(filled)
        years = mean_and_scale(parts["year"])
        if isinstance(like, Calendar):
            year, cycles, indicator = like.year and years, like.cycles, like.missing_indicator
        else:
            possible = CYCLES if reading.order != "clock" else {"hour"} if (filled < 1).all() else ()
            year = years if possible is CYCLES and len(np.unique(parts["year"])) > 1 else None
            cycles = tuple(name for name in possible if len(np.unique(parts[name][present])) > 1)
            indicator = not present.all()
        return cls(column, reading, median, mean_and_scale(filled), year, cycles, indicator)

    @property
    def names(self) -> list[str]:
        names = [self.column] + [f"{self.column}=<year>"] * (self.year is not None)
        names += [f"{self.column}=<{function} {cycle}>" for cycle in self.cycles for function in ("sin", "cos")]
        return names + [f"{self.column}=<missing>"] * self.missing_indicator

    @property
    def n_numbers(self) -> int:
        return len(self.names) - self.missing_indicator

    def write(self, cells: pd.Series, out: NDArray[np.float32]) -> None:
        values = self.reading.apply(cells).values / _DAY
        missing = ~np.isfinite(values)
        filled = np.where(missing, self.impute_value, values)
        parts = parts_of(filled)
        columns = [standardised(filled, *self.elapsed)]
        if self.year is not None:
            columns.append(standardised(parts["year"], *self.year))
        for cycle in self.cycles:
            angle = parts[cycle] * (2 * np.pi / CYCLES[cycle])
            columns += [np.where(missing, 0.0, np.sin(angle)), np.where(missing, 0.0, np.cos(angle))]
        if self.missing_indicator:
            columns.append(missing.astype(np.float64))
        out[:] = np.stack(columns, axis=1)

    def unread(self, cells: pd.Series) -> Unread:
        what = "no times of day" if self.reading.order == "clock" else "no dates"
        return Unread(self.reading.apply(cells).non_numeric, what, not self.missing_indicator)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "calendar",
            "column": self.column,
            "reading": self.reading.to_json(),
            "fill": self.impute_value,
            "mean": self.elapsed[0],
            "scale": self.elapsed[1],
            "year": None if self.year is None else {"mean": self.year[0], "scale": self.year[1]},
            "cycles": list(self.cycles),
            "missing": self.missing_indicator,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Calendar":
        year, cycles = data.get("year"), texts(data, "cycles")
        if not set(cycles) <= set(CYCLES) or not isinstance(year, Mapping | None):
            raise ValueError(f"encoder: a calendar has a year or none and cycles of {', '.join(CYCLES)}, not {cycles}")
        pairs = [(number(part, "mean"), number(part, "scale")) for part in (data, year) if part is not None]
        if not all(scale > 0 for _, scale in pairs):
            raise ValueError("encoder: scale must be positive")
        reading = Reading.from_json(data.get("reading"))
        if not reading.order:
            raise ValueError("encoder: a calendar needs the order of its dates")
        return cls(
            text(data, "column"),
            reading,
            number(data, "fill"),
            pairs[0],
            pairs[1] if year is not None else None,
            cycles,
            flag(data, "missing"),
        )


def parts_of(days: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Year, month (0 to 11), weekday (0 is Monday) and hour (with its fraction) of days since 1970."""
    whole = np.floor(days)
    dates = whole.astype(np.int64).astype("datetime64[D]")
    months = dates.astype("datetime64[M]").astype(np.int64)
    return {
        "year": np.floor_divide(months, 12).astype(np.float64) + 1970,
        "month": np.mod(months, 12).astype(np.float64),
        "weekday": np.mod(whole + 3, 7),
        "hour": (days - whole) * 24,
    }
