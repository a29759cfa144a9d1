"""What one input column becomes: numbers, one-hot categories, or a missing indicator; learned from training rows, kept as JSON.

Numbers: missing cells (and texts, and infinite values) are imputed by the training median, with a missing indicator where
training rows had any; then standardised to mean 0 and deviation 1 over the imputed training rows. Constant columns are only
centred. Results are clipped at a million deviations, which no training row can reach and float32 can hold. Few categories are
one-hot: one 0/1 feature each; missing cells have their own where training rows had any. Those that `Levels` does not keep share
one. An unseen category counts as rare where there is such a feature, else all its features are 0. Many categories are coded: one
feature that is the place of the category's feature, counted from 1, or 0 for one that is unseen and not rare; networks learn an
embedding of the codes.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .reading import Reading
from .values import EXACT, MISSING_TEXTS, category_codes, factorize, mean_and_scale

LIMIT = 1e6
_LARGEST = 1e150  # the square of a larger deviation is infinite; such numbers count as missing, as infinite ones do
_DIGITS = re.compile(r"\d+", re.ASCII)
_LONG = re.compile(r"-?\d{16,300}", re.ASCII)


class Levels(NamedTuple):
    """Which categories of a column are told apart: the `most` frequent ones with at least `least` rows.

    Unless told otherwise `least` is 5 rows, or half a percent of the training rows where that is fewer, and never below 2. More
    than `one_hot` of them are coded.
    """

    most: int = 10_000
    least: int | None = None
    one_hot: int = 32

    def needed(self, n_rows: int) -> int:
        """How many rows a category needs among `n_rows`."""
        return max(2, min(5, math.ceil(0.005 * n_rows))) if self.least is None else self.least


USUAL_LEVELS = Levels()


class Unread(NamedTuple):
    """Cells (n,) of a column that cannot be used as they are: `what` they are, and whether `many` of them are a fault."""

    cells: NDArray[np.bool_]
    what: str
    many: bool
    then: str = "; they count as missing"


class Feature(ABC):
    """One input column and the `names` (width w) of the features made of it."""

    column: str

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """The features' names, w of them."""

    @property
    def n_numbers(self) -> int:
        """How many of the first features are numbers; the others are zeros and ones, or a code."""
        return 0

    @property
    def n_codes(self) -> int:
        """How many different codes the only feature has; 0 where it is none."""
        return 0

    @abstractmethod
    def write(self, cells: pd.Series, out: NDArray[np.float32]) -> None:
        """Fill `out` (n, w), which holds zeros, from the column's cells (n,)."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The feature as strict JSON with the key "kind"."""

    def unread(self, cells: pd.Series) -> Unread | None:
        """The cells that say something which training rows did not teach how to read; None where any cell can be read."""
        return None


@dataclass(frozen=True)
class Numeric(Feature):
    """A column of numbers, or of dates in seconds; `impute_value`, `mean` and `scale` are in the column's own unit."""

    column: str
    kind: str
    impute_value: float
    mean: float
    scale: float
    missing_indicator: bool
    reading: Reading = field(default_factory=Reading)

    @classmethod
    def fit(cls, column: str, kind: str, cells: pd.Series, like: "Feature | None", reading: Reading) -> "Numeric":
        values = usable(reading.apply(cells).values)
        present = np.isfinite(values)
        median = float(np.median(values[present])) if present.any() else 0.0
        mean, scale = mean_and_scale(np.where(present, values, median))
        indicator = like.missing_indicator if isinstance(like, Numeric) else not present.all()
        return cls(column, kind, median, mean, scale, indicator, reading)

    @property
    def names(self) -> list[str]:
        return [self.column, f"{self.column}=<missing>"] if self.missing_indicator else [self.column]

    @property
    def n_numbers(self) -> int:
        return 1

    def write(self, cells: pd.Series, out: NDArray[np.float32]) -> None:
        values = usable(self.reading.apply(cells).values)
        missing = ~np.isfinite(values)
        out[:, 0] = standardised(np.where(missing, self.impute_value, values), self.mean, self.scale)
        if self.missing_indicator:
            out[:, 1] = missing

    def unread(self, cells: pd.Series) -> Unread:
        read = self.reading.apply(cells)
        what = "dates" if self.kind == "date" else "finite numbers" if read.infinite.any() else "numbers"
        return Unread(read.non_numeric | read.infinite, f"no {what}", not self.missing_indicator)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "column": self.column,
            "fill": self.impute_value,
            "mean": self.mean,
            "scale": self.scale,
            "missing": self.missing_indicator,
            "reading": self.reading.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Numeric":
        kind = text(data, "kind")
        impute_value, mean, scale = (number(data, key) for key in ("fill", "mean", "scale"))
        if not scale > 0:
            raise ValueError(f"encoder: scale must be positive, not {scale}")
        reading = Reading.from_json(data.get("reading"), "ymd" if kind == "date" else "")
        return cls(text(data, "column"), kind, impute_value, mean, scale, flag(data, "missing"), reading)


