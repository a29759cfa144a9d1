"""A table made ready for a sweep: read, split, encoded from its training rows; the test part stays sealed inside."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._text import counted
from ..errors import UserError
from .columns import Schema, check_names, recognise
from .encoding import Encoder
from .splits import Split, split_rows
from .tables import nearest, read_table
from .target import TASKS, Target, clean_target, labels_of
from .values import dates, named, numbers

_SETTINGS = ("test_size", "validation", "folds", "ignore", "numeric", "categorical", "group", "time", "weight")


@dataclass(frozen=True)
class EncodedFold:
    """Rows as the engine wants them.

    X (n, d) float32; y (n,) int64 class indices or (n, 1) float32 standardised; weight (n,) float32 or None; the same
    for the validation rows, None where there are none. All C-contiguous. `encoder` and `target` were fitted on X's
    rows.
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    weight: NDArray[np.float32] | None
    X_val: NDArray[np.float32] | None
    y_val: NDArray[Any] | None
    weight_val: NDArray[np.float32] | None
    encoder: Encoder
    target: Target


@dataclass(frozen=True)
class Part:
    """Raw rows of one table: inputs (n, columns), target values (n,), weights (n,) or None."""

    frame: pd.DataFrame
    y: NDArray[Any]
    weight: NDArray[np.float32] | None

    def take(self, rows: NDArray[np.int64]) -> "Part":
        """The rows with these positions, in their order."""
        weight = None if self.weight is None else self.weight[rows]
        return Part(self.frame.iloc[rows], self.y[rows], weight)


