"""A table made ready for a sweep: read, split, encoded from its training rows; the test part stays sealed inside."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._text import counted, listed
from ...core.data import Fold
from ..errors import UserError
from ..formats import is_named
from .class_weight import ClassWeight, check_labels, training_weights
from .columns import Schema, brief, infer_schema
from .dates import named_like_a_date
from .encoding import Encoder, merged_remark
from .features import USUAL_LEVELS, Levels
from .fingerprint import fingerprint
from .header import check_columns, target_name
from .leaks import telling_columns
from .raw import Table, order_of, raw_table, test_table
from .reading import Reading, decimal_marks
from .repeats import count_shared, repeated_rows
from .splits import VALIDATION, Split, default_validation, split_rows
from .tables import read_table
from .target import Target, clean_target, target_reading
from .totals import total_remarks
from .values import first_code, plain_texts

if TYPE_CHECKING:
    from ..config.schema import DataConfig


@dataclass(frozen=True)
class EncodedFold:
    """A fold as the engine wants it, with the encodings that were fitted on its training rows.

    In `arrays`, X is (n, d) float32; y (n,) int64 class indices or (n, 1) float32 standardised; weight (n,) float32 or None; the
    same for the validation rows, None where there are none. All are C-contiguous.
    """

    arrays: Fold
    encoder: Encoder
    target: Target


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
        self.fingerprint = fingerprint(
            data,
            self._rows,
            test if data.test is not None else None,
            target,
            task,
            split,
            self._schema,
            self._template,
            self._class_weight,
        )

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
        rows = raw_table(frame, name, y, kept, data, "data")
        if weight is not None:
            rows = replace(rows, weight=weight[kept].astype(np.float32))
        groups, times = order_of(rows.frame, data)
        test = None
        if data.test is not None:
            test = test_table(data, data.test, base, name, task, rows, reading)
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
