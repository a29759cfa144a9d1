"""The fingerprint of a sweep's data: equal where the same rows are read and split the same way, in any version and process."""

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .class_weight import ClassWeight
from .columns import Schema
from .encoding import Encoder
from .features import Categorical, Levels
from .raw import Table
from .reading import Reading
from .splits import VALIDATION, Split
from .values import category_codes

if TYPE_CHECKING:
    from ..config.schema import DataConfig

_SETTINGS = ("test_size", "validation", "folds", "ignore", "numeric", "categorical", "group", "time", "weight")


def fingerprint(
    data: "DataConfig",
    rows: Table,
    test: Table | None,
    target: str,
    task: str,
    split: Split,
    schema: Schema,
    encoder: Encoder,
    class_weight: ClassWeight | None,
) -> str:
    """A hash of all that training and scoring depend on.

    Args:
        data: The [data] section.
        rows: The rows of the table, their numbers read.
        test: The rows of a test file, where there is one.
        target: The target's name.
        task: "classification" or "regression".
        split: Which rows are in which part.
        schema: What the columns are used as.
        encoder: The features that all parts have in common.
        class_weight: That of [model].
    """
    digest = hashlib.sha256()
    settings: dict[str, Any] = {name: getattr(data, name) for name in _SETTINGS}
    settings |= {"task": task, "target": target, "test": data.test is not None}
    settings["validation"] = data.validation or VALIDATION  # what is split is in the rows below
    if class_weight is not None:
        settings["class_weight"] = class_weight
    settings["kinds"] = dict(schema.kinds)
    trained = np.unique(np.concatenate([train for train, _ in split.parts]))
    levels = _levels_beyond(encoder, rows.frame.iloc[trained])
    if levels:  # where 0.1.0 had other features
        settings["levels"] = levels
    coded = [feature.column for feature in encoder.features if feature.n_codes]
    if coded:
        settings["coded"] = coded
    digest.update(json.dumps(settings, sort_keys=True, default=list).encode())
    for part in [split.test, *(part for pair in split.parts for part in pair)]:
        digest.update(len(part).to_bytes(8, "little") + part.astype("<i8").tobytes())
    for table in (rows, test):
        if table is not None:
            _digest_table(digest, table, schema)
    return digest.hexdigest()


def _levels_beyond(encoder: Encoder, frame: pd.DataFrame) -> dict[str, int]:
    """The number of categories of columns that have more features of their own than 0.1.0 gave them."""
    first = Levels(50, max(2, math.ceil(0.005 * len(frame))))
    return {
        feature.column: len(feature.categories)
        for feature in encoder.features
        if isinstance(feature, Categorical)
        and Categorical.fit(feature.column, frame[feature.column], None, first, feature.reading).categories
        != feature.categories
    }


def _digest_table(digest: Any, table: Table, schema: Schema) -> None:
    for name, kind in schema.kinds.items():
        if kind in ("numeric", "calendar"):
            values = schema.readings[name].apply(table.frame[name]).values
            values = np.where(np.isnan(values), np.nan, values)  # one pattern of bits for every missing value
            digest.update(values.astype("<f8").tobytes())
        else:
            _digest_texts(digest, table.frame[name], schema.readings[name])
    if table.y.dtype.kind == "f":
        digest.update(table.y.astype("<f8").tobytes())
    else:
        digest.update(json.dumps(table.y.tolist()).encode())
    if table.weight is not None:
        digest.update(table.weight.astype("<f4").tobytes())


def _digest_texts(digest: Any, column: pd.Series, reading: Reading) -> None:
    codes, texts = category_codes(column, reading.known_category)
    digest.update(json.dumps(texts).encode())
    digest.update(codes.astype("<i8").tobytes())
