"""A table made ready for a sweep: read, split, encoded from its training rows; the test part stays sealed inside."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._text import counted
from ...core.data import Fold
from ..errors import UserError
from ..formats import is_named
from .class_weight import ClassWeight, check_labels, training_weights
from .columns import Schema, brief, infer_schema, listed
from .dates import named_like_a_date
from .encoding import Encoder, merged_remark
from .features import USUAL_LEVELS, Categorical, Levels
from .header import check_columns, check_test_target, columns_hint, target_name
from .leaks import telling_columns
from .reading import Reading, decimal_marks, try_dates, try_numbers
from .repeats import count_shared, repeated_rows
from .splits import VALIDATION, Split, default_validation, split_rows
from .tables import read_table
from .target import Target, clean_target, labels_of, target_reading
from .totals import total_remarks
from .values import category_codes, first_code, known_category, plain_texts

if TYPE_CHECKING:
    from ..config.schema import DataConfig

_SETTINGS = ("test_size", "validation", "folds", "ignore", "numeric", "categorical", "group", "time", "weight")


@dataclass(frozen=True)
class EncodedFold:
    """A fold as the engine wants it, with the encodings that were fitted on its training rows.

    In `arrays`, X is (n, d) float32; y (n,) int64 class indices or (n, 1) float32 standardised; weight (n,) float32 or None; the
    same for the validation rows, None where there are none. All are C-contiguous.
    """

    arrays: Fold
    encoder: Encoder
    target: Target


@dataclass(frozen=True)
class Table:
    """Raw rows of one table: inputs (n, columns), target values (n,), weights (n,) or None."""

    frame: pd.DataFrame
    y: NDArray[Any]
    weight: NDArray[np.float32] | None

    def take(self, rows: NDArray[np.int64]) -> "Table":
        """The rows with these positions, in their order."""
        weight = None if self.weight is None else self.weight[rows]
        return Table(self.frame.iloc[rows], self.y[rows], weight)


# Lines on single columns at most; `mlptune columns` has all of them.
LINES = 5


class Dataset:
    """The data of a sweep, made by `load` or `of_frame`: `folds` and `development` for training, the sealed rest from `test`.

    The classes are those of all rows of the table, also of rows that are not trained on, because they are part of the
    task. All else (columns in use, categories, medians, means, deviations) comes from training rows.
    """

    task: str
    classes: list[Any] | None
    n_rows: int
    n_features: int
    columns: tuple[str, ...]  # the table's, in its order
    n_without_target: int  # rows of the table that are not used
    messages: tuple[str, ...]  # for the user: the most important first
    of_rows: tuple[str, ...]  # those of them that are not on a single column
    of_target: tuple[str, ...]  # those on the target
    telling: tuple[str, ...]  # columns that tell the target by themselves
    fingerprint: str

    def __init__(
        self,
        rows: Table,
        test: Table | None,
        target: str,
        task: str,
        split: Split,
        data: "DataConfig",
        messages: tuple[str, ...] = (),
        class_weight: ClassWeight | None = None,
        repeats: NDArray[np.int64] | None = None,
        columns: Sequence[str] = (),
        n_without_target: int = 0,
        of_target: Sequence[str] = (),
    ) -> None:
        rows = replace(rows, frame=_read_plain(rows.frame, data))
        self._rows = rows
        self._test = test
        self._target = target
        self._split = split
        self._config = data
        if class_weight is not None and not isinstance(class_weight, str):
            class_weight = {label: float(value) for label, value in class_weight.items()}
        self._class_weight = class_weight
        self.task = task
        self.n_rows = len(rows.y)
        values = Target.fit(target, rows.y, task)
        self.classes = None if values.classes is None else list(values.classes)
        self._all_classes = values
        if class_weight is not None:
            check_labels(class_weight, values)
        trained = np.unique(np.concatenate([train for train, _ in split.parts]))
        self._trained = trained
        seen = rows.frame.iloc[trained]
        self._schema: Schema = infer_schema(seen, data)
        if test is not None:
            absent = [name for name in self._schema.kinds if name not in test.frame]
            if absent:
                raise UserError(f"[data] test: {data.test} lacks the column {absent[0]!r} of {data.source}")
        self._rows = Table(_read_once(rows.frame, self._schema), rows.y, rows.weight)
        usual = USUAL_LEVELS if data.levels is None else Levels(data.levels, 2)
        self._levels = Levels(usual.most, usual.least, data.one_hot)
        self._template = Encoder.fit(self._rows.frame.iloc[trained], self._schema, None, self._levels, data.header)
        self.n_features = self._template.n_features
        merged = merged_remark(self._template)
        # Copies of a row say what it says: nothing more.
        different = trained if repeats is None else trained[np.unique(repeats[trained], return_index=True)[1]]
        self.telling = _telling(self._rows.take(different), self._schema)
        told = _told(self.telling, target)
        self.columns, self.n_without_target, self.of_target = tuple(columns), n_without_target, tuple(of_target)
        most = max(2, LINES - len(told) - len(of_target))
        of_columns = brief([*self._schema.messages, *([merged] if merged else [])], most)
        self.of_rows = (*told, *messages, *split.messages)
        self.messages = (*told, *of_target, *messages, *split.messages, *of_columns)
        self.fingerprint = self._fingerprint()

    @classmethod
    def load(cls, data: "DataConfig", seed: int, base: Path, class_weight: ClassWeight | None = None) -> "Dataset":
        """Read and split the table of a [data] section, whose file names are relative to `base`.

        `class_weight` is that of [model]: it multiplies the weights of training rows. Raises UserError, one line, for anything in
        table or section that cannot be used.
        """
        said: list[str] = []
        frame = read_table(data.source, base, header=data.header, say=said.append)
        return cls.of_frame(frame, data, seed, base, class_weight, said=said)

    @classmethod
    def of_frame(
        cls,
        frame: pd.DataFrame,
        data: "DataConfig",
        seed: int,
        base: Path,
        class_weight: ClassWeight | None = None,
        weight: NDArray[Any] | None = None,
        said: Sequence[str] = (),
    ) -> "Dataset":
        """Split a table as `read_table` gives one; all else is as with `load`, and so are the numbers.

        Args:
            frame: The table; it is not changed.
            data: The [data] section, whose source is not read.
            seed: Which rows are in which part follows from it.
            base: The folder of a test file's name.
            class_weight: As with `load`.
            weight: Weights of the rows (n,), where they are no column of the table.
            said: What there was to say when the table was read.

        Raises:
            UserError: One line, for anything in table or section that cannot be used.
        """
        messages = list(said)
        names = list(frame.columns)
        name = target_name(data, names)
        check_columns(data, name, names)
        reading = target_reading(name, frame, data.decimal, data.missing)
        # What a bundled set's numbers mean is known.
        of_target: list[str] = []
        say = _say_nothing if is_named(data.source) else of_target.append
        task, y, kept = clean_target(name, frame[name], data.task, reading, say)
        if not kept.all():
            n_dropped = int((~kept).sum())
            verb = "is" if n_dropped == 1 else "are"
            messages.append(f"{counted(n_dropped, 'row')} without a value of {name} {verb} not used")
        rows = _table(frame, name, y, kept, data, "data")
        if weight is not None:
            rows = replace(rows, weight=weight[kept].astype(np.float32))
        groups, times = _order_of(rows.frame, data)
        test = None
        if data.test is not None:
            test = _test_table(data, data.test, base, name, task, rows, reading)
            _say_shared(rows, test, data, messages.append)
        labels = np.unique(y, return_inverse=True)[1].astype(np.int64) if task == "classification" else None
        test_size = 0.0 if test is not None else data.test_size
        validation, folds = data.validation or VALIDATION, data.folds
        if data.validation is None and folds is None:
            validation, folds = default_validation(len(rows.y), test_size, groups, times)
        repeats = repeated_rows(rows.frame, rows.y, data.ignore)
        together = data.duplicates == "together" and groups is None and times is None
        split = split_rows(
            len(rows.y),
            seed=seed,
            test_size=test_size,
            validation=validation,
            folds=folds,
            labels=labels,
            groups=groups,
            times=times,
            repeats=repeats if together else None,
        )
        if test is None and len(split.test):
            test = rows.take(split.test)
        messages += total_remarks(rows.frame)
        if repeats is not None and together:
            messages.append(_of_copies(repeats))
        return cls(
            rows,
            test,
            name,
            task,
            split,
            data,
            tuple(messages),
            class_weight,
            repeats,
            columns=names,
            n_without_target=len(frame) - len(rows.y),
            of_target=of_target,
        )

    def folds(self) -> tuple[EncodedFold, ...]:
        """The training and validation parts: one pair for a holdout, k for k folds, all of one width d.

        Columns and categories are those of the union of all training rows, statistics those of each part's own.
        """
        return self._folds

    @cached_property
    def _folds(self) -> tuple[EncodedFold, ...]:
        return tuple(self._encoded(train, validation, self._template) for train, validation in self._split.parts)

    def development(self) -> EncodedFold:
        """All rows that are not test, for the final model: the same columns, the rest learned from all of these rows."""
        return self._encoded(self._split.development, None, None)

    def test(self) -> tuple[pd.DataFrame, NDArray[Any], NDArray[np.float32] | None] | None:
        """The sealed part: raw rows, target values in their own dtype (n,), weights (n,) or None. None without one.

        Only a finished sweep's best model may meet it, once.
        """
        return None if self._test is None else (self._test.frame, self._test.y, self._test.weight)

    def some_rows(self, n: int) -> tuple[pd.DataFrame, NDArray[Any], NDArray[np.float32] | None]:
        """Up to `n` rows as `test` gives them, evenly spaced: of the test part, which must have been scored, else of the others."""
        part = self._rows.take(self._split.development) if self._test is None else self._test
        chosen = np.unique(np.linspace(0, len(part.y) - 1, min(n, len(part.y))).astype(np.int64))
        some = part.take(chosen)
        return some.frame, some.y, some.weight

    @property
    def rows(self) -> Table:
        """All rows that have a target, of all parts that come from the table itself; numbers are read already."""
        return self._rows

    def n_copied(self) -> int:
        """How many validation rows say the same as a training row in all columns in use and in the target, which is no chance."""
        codes = repeated_rows(self._rows.frame[list(self._schema.kinds)], self._rows.y)
        if codes is None:
            return 0
        return sum(int(np.isin(codes[validation], codes[train]).sum()) for train, validation in self._split.parts)

    def class_shares(self) -> dict[Any, float]:
        """The share, from 0 to 1, that each class has of the rows that are not test; nothing in regression."""
        if self.classes is None:
            return {}
        indices = self._all_classes.encode(self._rows.y[self._split.development])
        counts = np.bincount(indices, minlength=len(self.classes))
        return dict(zip(self.classes, (counts / len(indices)).tolist(), strict=True))

    @property
    def schema(self) -> Schema:
        """What the table's columns are used as, inferred from the training rows."""
        return self._schema

    @property
    def encoder(self) -> Encoder:
        """The features that all parts have in common, learned from all rows that any part trains on."""
        return self._template

    def _encoded(
        self, train: NDArray[np.int64], validation: NDArray[np.int64] | None, like: Encoder | None
    ) -> EncodedFold:
        rows = self._rows.take(train)
        encoder = Encoder.fit(rows.frame, self._schema, like, self._levels, self._config.header)
        target = self._all_classes
        if target.classes is None:
            target = Target.fit(self._target, rows.y, self.task)
        X, y = encoder.transform(rows.frame), target.encode(rows.y)
        weight = rows.weight
        if self._class_weight is not None:
            weight = training_weights(self._class_weight, target, y, weight)
        if validation is None:
            return EncodedFold(Fold(X, y, weight), encoder, target)
        held = self._rows.take(validation)
        X_val, y_val = encoder.transform(held.frame), target.encode(held.y)
        return EncodedFold(Fold(X, y, weight, X_val, y_val, held.weight), encoder, target)

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        settings: dict[str, Any] = {name: getattr(self._config, name) for name in _SETTINGS}
        settings |= {"task": self.task, "target": self._target, "test": self._config.test is not None}
        settings["validation"] = self._config.validation or VALIDATION  # what is split is in the rows below
        if self._class_weight is not None:
            settings["class_weight"] = self._class_weight
        settings["kinds"] = dict(self._schema.kinds)
        levels = _levels_beyond(self._template, self._rows.frame.iloc[self._trained])
        if levels:  # where 0.1.0 had other features
            settings["levels"] = levels
        coded = [feature.column for feature in self._template.features if feature.n_codes]
        if coded:
            settings["coded"] = coded
        digest.update(json.dumps(settings, sort_keys=True, default=list).encode())
        for rows in [self._split.test, *(rows for pair in self._split.parts for rows in pair)]:
            digest.update(len(rows).to_bytes(8, "little") + rows.astype("<i8").tobytes())
        for table in (self._rows, self._test) if self._config.test is not None else (self._rows,):
            if table is not None:
                _digest_table(digest, table, self._schema)
        return digest.hexdigest()