class Dataset:
    """The data of a sweep, made by `load`: `folds` and `development` for training, the sealed rest from `test`.

    The list of classes is that of all rows of the table, also of rows that are not trained on: it is part of the
    task. All else (columns in use, categories, medians, means, deviations) comes from training rows.
    """

    task: str
    classes: list[Any] | None
    n_rows: int
    n_features: int
    messages: tuple[str, ...]
    fingerprint: str

    def __init__(self, rows: Part, test: Part | None, target: str, task: str, split: Split, spec: Any) -> None:
        self._rows = rows
        self._test = test
        self._target = target
        self._split = split
        self._spec = spec
        self.task = task
        self.n_rows = len(rows.y)
        values = Target.fit(target, rows.y, task)
        self.classes = None if values.classes is None else list(values.classes)
        self._all_classes = values
        trained = np.unique(np.concatenate([train for train, _ in split.parts]))
        seen = rows.frame.iloc[trained]
        self._schema: Schema = recognise(seen, spec)
        if test is not None:
            absent = [name for name in self._schema.kinds if name not in test.frame]
            if absent:
                raise UserError(f"[data] test: {spec.test} lacks the column {absent[0]!r} of {spec.source}")
        self._template = Encoder.fit(seen, self._schema)
        self.n_features = self._template.n_features
        self.messages = (*split.messages, *self._schema.messages)
        self.fingerprint = self._fingerprint()

    @classmethod
    def load(cls, spec: Any, seed: int, base: Path) -> "Dataset":
        """Reads and splits the table of a data section.

        `spec` has the fields of the sweep file's [data]; file names are relative to `base`. Raises UserError, one
        line, for anything in table or section that cannot be used.
        """
        frame = read_table(spec.source, base)
        name = _target_name(spec, frame)
        if spec.task not in ("auto", *TASKS):
            raise UserError(f"[data] task: must be auto, {' or '.join(TASKS)}, not {spec.task!r}")
        check_names(frame.columns, spec)
        task, y, kept = clean_target(name, frame[name], spec.task)
        messages = []
        if not kept.all():
            lost = int((~kept).sum())
            verb = "is" if lost == 1 else "are"
            messages.append(f"{counted(lost, 'row')} without a value of {name} {verb} not used")
        rows = _part(frame, name, y, kept, spec, "data")
        groups, times = _order_of(rows.frame, spec)
        test = None
        if spec.test is not None:
            test = _test_file(spec, base, name, task, rows)
        labels = np.unique(y, return_inverse=True)[1].astype(np.int64) if task == "classification" else None
        split = split_rows(
            len(rows.y),
            seed=seed,
            test_size=0.0 if test is not None else spec.test_size,
            validation=spec.validation,
            folds=spec.folds,
            labels=labels,
            groups=groups,
            times=times,
        )
        if test is None and len(split.test):
            test = rows.take(split.test)
        dataset = cls(rows, test, name, task, split, spec)
        dataset.messages = (*messages, *dataset.messages)
        return dataset

    def folds(self) -> tuple[EncodedFold, ...]:
        """The training and validation parts: one pair for a holdout, k for k folds, all of one width d.

        Columns and categories are those of the union of all training rows, statistics those of each part's own.
        """
        return self._folds

    @cached_property
    def _folds(self) -> tuple[EncodedFold, ...]:
        return tuple(self._encoded(train, validation, self._template) for train, validation in self._split.parts)

    def development(self) -> EncodedFold:
        """All rows that are not test, for the final model: the same columns, all else learned from all of them."""
        return self._encoded(self._split.development, None, None)

    def test(self) -> tuple[pd.DataFrame, NDArray[Any], NDArray[np.float32] | None] | None:
        """The sealed part: raw rows, target values in their own dtype (n,), weights (n,) or None. None without one.

        Only a finished sweep's best model may meet it, once.
        """
        return None if self._test is None else (self._test.frame, self._test.y, self._test.weight)

    @property
    def schema(self) -> Schema:
        """What the table's columns are used as, recognised on the training rows."""
        return self._schema

    @property
    def n_test(self) -> int:
        """Rows in the sealed part."""
        return 0 if self._test is None else len(self._test.y)

    def _encoded(
        self, train: NDArray[np.int64], validation: NDArray[np.int64] | None, like: Encoder | None
    ) -> EncodedFold:
        part = self._rows.take(train)
        encoder = Encoder.fit(part.frame, self._schema, like)
        target = self._all_classes
        if target.classes is None:
            target = Target.fit(self._target, part.y, self.task)
        X, y = encoder.transform(part.frame), target.encode(part.y)
        if validation is None:
            return EncodedFold(X, y, part.weight, None, None, None, encoder, target)
        held = self._rows.take(validation)
        return EncodedFold(
            X, y, part.weight, encoder.transform(held.frame), target.encode(held.y), held.weight, encoder, target
        )

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        settings: dict[str, Any] = {name: getattr(self._spec, name, None) for name in _SETTINGS}
        settings |= {"task": self.task, "target": self._target, "test": self._spec.test is not None}
        settings["kinds"] = dict(self._schema.kinds)
        digest.update(json.dumps(settings, sort_keys=True, default=list).encode())
        for rows in [self._split.test, *(rows for part in self._split.parts for rows in part)]:
            digest.update(len(rows).to_bytes(8, "little") + rows.astype("<i8").tobytes())
        for part in (self._rows, self._test) if self._spec.test is not None else (self._rows,):
            if part is not None:
                _digest_part(digest, part, self._schema)
        return digest.hexdigest()


def _digest_part(digest: Any, part: Part, schema: Schema) -> None:
    for name, kind in schema.kinds.items():
        if kind == "numeric":
            values = numbers(part.frame[name]).values
            values = np.where(np.isnan(values), np.nan, values)  # one pattern of bits for every missing value
            digest.update(values.astype("<f8").tobytes())
        else:
            _digest_texts(digest, part.frame[name])
    if part.y.dtype.kind == "f":
        digest.update(part.y.astype("<f8").tobytes())
    else:
        digest.update(json.dumps(part.y.tolist()).encode())
    if part.weight is not None:
        digest.update(part.weight.astype("<f4").tobytes())


