"""Raw rows to the float32 matrix that a network reads; learned from training rows, kept with the model as plain JSON.

Numbers: missing cells (and texts, and infinite values) are imputed by the training median, with a missing indicator where
training rows had any; then standardised to mean 0 and deviation 1 over the imputed training rows. Constant columns are only
centred. Results are clipped at a million deviations, which no training row can reach and float32 can hold. Categories are
one-hot: one 0/1 feature each; those with fewer than max(2, 0.5 % of the rows) rows, and those beyond the 50 most frequent,
share one; missing cells have their own where training rows had any. An unseen category counts as rare where there is such a
feature, else all its features are 0.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._text import counted
from ..errors import UserError
from .columns import Schema
from .header import columns_hint
from .values import category, category_codes, dates, factorize, mean_and_scale, numbers

MAX_CATEGORIES = 50
_RARE_SHARE = 0.005
_LIMIT = 1e6
_LARGEST = 1e150  # the square of a larger deviation is infinite; such numbers count as missing, as infinite ones do


class Feature(ABC):
    """One input column and the `names` (width w) of the features made of it."""

    column: str

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """The features' names, w of them."""

    @abstractmethod
    def write(self, cells: pd.Series, out: NDArray[np.float32]) -> None:
        """Fill `out` (n, w), which holds zeros, from the column's cells (n,)."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The feature as strict JSON with the key "kind"."""


@dataclass(frozen=True)
class Numeric(Feature):
    """A column of numbers, or of dates in seconds; `impute_value`, `mean` and `scale` are in the column's own unit."""

    column: str
    kind: str
    impute_value: float
    mean: float
    scale: float
    missing_indicator: bool

    @classmethod
    def fit(cls, column: str, kind: str, cells: pd.Series, like: "Feature | None") -> "Numeric":
        values = _numbers_or_dates(kind, cells)
        present = np.isfinite(values)
        median = float(np.median(values[present])) if present.any() else 0.0
        mean, scale = mean_and_scale(np.where(present, values, median))
        indicator = like.missing_indicator if isinstance(like, Numeric) else not present.all()
        return cls(column, kind, median, mean, scale, indicator)

    @property
    def names(self) -> list[str]:
        return [self.column, f"{self.column}=<missing>"] if self.missing_indicator else [self.column]

    def write(self, cells: pd.Series, out: NDArray[np.float32]) -> None:
        values = _numbers_or_dates(self.kind, cells)
        missing = ~np.isfinite(values)
        with np.errstate(over="ignore"):  # beyond the limit either way
            standardised = (np.where(missing, self.impute_value, values) - self.mean) / self.scale
        out[:, 0] = np.clip(standardised, -_LIMIT, _LIMIT)
        if self.missing_indicator:
            out[:, 1] = missing

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "column": self.column,
            "fill": self.impute_value,
            "mean": self.mean,
            "scale": self.scale,
            "missing": self.missing_indicator,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Numeric":
        impute_value, mean, scale = (_number(data, key) for key in ("fill", "mean", "scale"))
        if not scale > 0:
            raise ValueError(f"encoder: scale must be positive, not {scale}")
        return cls(_text(data, "column"), _text(data, "kind"), impute_value, mean, scale, _flag(data, "missing"))