def _telling(rows: Table, schema: Schema) -> tuple[str, ...]:
    """The columns that tell the target by themselves; `rows` are those of training, their numbers read already."""
    plain = {name: Reading() if kind == "numeric" else schema.readings[name] for name, kind in schema.kinds.items()}
    return tuple(telling_columns(rows.frame, rows.y, schema.kinds, plain))


def _told(names: Sequence[str], target: str) -> list[str]:
    """A warning where columns tell the target by themselves."""
    if not names:
        return []
    verb, which = ("tells", "it is") if len(names) == 1 else ("tell", "they are")
    ignore = json.dumps(list(names[:8]), ensure_ascii=False)
    alone = "by itself" if len(names) == 1 else "each by itself"
    return [
        f"{listed(list(names))} {verb} {target} {alone} in all training rows; if {which} not known when a prediction is wanted, "
        f"data.ignore = {ignore}"
    ]


def _of_copies(repeats: NDArray[np.int64]) -> str:
    n_copies = len(repeats) - len(np.unique(repeats))
    are = "row is a copy of another one" if n_copies == 1 else "rows are copies of other ones"
    return f'{n_copies} {are}; copies stay in one part, data.duplicates = "apart" changes that'


def _say_shared(rows: Table, test: Table, data: "DataConfig", say: Callable[[str], None]) -> None:
    """Warn of rows of the test file that training rows have seen."""
    names = [name for name in rows.frame.columns if name in test.frame]
    both = pd.concat([rows.frame[names], test.frame[names]], ignore_index=True)
    shared = count_shared(both, np.concatenate([rows.y, test.y]), len(rows.y), data.ignore)
    if shared:
        are = "is" if shared == 1 else "are"
        say(
            f"{counted(shared, 'row')} of {data.test} {are} in {data.source} too: the score of the test part gains by it"
        )


