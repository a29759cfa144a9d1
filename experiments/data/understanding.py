"""What was understood of a table, column by column, as plain facts: for `mlptune columns`, `init`, the plan and the report.

Whoever reads it can check each guess, and finds the key of [data] that changes it.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..._text import counted
from .calendar import Calendar
from .columns import BY_REQUEST, KEEPS, OVERRIDES, Schema
from .dataset import Dataset
from .encoding import Encoder
from .features import Categorical, Feature, MissingIndicator, Numeric
from .reading import Reading, decimal_marks, try_dates, try_numbers
from .values import category_codes

if TYPE_CHECKING:
    from ..config.schema import DataConfig

_KINDS = {"numeric": "numeric", "date": "date", "calendar": "date", "categorical": "categorical"}
_ROLES = {
    "ignore": "data.ignore names it",
    "group": "data.group: rows that are equal in it stay on one side of each split",
    "time": "data.time: it orders the rows",
    "weight": "data.weight: it weighs the rows",
}
_CHANGED_BY = {
    "numeric": "data.categorical",
    "categorical": "data.numeric",
    "date": "data.dates",
    "text": "data.categorical",
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its name.
        kind: What it holds: numeric, categorical, date, text (which is no category), empty; or target.
        used: Whether networks are given anything of it; the target is used.
        reason: Why it is not used; "" where it is.
        missing: How many of the table's cells are missing, or cannot be read.
        levels: How many distinct values the others have.
        inputs: How many of the network's inputs are made of it.
        becomes: What these are, in words.
        remarks: What had to be guessed of how its cells are read, in brackets the key of [data] that says it instead.
        changed_by: The key of the sweep file that changes the use of the column.
    """

    name: str
    kind: str
    used: bool
    reason: str
    missing: int
    levels: int
    inputs: int
    becomes: str
    remarks: tuple[str, ...]
    changed_by: str

    def to_json(self) -> dict[str, Any]:
        """The facts as a plain mapping."""
        return {**asdict(self), "remarks": list(self.remarks)}


def understood(frame: pd.DataFrame, dataset: Dataset, data: "DataConfig") -> list[Column]:
    """What was understood of a table for a sweep, in the table's order.

    Args:
        frame: The table as it was read, or the rows of `dataset`.
        dataset: What a sweep makes of it, which judges by training rows alone.
        data: The [data] section.
    """
    inputs = {column.name: column for column in of_inputs(frame, dataset.schema, dataset.encoder, data)}
    return [inputs.get(name) or _target(name, dataset) for name in dataset.columns]


def of_inputs(frame: pd.DataFrame, schema: Schema, encoder: Encoder, data: "DataConfig") -> list[Column]:
    """What was understood of the columns that a schema speaks of; counts are those of all rows of `frame`."""
    features = {feature.column: feature for feature in encoder.features}
    marks = decimal_marks(frame[list(schema.inputs)], data.decimal)
    return [
        _used(frame[name], schema, features[name])
        if name in features
        else _left_out(frame[name], schema.left_out[name], marks[name], data)
        for name in schema.inputs
    ]


def _used(cells: pd.Series, schema: Schema, feature: Feature) -> Column:
    name = feature.column
    kind = _KINDS.get(schema.kinds[name], "")
    reading = schema.readings.get(name, Reading())
    missing, levels = _counts(cells, kind, reading)
    if not kind:  # of which counts only whether it is missing
        kind = "text" if levels > 1 else "categorical"
    return Column(
        name=name,
        kind=kind,
        used=True,
        reason="",
        missing=missing,
        levels=levels,
        inputs=len(feature.names),
        becomes=_becomes(feature),
        remarks=_remarks(name, schema),
        changed_by=_CHANGED_BY[kind],
    )


def _left_out(cells: pd.Series, reason: str, mark: str, data: "DataConfig") -> Column:
    name = str(cells.name)
    kind, reading = _nature(name, cells, mark, data)
    missing, levels = _counts(cells, kind, reading)
    changed_by = f"data.{reason}" if reason in BY_REQUEST else "data.dates" if reason == "dates" else ""
    return Column(
        name=name,
        kind=kind,
        used=False,
        reason=_ROLES.get(reason) or _with_key(reason, KEEPS.get(reason, "data.dates" if reason == "dates" else "")),
        missing=missing,
        levels=levels,
        inputs=0,
        becomes="",
        remarks=(),
        changed_by=changed_by or KEEPS.get(reason, "").partition(" ")[0],
    )


def _target(name: str, dataset: Dataset) -> Column:
    if dataset.classes is not None:
        levels = len(dataset.classes)
        some = ", ".join(str(label)[:20] for label in dataset.classes[:5]) + (", ..." if levels > 5 else "")
        becomes = f"{levels} classes: {some}"
    else:
        levels = len(np.unique(dataset.rows.y))
        becomes = "a number to predict"
    return Column(
        name=name,
        kind="target",
        used=True,
        reason="",
        missing=dataset.n_without_target,
        levels=levels,
        inputs=0,
        becomes=becomes,
        remarks=tuple(line.removeprefix(f"{name}: ") for line in dataset.of_target),
        changed_by="data.task",
    )


def _counts(cells: pd.Series, kind: str, reading: Reading) -> tuple[int, int]:
    """How many cells are missing or cannot be read, and how many distinct values the others have."""
    if kind in ("numeric", "date"):
        values = reading.apply(cells).values
        there = np.isfinite(values)
        return int((~there).sum()), len(np.unique(values[there]))
    codes, names = category_codes(cells, reading.known_category)
    return int((codes < 0).sum()), len(names)


def _nature(name: str, cells: pd.Series, mark: str, data: "DataConfig") -> tuple[str, Reading]:
    """What a column holds of which nothing is used."""
    reading, read, _ = try_numbers(cells, mark, data.missing)
    if np.isfinite(read.values).any() and not read.non_numeric.any():
        return "numeric", reading
    order = try_dates(name, cells, missing=data.missing)
    if order is not None:
        return "date", order
    return ("text" if _counts(cells, "text", reading)[1] else "empty"), reading


def _becomes(feature: Feature) -> str:
    """What is made of a column, in words."""
    many = counted(len(feature.names), "input")
    if isinstance(feature, MissingIndicator):
        return f"{many}: whether it is missing"
    if isinstance(feature, Categorical):
        shared = f", {len(feature.merged)} levels share one (data.levels)" if len(feature.merged) > 1 else ""
        return f"{many}, {'a learned embedding' if feature.n_codes else 'one-hot'}{shared}"
    indicator = ["missing"] if getattr(feature, "missing_indicator", False) else []
    if isinstance(feature, Calendar):
        parts = ["elapsed time", *(["year"] if feature.year is not None else []), *feature.cycles, *indicator]
        return f"{many}: {', '.join(parts)}"
    if isinstance(feature, Numeric) and feature.kind == "date":
        return f"{many}: {', '.join(['seconds', *indicator])}"
    return f"{many}: number, missing" if indicator else many


def _remarks(name: str, schema: Schema) -> tuple[str, ...]:
    """What had to be guessed of a column, each with the key that says it instead."""
    ranked = ((kind, schema.remarks[kind]) for kind in OVERRIDES if kind in schema.remarks)
    return tuple(_with_key(remarks[name], OVERRIDES[kind]) for kind, remarks in ranked if name in remarks)


def _with_key(text: str, override: str) -> str:
    key = override.partition(" ")[0]
    return f"{text} ({key})" if key.startswith("data.") else text