@dataclass(frozen=True)
class Categorical(Feature):
    """A column of categories, the most frequent first; `rare` and `missing_indicator` say whether those features exist.

    `merged` are the training rows' categories that share the feature for rare ones; models of 0.1.0 do not know them. `coded`: one
    code instead of a feature for each. `reading` says which cells are missing, and what a comma means.
    """

    column: str
    categories: tuple[str, ...]
    rare: bool
    missing_indicator: bool
    merged: tuple[str, ...] = field(default=(), repr=False)
    coded: bool = False
    reading: Reading = field(default_factory=Reading)

    @classmethod
    def fit(
        cls, column: str, cells: pd.Series, like: "Feature | None", levels: Levels, reading: Reading | None = None
    ) -> "Categorical":
        if isinstance(like, Categorical):
            return like
        reading = reading or Reading()
        codes, found = category_codes(cells, reading.category)
        counts = np.bincount(codes[codes >= 0], minlength=len(found))
        ranked = sorted(range(len(found)), key=lambda index: (-counts[index], found[index]))
        ranked = [index for index in ranked if found[index] not in MISSING_TEXTS]
        there = sum(int(counts[index]) for index in ranked)
        least = levels.needed(len(cells))
        kept = tuple(found[index] for index in ranked[: levels.most] if counts[index] >= least)
        merged = tuple(found[index] for index in ranked[len(kept) :])
        return cls(column, kept, bool(merged), there < len(cells), merged, len(kept) > levels.one_hot, reading)

    @property
    def n_codes(self) -> int:
        return 1 + len(self.categories) + self.rare + self.missing_indicator if self.coded else 0

    @property
    def names(self) -> list[str]:
        if self.coded:
            return [self.column]
        names = [f"{self.column}={name}" for name in self.categories]
        return names + [f"{self.column}=<rare>"] * self.rare + [f"{self.column}=<missing>"] * self.missing_indicator

    def write(self, cells: pd.Series, out: NDArray[np.float32]) -> None:
        codes, found = category_codes(cells, self.reading.category)
        places = category_places(self.categories, self.merged)
        rare = len(self.categories) if self.rare else -1
        missing = len(self.categories) + self.rare if self.missing_indicator else -1
        known = [category_place(places, name) for name in found]
        place = [
            missing if place is None and name in MISSING_TEXTS else rare if place is None else place
            for name, place in zip(found, known, strict=True)
        ]
        chosen = np.array([*place, missing], dtype=np.int64)[codes]
        if self.coded:
            out[:, 0] = chosen + 1
            return
        rows = np.flatnonzero(chosen >= 0)
        out[rows, chosen[rows]] = 1.0

    def unread(self, cells: pd.Series) -> Unread:
        codes, found = category_codes(cells, self.reading.category)
        places = category_places(self.categories, self.merged)
        strange = [category_place(places, name) is None and name not in MISSING_TEXTS for name in found]
        certain = bool(self.merged) or not self.rare  # models of 0.1.0 do not know which categories were rare
        cells_of = np.array([*strange, False], dtype=np.bool_)[codes]
        return Unread(cells_of, "of categories that training rows had not", certain, "")

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "categorical",
            "column": self.column,
            "categories": list(self.categories),
            "rare": self.rare,
            "missing": self.missing_indicator,
            "merged": list(self.merged),
            **({"coded": True} if self.coded else {}),
            **_unless_plain(self.reading),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Categorical":
        categories = texts(data, "categories")
        merged = texts(data, "merged") if "merged" in data else ()
        coded = flag(data, "coded") if "coded" in data else False
        reading = Reading.from_json(data.get("reading"))
        return cls(text(data, "column"), categories, flag(data, "rare"), flag(data, "missing"), merged, coded, reading)