@dataclass(frozen=True)
class Categorical(Feature):
    """A one-hot column, the most frequent category first; `rare` and `missing_indicator` say whether those features exist."""

    column: str
    categories: tuple[str, ...]
    rare: bool
    missing_indicator: bool

    @classmethod
    def fit(cls, column: str, cells: pd.Series, like: "Feature | None") -> "Categorical":
        if isinstance(like, Categorical):
            return like
        codes, found = category_codes(cells)
        counts = np.bincount(codes[codes >= 0], minlength=len(found))
        least = max(2, math.ceil(_RARE_SHARE * len(cells)))
        ranked = sorted(range(len(found)), key=lambda index: (-counts[index], found[index]))
        kept = tuple(found[index] for index in ranked[:MAX_CATEGORIES] if counts[index] >= least)
        return cls(column, kept, len(kept) < len(found), bool((codes < 0).any()))

    @property
    def names(self) -> list[str]:
        names = [f"{self.column}={name}" for name in self.categories]
        return names + [f"{self.column}=<rare>"] * self.rare + [f"{self.column}=<missing>"] * self.missing_indicator

    def write(self, cells: pd.Series, out: NDArray[np.float32]) -> None:
        codes, found = category_codes(cells)
        places = {name: place for place, name in enumerate(self.categories)}
        rare = len(self.categories) if self.rare else -1
        missing = len(self.categories) + self.rare if self.missing_indicator else -1
        place = np.array([places.get(name, rare) for name in found] + [missing], dtype=np.int64)[codes]
        rows = np.flatnonzero(place >= 0)
        out[rows, place[rows]] = 1.0

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "categorical",
            "column": self.column,
            "categories": list(self.categories),
            "rare": self.rare,
            "missing": self.missing_indicator,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Categorical":
        categories = _texts(data, "categories")
        return cls(_text(data, "column"), categories, _flag(data, "rare"), _flag(data, "missing"))


@dataclass(frozen=True)
class MissingIndicator(Feature):
    """A column of which only counts whether it is missing: 1 where it is."""

    column: str

    @property
    def names(self) -> list[str]:
        return [f"{self.column}=<missing>"]

    def write(self, cells: pd.Series, out: NDArray[np.float32]) -> None:
        codes, found = factorize(cells)
        place = np.array([category(cell) is None for cell in found] + [True], dtype=np.bool_)
        out[:, 0] = place[codes]

    def to_json(self) -> dict[str, Any]:
        return {"kind": "presence", "column": self.column}