def _say_nothing(line: str) -> None:
    pass


def _read_plain(frame: pd.DataFrame, data: "DataConfig") -> pd.DataFrame:
    """The rows with their columns of plain numbers read, which the search for a reading would do several times otherwise.

    Such a column says the same as texts and as numbers, unless it may be dates, commas elsewhere make its points ambiguous, or
    the user says how to read.
    """
    if data.decimal is not None or data.missing is not None:
        return frame
    texts = [name for name, column in frame.items() if not pd.api.types.is_numeric_dtype(column.dtype)]
    plain = {str(name): values for name in texts if (values := plain_texts(frame[name])) is not None}
    if "," in decimal_marks(frame[[name for name in texts if name not in plain]]).values():
        return frame
    kept = (*data.categorical, *filter(named_like_a_date, plain), *(name for name in plain if first_code(frame[name])))
    return frame.assign(**{name: values for name, values in plain.items() if name not in kept})


def _read_once(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The rows with their columns of numbers read, which every fold would do again otherwise."""
    columns = {
        name: schema.readings[name].apply(frame[name]).values
        for name, kind in schema.kinds.items()
        if kind == "numeric"
    }
    return frame.assign(**columns)


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


def _table(
    frame: pd.DataFrame, target: str, y: NDArray[Any], kept: NDArray[np.bool_], data: "DataConfig", where: str
) -> Table:
    inputs = frame.drop(columns=target)
    if not kept.all():
        inputs = inputs[kept]
    return Table(inputs, y, _weights(inputs, data, where))


def _weights(frame: pd.DataFrame, data: "DataConfig", where: str) -> NDArray[np.float32] | None:
    if data.weight is None:
        return None
    if data.weight not in frame:
        raise UserError(
            f"{where}: has no weight column {data.weight!r}{columns_hint(data.weight, list(frame.columns))}"
        )
    values = _numbers(frame, data.weight, data.decimal)
    missing = np.isnan(values)
    if missing.any():
        raise UserError(
            f"[data] weight: column {data.weight!r} has no finite number in {counted(int(missing.sum()), 'row')}"
        )
    if (values < 0).any():
        raise UserError(f"[data] weight: column {data.weight!r} has negative values, the least is {values.min():g}")
    if values.max() > 1e30:
        raise UserError(
            f"[data] weight: column {data.weight!r} has values above 1e30, the greatest is {values.max():g}"
        )
    if not values.any():
        raise UserError(f"[data] weight: column {data.weight!r} is zero in every row")
    return values.astype(np.float32)


def _order_of(frame: pd.DataFrame, data: "DataConfig") -> tuple[NDArray[np.int64] | None, NDArray[np.float64] | None]:
    groups = times = None
    if data.group is not None:
        groups, _ = category_codes(frame[data.group], known_category)
        _require_complete("group", data.group, groups < 0)
    if data.time is not None:
        times = _numbers(frame, data.time, data.decimal)
        if np.isnan(times).any():
            reading = try_dates(data.time, frame[data.time]) or Reading(order="ymd")
            seconds = reading.apply(frame[data.time]).values
            times = seconds if np.isnan(seconds).sum() < np.isnan(times).sum() else times
        _require_complete("time", data.time, np.isnan(times))
    return groups, times


def _numbers(frame: pd.DataFrame, name: str, decimal: str | None) -> NDArray[np.float64]:
    return try_numbers(frame[name], decimal_marks(frame[[name]], decimal)[name]).read.values


def _require_complete(role: str, name: str, missing: NDArray[np.bool_]) -> None:
    if missing.any():
        what = "number and no date such as 2024-03-01" if role == "time" else "value"
        raise UserError(f"[data] {role}: column {name!r} has no {what} in {int(missing.sum())} of {len(missing)} rows")


def _test_table(
    data: "DataConfig", source: str, base: Path, target: str, task: str, rows: Table, reading: Reading
) -> Table:
    """The table of the test part, in a file of its own, whose target is read as that of the other table."""
    frame = read_table(source, base, header=data.header, known=[target])
    check_test_target(source, target, list(frame.columns))
    if task == "regression":
        values, non_numeric, infinite = reading.apply(frame[target])
        if non_numeric.any() or infinite.any():
            raise UserError(f"[data] test: column {target!r} of {source} holds other things than finite numbers")
        kept = np.isfinite(values)
        y: NDArray[Any] = values[kept]
    else:
        labels, kept = labels_of(target, frame[target], reading)
        known = Target.fit(target, rows.y, task)
        try:
            indices = known.encode(labels)
        except ValueError as error:
            raise UserError(f"[data] test: {source}: {error}") from None
        y = np.array(known.classes, dtype=rows.y.dtype)[indices]
    if not kept.any():
        raise UserError(f"[data] test: column {target!r} of {source} has no values")
    return _table(frame, target, y, kept, data, f"[data] test: {source}")