def category_places(categories: Sequence[str], merged: Sequence[str]) -> dict[str, int]:
    """The feature of each known category, also by its digits alone: 1 is 01 where only one of them was there in training."""
    places = {name: place for place, name in enumerate(categories)}
    places |= dict.fromkeys(merged, len(categories))
    bare = [name.lstrip("0") or "0" for name in places if _DIGITS.fullmatch(name)]
    if len(set(bare)) == len(bare):
        places |= {f"#{name.lstrip('0') or '0'}": place for name, place in places.items() if _DIGITS.fullmatch(name)}
    return places


def category_place(places: Mapping[str, int], name: str) -> int | None:
    """The feature of a category by its name, None for one that training rows had not."""
    place = places.get(name)
    if place is None and _DIGITS.fullmatch(name):
        place = places.get(f"#{name.lstrip('0') or '0'}")
    if place is None and _LONG.fullmatch(name) and abs(int(name)) >= EXACT:
        place = places.get(repr(float(name)))  # as they were called before, and as cells of floats are
    return place


@dataclass(frozen=True)
class MissingIndicator(Feature):
    """A column of which only counts whether it is missing: 1 where it is."""

    column: str
    reading: Reading = field(default_factory=Reading)

    @property
    def names(self) -> list[str]:
        return [f"{self.column}=<missing>"]

    def write(self, cells: pd.Series, out: NDArray[np.float32]) -> None:
        codes, found = factorize(cells)
        names = [self.reading.category(cell) for cell in found]
        place = np.array([name is None or name in MISSING_TEXTS for name in names] + [True], dtype=np.bool_)
        out[:, 0] = place[codes]

    def to_json(self) -> dict[str, Any]:
        return {"kind": "presence", "column": self.column, **_unless_plain(self.reading)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "MissingIndicator":
        return cls(text(data, "column"), Reading.from_json(data.get("reading")))


def _unless_plain(reading: Reading) -> dict[str, Any]:
    """The entry for a reading that says something: models without one are those of before."""
    return {} if reading == Reading() else {"reading": reading.to_json()}


def usable(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers, those too large to reckon with as missing."""
    return np.where(np.abs(values) <= _LARGEST, values, np.nan)


def standardised(values: NDArray[np.float64], mean: float, scale: float) -> NDArray[np.float64]:
    """Deviations from the mean in units of `scale`, clipped at the limit."""
    with np.errstate(over="ignore"):  # beyond the limit either way
        return np.clip((values - mean) / scale, -LIMIT, LIMIT)


def number(data: Mapping[str, Any], key: str) -> float:
    """The finite number at `key` of stored JSON; ValueError for anything else, as below."""
    value = data.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"encoder: {key} must be a finite number, not {value!r}")
    return float(value)


def text(data: Mapping[str, Any], key: str) -> str:
    """The text at `key`."""
    value = data.get(key)
    if not isinstance(value, str):
        raise ValueError(f"encoder: {key} must be a text, not {value!r}")
    return value


def flag(data: Mapping[str, Any], key: str) -> bool:
    """The truth at `key`."""
    value = data.get(key)
    if not isinstance(value, bool):
        raise ValueError(f"encoder: {key} must be true or false, not {value!r}")
    return value


def texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The list of distinct texts at `key`."""
    value = data.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"encoder: {key} must be a list of texts")
    if len(set(value)) != len(value):
        raise ValueError(f"encoder: {key} must not repeat itself")
    return tuple(value)