@dataclass(frozen=True)
class Encoder:
    """The encoding of a table's input columns.

    `inputs` are all columns of the table but the target, in its order; `features` those in use. With `numbers_first` the encoded
    numbers come before all zeros and ones (categories and missing indicators), which networks neither scale nor embed.
    """

    inputs: tuple[str, ...]
    features: tuple[Feature, ...]
    numbers_first: bool = False

    @classmethod
    def fit(cls, frame: pd.DataFrame, schema: Schema, like: "Encoder | None" = None) -> "Encoder":
        """The encoding learned from training rows.

        With `like`, categories and missing indicators are taken from there, so that several folds get the same features, and only
        medians, means and deviations are learned from `frame`.
        """
        known = {feature.column: feature for feature in like.features} if like is not None else {}
        features: list[Feature] = []
        for name, kind in schema.kinds.items():
            if kind == "categorical":
                features.append(Categorical.fit(name, frame[name], known.get(name)))
            elif kind == "presence":
                features.append(MissingIndicator(name))
            else:
                features.append(Numeric.fit(name, kind, frame[name], known.get(name)))
        return cls(schema.inputs, tuple(features), numbers_first=True)

    @property
    def columns(self) -> list[str]:
        """The input columns in use."""
        return [feature.column for feature in self.features]

    @property
    def feature_names(self) -> list[str]:
        """Names of the d features."""
        names = [name for feature in self.features for name in feature.names]
        return [names[place] for place in self._order]

    @property
    def n_features(self) -> int:
        """d, the width of the encoded matrix."""
        return len(self.feature_names)

    @property
    def n_plain(self) -> int:
        """How many of the last features are zeros and ones; 0 where they are not the last."""
        numeric = sum(isinstance(feature, Numeric) for feature in self.features)
        return sum(len(feature.names) for feature in self.features) - numeric if self.numbers_first else 0

    @property
    def _order(self) -> list[int]:
        """The place of each feature among those of the columns one after the other."""
        places: list[int] = []
        numeric: list[int] = []
        for feature in self.features:
            if isinstance(feature, Numeric):
                numeric.append(len(places))
            places += range(len(places), len(places) + len(feature.names))
        return [*numeric, *sorted({*places} - {*numeric})] if self.numbers_first else places

    def transform(self, rows: Any) -> NDArray[np.float32]:
        """Raw rows as float32 (n, d), C-contiguous.

        A DataFrame needs the columns in use, in any order; others are ignored. An array or nested list (n, c)
        has either all the table's columns but the target, or only those in use, in the table's order. Raises
        UserError otherwise.
        """
        frame = self._as_frame(rows)
        widths = [len(feature.names) for feature in self.features]
        out = np.zeros((len(frame), sum(widths)), dtype=np.float32)
        start = 0
        for feature, width in zip(self.features, widths, strict=True):
            feature.write(frame[feature.column], out[:, start : start + width])
            start += width
        order = self._order
        return out if order == list(range(len(order))) else np.ascontiguousarray(out[:, order])

    def _as_frame(self, rows: Any) -> pd.DataFrame:
        needed = self.columns
        if isinstance(rows, pd.DataFrame):
            names = [str(name) for name in rows.columns]
            absent = [name for name in needed if name not in names]
            if absent:
                more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
                raise UserError(f"the rows lack the column {absent[0]!r}{more}{columns_hint(absent[0], names)}")
            twice = [name for name in needed if names.count(name) > 1]
            if twice:
                raise UserError(f"the rows have the column {twice[0]!r} more than once")
            return rows.set_axis(names, axis=1)
        try:
            # A list of mixed cells would become an array of texts, missing ones included.
            array = np.asarray(rows, dtype=object if isinstance(rows, list | tuple) else None)
        except ValueError:
            raise UserError("the rows must have two axes (rows, columns) and equal lengths") from None
        if array.ndim != 2:
            raise UserError(f"the rows must have two axes (rows, columns), their shape is {array.shape}")
        for columns in (list(self.inputs), needed):
            if array.shape[1] == len(columns):
                return pd.DataFrame(
                    {name: array[:, place] for place, name in enumerate(columns)}, index=range(len(array))
                )
        raise UserError(
            f"the rows have {counted(array.shape[1], 'column')}; needed are the table's {len(self.inputs)} without the target, "
            f"or the {len(needed)} in use"
        )

    def to_json(self) -> dict[str, Any]:
        """The encoder as strict JSON, from which `from_json` makes an equal one, to the bit."""
        order = {"numbers_first": True} if self.numbers_first else {}
        return {"inputs": list(self.inputs), **order, "features": [feature.to_json() for feature in self.features]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Encoder":
        """The encoder that `to_json` wrote. Raises ValueError on anything else."""
        inputs = _texts(data, "inputs")
        entries = data.get("features")
        if not isinstance(entries, list) or not entries:
            raise ValueError("encoder: features must be a list that is not empty")
        features = tuple(_feature(entry) for entry in entries)
        columns = [feature.column for feature in features]
        if len(set(columns)) != len(columns) or not set(columns) <= set(inputs):
            raise ValueError("encoder: every feature needs an input column of its own")
        return cls(inputs, features, _flag(data, "numbers_first") if "numbers_first" in data else False)


def _numbers_or_dates(kind: str, cells: pd.Series) -> NDArray[np.float64]:
    values = dates(cells) if kind == "date" else numbers(cells).values
    return np.where(np.abs(values) <= _LARGEST, values, np.nan)


def _feature(entry: Any) -> Feature:
    if not isinstance(entry, Mapping):
        raise ValueError(f"encoder: a feature must be an object, not {type(entry).__name__}")
    kind = entry.get("kind")
    if kind in ("numeric", "date"):
        return Numeric.from_json(entry)
    if kind == "categorical":
        return Categorical.from_json(entry)
    if kind == "presence":
        return MissingIndicator(_text(entry, "column"))
    raise ValueError(f"encoder: kind must be numeric, date, categorical or presence, not {kind!r}")


def _number(data: Mapping[str, Any], key: str) -> float:
    value = data.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"encoder: {key} must be a finite number, not {value!r}")
    return float(value)


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise ValueError(f"encoder: {key} must be a text, not {value!r}")
    return value


def _flag(data: Mapping[str, Any], key: str) -> bool:
    value = data.get(key)
    if not isinstance(value, bool):
        raise ValueError(f"encoder: {key} must be true or false, not {value!r}")
    return value


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = data.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"encoder: {key} must be a list of texts")
    if len(set(value)) != len(value):
        raise ValueError(f"encoder: {key} must not repeat itself")
    return tuple(value)
