"""Raw rows to the float32 matrix that a network reads; learned from training rows, kept with the model as plain JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._text import counted
from ..errors import UserError
from .calendar import Calendar
from .columns import Schema, told
from .features import USUAL_LEVELS, Categorical, Feature, Levels, MissingIndicator, Numeric, flag, texts
from .header import columns_hint
from .reading import Reading, first_unread

_ONE = {"no numbers": "no number", "no dates": "no date", "no times of day": "no time of day"}


class Trouble(NamedTuple):
    """A column of new rows that cannot all be read: what is wrong, and whether that is more than half of its cells."""

    column: str
    message: str
    most: bool


@dataclass(frozen=True)
class Encoder:
    """The encoding of a table's input columns.

    `inputs` are all columns of the table but the target, in its order; `features` those in use. With `numbers_first` the encoded
    numbers come before all zeros and ones (categories and missing indicators), which networks neither scale nor embed, and the
    codes of categories come last. `header` says whether a text table's first line names the columns, as the user has said; None
    that it is to be recognised.
    """

    inputs: tuple[str, ...]
    features: tuple[Feature, ...]
    numbers_first: bool = False
    header: bool | None = None

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        schema: Schema,
        like: "Encoder | None" = None,
        levels: Levels = USUAL_LEVELS,
        header: bool | None = None,
    ) -> "Encoder":
        """The encoding learned from training rows, whose columns are read as the schema says.

        With `like`, categories and missing indicators are taken from there, so that several folds get the same features, and only
        medians, means and deviations are learned from `frame`.
        """
        known = {feature.column: feature for feature in like.features} if like is not None else {}
        features: list[Feature] = []
        for name, kind in schema.kinds.items():
            if kind == "categorical":
                features.append(Categorical.fit(name, frame[name], known.get(name), levels, schema.readings.get(name)))
            elif kind == "presence":
                features.append(MissingIndicator(name, schema.readings.get(name) or Reading()))
            elif kind == "calendar":
                features.append(Calendar.fit(name, frame[name], known.get(name), schema.readings[name]))
            else:
                features.append(Numeric.fit(name, kind, frame[name], known.get(name), schema.readings[name]))
        return cls(schema.inputs, tuple(features), numbers_first=True, header=header)

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
        """How many of the features after the numbers are zeros and ones; 0 where the numbers do not come first."""
        if not self.numbers_first:
            return 0
        return sum(len(feature.names) - feature.n_numbers for feature in self.features if not feature.n_codes)

    @property
    def levels(self) -> tuple[int, ...]:
        """How many codes each of the last features has."""
        return tuple(feature.n_codes for feature in self.features if feature.n_codes)

    @property
    def n_numeric(self) -> int:
        """How many of the first features networks scale and embed."""
        return self.n_features - self.n_plain - len(self.levels)

    @property
    def _order(self) -> list[int]:
        """The place of each feature among those of the columns one after the other."""
        places: list[int] = []
        numeric: list[int] = []
        codes: list[int] = []
        for feature in self.features:
            first = len(places)
            numeric += range(first, first + feature.n_numbers)
            codes += [first] if feature.n_codes else []
            places += range(first, first + len(feature.names))
        return [*numeric, *sorted({*places} - {*numeric, *codes}), *codes] if self.numbers_first else places

    def places(self, column: str) -> NDArray[np.intp]:
        """The features, of the d of the encoded matrix, that come from an input column."""
        widths = [len(feature.names) for feature in self.features]
        source = np.repeat([feature.column for feature in self.features], widths)
        return np.flatnonzero(source[self._order] == column)

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

    def unread(self, rows: Any) -> list[Trouble]:
        """What cells of the columns in use say that training rows did not teach how to read, one entry for each such column."""
        frame = self._as_frame(rows)
        troubles = []
        for feature in self.features:
            cells = frame[feature.column]
            unread = feature.unread(cells)
            if unread is not None and unread.cells.any():
                n_unread = int(unread.cells.sum())
                are, then = f"are {unread.what}", unread.then
                if n_unread == 1:
                    are, then = f"is {_ONE.get(unread.what, unread.what)}", then.replace("they count", "it counts")
                first = first_unread(cells, unread.cells)
                message = f"{n_unread} of {counted(len(frame), 'cell')} {are} (first: {first}){then}"
                troubles.append(Trouble(feature.column, message, unread.many and 2 * n_unread > len(frame)))
        return troubles

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
        header = {} if self.header is None else {"header": self.header}
        return {
            "inputs": list(self.inputs),
            **order,
            **header,
            "features": [feature.to_json() for feature in self.features],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Encoder":
        """The encoder that `to_json` wrote. Raises ValueError on anything else."""
        inputs = texts(data, "inputs")
        entries = data.get("features")
        if not isinstance(entries, list) or not entries:
            raise ValueError("encoder: features must be a list that is not empty")
        features = tuple(_feature(entry) for entry in entries)
        columns = [feature.column for feature in features]
        if len(set(columns)) != len(columns) or not set(columns) <= set(inputs):
            raise ValueError("encoder: every feature needs an input column of its own")
        numbers_first = flag(data, "numbers_first") if "numbers_first" in data else False
        if not numbers_first and any(feature.n_codes for feature in features):
            raise ValueError("encoder: codes need numbers_first")
        header = flag(data, "header") if "header" in data else None
        return cls(inputs, features, numbers_first, header)


def merged_remark(encoder: Encoder) -> str:
    """One line about the categories that count as one, "" where no two do."""
    remarks = {
        feature.column: f"{len(feature.merged)} of {len(feature.merged) + len(feature.categories)} categories "
        "count as one, having few rows or being too many; data.levels tells them apart"
        for feature in encoder.features
        if isinstance(feature, Categorical) and len(feature.merged) > 1
    }
    return told(remarks) if remarks else ""


def _feature(entry: Any) -> Feature:
    if not isinstance(entry, Mapping):
        raise ValueError(f"encoder: a feature must be an object, not {type(entry).__name__}")
    kind = entry.get("kind")
    if kind in ("numeric", "date"):
        return Numeric.from_json(entry)
    if kind == "calendar":
        return Calendar.from_json(entry)
    if kind == "categorical":
        return Categorical.from_json(entry)
    if kind == "presence":
        return MissingIndicator.from_json(entry)
    raise ValueError(f"encoder: kind must be numeric, date, calendar, categorical or presence, not {kind!r}")