def _digest_texts(digest: Any, column: pd.Series) -> None:
    codes, texts = named(column)
    digest.update(json.dumps(texts).encode())
    digest.update(codes.astype("<i8").tobytes())


def _target_name(spec: Any, frame: pd.DataFrame) -> str:
    names = list(frame.columns)
    if spec.target is None:
        if "target" in names:
            return "target"
        raise UserError(
            f"[data] target: name the column to predict (on the command line: --target); {nearest('', names)}"
        )
    if spec.target not in names:
        raise UserError(f"[data] target: the table has no column {spec.target!r}; {nearest(spec.target, names)}")
    return str(spec.target)


def _part(frame: pd.DataFrame, target: str, y: NDArray[Any], kept: NDArray[np.bool_], spec: Any, where: str) -> Part:
    inputs = frame.drop(columns=target)
    if not kept.all():
        inputs = inputs[kept]
    return Part(inputs, y, _weights(inputs, spec, where))


def _weights(frame: pd.DataFrame, spec: Any, where: str) -> NDArray[np.float32] | None:
    if spec.weight is None:
        return None
    if spec.weight not in frame:
        raise UserError(f"{where}: has no weight column {spec.weight!r}; {nearest(spec.weight, list(frame.columns))}")
    values = numbers(frame[spec.weight]).values
    missing = np.isnan(values)
    if missing.any():
        raise UserError(
            f"[data] weight: column {spec.weight!r} has no finite number in {counted(int(missing.sum()), 'row')}"
        )
    if (values < 0).any():
        raise UserError(f"[data] weight: column {spec.weight!r} has negative values, the least is {values.min():g}")
    if values.max() > 1e30:
        raise UserError(
            f"[data] weight: column {spec.weight!r} has values above 1e30, the greatest is {values.max():g}"
        )
    if not values.any():
        raise UserError(f"[data] weight: column {spec.weight!r} is zero in every row")
    return values.astype(np.float32)


def _order_of(frame: pd.DataFrame, spec: Any) -> tuple[NDArray[np.int64] | None, NDArray[np.float64] | None]:
    groups = times = None
    if spec.group is not None:
        groups, _ = named(frame[spec.group])
        _complete("group", spec.group, groups < 0)
    if spec.time is not None:
        times = numbers(frame[spec.time]).values
        if np.isnan(times).any():
            seconds = dates(frame[spec.time])
            times = seconds if np.isnan(seconds).sum() < np.isnan(times).sum() else times
        _complete("time", spec.time, np.isnan(times))
    return groups, times


def _complete(role: str, name: str, missing: NDArray[np.bool_]) -> None:
    if missing.any():
        what = "number and no date such as 2024-03-01" if role == "time" else "value"
        raise UserError(f"[data] {role}: column {name!r} has no {what} in {int(missing.sum())} of {len(missing)} rows")


def _test_file(spec: Any, base: Path, target: str, task: str, rows: Part) -> Part:
    frame = read_table(spec.test, base)
    if target not in frame:
        raise UserError(f"[data] test: {spec.test} has no column {target!r}; {nearest(target, list(frame.columns))}")
    if task == "regression":
        values, strange, infinite = numbers(frame[target])
        if strange.any() or infinite.any():
            raise UserError(f"[data] test: column {target!r} of {spec.test} holds other things than finite numbers")
        kept = np.isfinite(values)
        y: NDArray[Any] = values[kept]
    else:
        labels, kept = labels_of(target, frame[target])
        known = Target.fit(target, rows.y, task)
        try:
            indices = known.encode(labels)
        except ValueError as error:
            raise UserError(f"[data] test: {spec.test}: {error}") from None
        y = np.array(known.classes, dtype=rows.y.dtype)[indices]
    if not kept.any():
        raise UserError(f"[data] test: column {target!r} of {spec.test} has no values")
    return _part(frame, target, y, kept, spec, f"[data] test: {spec.test}")
