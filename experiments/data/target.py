"""The column to predict: recognised as classes or numbers, and turned into what a network learns and back.

Task "auto": texts, booleans and categories are classes; numbers are classes when all are whole and there are at most
20 distinct ones, each with at least five rows on average (or just two); else the task is regression. Texts that all
read as numbers, but for words that mean missing, are numbers. In a target of words every word is a label, also None and NA; only
an empty cell is none. A regression target is standardised and no more: a heavy tail stays a heavy tail. Its predictions are kept
within the range of the training rows' targets, a tenth of it wider on both sides.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..._text import counted, joined
from ..errors import UserError
from .reading import Reading, decimal_marks, first_written, is_word, remark_of, try_numbers
from .values import MISSING_TEXTS, alike, category, factorize, mean_and_scale, number

TASKS = ("classification", "regression")
_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
_FEW_CLASSES = 20
_WORDS = frozenset(("NA", "N/A", "n/a", "null", "NULL", "None"))  # labels in a target of words
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_CODE = re.compile(r"[+-]?0\d+", re.ASCII)
_MARGIN = 0.1


def target_reading(
    name: str, frame: pd.DataFrame, decimal: str | None = None, missing: Sequence[str] | None = None
) -> Reading:
    """How the column `name` of a whole table is read as a target; `decimal` and `missing` are those of [data]."""
    return try_numbers(frame[name], decimal_marks(frame, decimal)[name], missing).reading


def clean_target(
    name: str,
    column: pd.Series,
    task: str,
    reading: Reading | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[str, NDArray[Any], NDArray[np.bool_]]:
    """Recognise the task and return it with the values of the rows that have one and the mask (n,) of those rows.

    Values are float64 for regression; for classification an array of bool, int64, float64 or text objects: the
    target's own values, with whole floats read as integers only where missing cells had made them floats. `say` is given a
    line for what the user may have meant otherwise. Raises UserError when nothing can be learned from the column.
    """
    reading = target_reading(name, column.to_frame(name)) if reading is None else reading
    read = reading.apply(column)
    values, bad = read.values, read.non_numeric | read.infinite
    finite = np.isfinite(values)
    if not finite.any() and not bad.any():
        raise UserError(f"[data] target: column {name!r} has no values")
    words = bool(read.non_numeric.any())
    found = len(np.unique(values[finite]))
    automatic = task == "auto"
    if automatic:
        if _is_boolean(column) or isinstance(column.dtype, pd.CategoricalDtype):
            task = "classification"
        elif words:  # numbers with a few slips among them are no classes; that is refused below
            slips = found > _FEW_CLASSES and read.non_numeric.sum() < 0.1 * (len(column) - column.isna().sum())
            task = "regression" if slips else "classification"
        else:  # infinite numbers are refused as numbers
            task = "regression" if read.infinite.any() else _recognised(values[finite])
    if task == "regression":
        if bad.any():
            cell = column[bad].iloc[0]
            raise UserError(f"[data] target: regression needs finite numbers, column {name!r} holds {str(cell)[:40]!r}")
        if found < 2:
            raise UserError(f"[data] target: column {name!r} has the same value {values[finite][0]:g} in every row")
        if written := first_written(column, reading):
            say(f"{name}: {remark_of(written, reading)}")
        _say_missing(name, column, reading, say)
        return task, values[finite], finite
    labels, kept = labels_of(name, column, reading)
    classes = set(labels.tolist())
    if len(classes) < 2:
        raise UserError(f"[data] target: column {name!r} has one class only, {next(iter(classes))!r}")
    if len(classes) > max(_FEW_CLASSES, 0.5 * len(labels)) or (len(classes) == len(labels) > 2):
        some = f"; it holds texts such as {str(column[read.non_numeric].iloc[0])[:40]!r}" if words else ""
        raise UserError(
            f"[data] target: column {name!r} has {len(classes)} values in {len(labels)} rows, too many for classes{some}"
        )
    if automatic and not words and not _is_boolean(column) and len(classes) > 2:
        say(f'{name}: {len(classes)} whole numbers, taken as classes; data.task = "regression" changes that')
    for word in sorted(_WORDS & classes) if words else ():
        say(f"{name}: {word!r} is a label like the others, in {counted(int((labels == word).sum()), 'row')}")
    if names := alike(map(str, classes)):
        some = joined([repr(name) for name in names])
        say(f"{name}: {some} differ in case or blanks alone, and are classes of their own")
    _say_missing(name, column, reading, say)
    return task, labels, kept


def _say_missing(name: str, column: pd.Series, reading: Reading, say: Callable[[str], None]) -> None:
    if not reading.missing:
        return
    cells = [cell.strip() for cell in column if isinstance(cell, str) and cell.strip().lower() in reading.missing]
    if cells:
        say(f"{name}: {', '.join(map(repr, dict.fromkeys(cells)))} ({counted(len(cells), 'cell')}) counts as missing")


def _is_boolean(column: pd.Series) -> bool:
    return all(
        isinstance(cell, bool | np.bool_) or (isinstance(cell, str) and cell.strip().lower() in ("true", "false"))
        for cell in factorize(column)[1]
    )


def _recognised(values: NDArray[np.float64]) -> str:
    found = len(np.unique(values))
    whole = bool((values == np.floor(values)).all())
    few = found <= 2 or (found <= _FEW_CLASSES and len(values) >= 5 * found)
    return "classification" if whole and few else "regression"


def labels_of(name: str, column: pd.Series, reading: Reading) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The class labels of the rows that have one, all of one type as in `clean_target`, and the mask (n,) of those rows."""
    codes, cells = factorize(column)
    absent = [is_word(category(cell), reading.missing) for cell in cells]
    cells = [None if gone else cell for cell, gone in zip(_typed(cells, reading), absent, strict=True)]
    if any(isinstance(cell, list | tuple | dict | set | bytes | np.ndarray) for cell in cells):
        raise UserError(
            f"[data] target: column {name!r} holds neither numbers nor texts; of several labels a row make a column each"
        )
    plain = [_plain(cell) for cell in cells]
    types = {type(cell) for cell in plain if cell is not None}
    if types == {int, float}:
        plain = [None if cell is None else float(cell) for cell in plain]
        types = {float}
    if len(types) > 1:
        plain = [None if cell is None else str(cell) for cell in plain]
        types = {str}
    had_missing = bool((codes < 0).any())
    if types == {float} and had_missing and all(cell is None or cell.is_integer() for cell in plain):
        plain = [None if cell is None else int(cell) for cell in plain]
        types = {int}
    place = np.array([cell is not None for cell in plain] + [False], dtype=np.bool_)
    kept = place[codes]
    dtype = {bool: np.bool_, int: np.int64, float: np.float64}.get(next(iter(types), str), object)
    lookup = np.empty(len(plain), dtype=object)
    lookup[:] = plain
    try:
        return lookup[codes[kept]].astype(dtype), kept
    except OverflowError:
        raise UserError(f"[data] target: column {name!r} holds integers beyond 64 bits") from None


def _typed(cells: list[Any], reading: Reading) -> list[Any]:
    """Distinct cells with the texts of a column of numbers as numbers or truths, and what is missing as None.

    Texts with leading zeros are codes, and stay as they are.
    """
    texts = [cell.strip() for cell in cells if isinstance(cell, str)]
    if not texts:
        return cells
    read = reading.apply(pd.Series(texts, dtype=object))
    if read.non_numeric.any() or len(texts) < len(cells) or any(_CODE.fullmatch(text) for text in texts):
        absent = (MISSING_TEXTS - _WORDS if read.non_numeric.any() else MISSING_TEXTS) | {""}
        return [None if isinstance(cell, str) and cell.strip() in absent else cell for cell in cells]
    typed: list[Any] = []
    for text, value in zip(texts, read.values.tolist(), strict=True):
        if text.lower() in ("true", "false"):
            typed.append(text.lower() == "true")
        else:
            typed.append(int(text) if _INTEGER.fullmatch(text) else None if math.isnan(value) else value)
    return typed


def _plain(cell: Any) -> Any:
    """A cell as bool, int, float or stripped text; None where it is missing or not finite."""
    if cell is None:
        return None
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    if isinstance(cell, int | np.integer):
        return int(cell)
    value = number(cell)
    if value is None:
        return str(cell)
    return value if math.isfinite(value) else None


@dataclass(frozen=True)
class Target:
    """The encoding of one target column.

    Classification: `classes` are the sorted distinct values (bool, int, float or str). Regression: `classes` is None,
    `mean` and `scale` are those of the training rows, in the target's own unit, and predictions are kept within `low` and `high`.
    """

    name: str
    task: str
    classes: tuple[Any, ...] | None = None
    mean: float = 0.0
    scale: float = 1.0
    low: float = -math.inf
    high: float = math.inf

    @classmethod
    def fit(cls, name: str, values: ArrayLike, task: str) -> "Target":
        """The encoding learned from `values` (n,), as `clean_target` gives them."""
        array = np.asarray(values)
        if task == "classification":
            return cls(name, task, tuple(sorted(set(array.tolist()))))
        y = array.astype(np.float64)
        if np.abs(y).max() > 1e300:
            raise UserError(f"[data] target: the numbers of column {name!r} are too large, up to {np.abs(y).max():g}")
        low, high = float(y.min()), float(y.max())
        margin = _MARGIN * (high - low)
        return cls(name, task, None, *mean_and_scale(y), low - margin, high + margin)

    @property
    def n_outputs(self) -> int:
        """Network outputs: one for regression and for two classes, else one for each class."""
        return 1 if self.classes is None or len(self.classes) == 2 else len(self.classes)

    @property
    def labels(self) -> NDArray[Any] | None:
        """The classes as an array of their own dtype."""
        return None if self.classes is None else np.asarray(self.classes)

    def encode(self, values: ArrayLike) -> NDArray[Any]:
        """The `values` (n,) as int64 class indices (n,), or as float32 (n, 1) in deviations from the training mean.

        Raises ValueError for a value that is not one of the classes.
        """
        array = np.asarray(values, dtype=object if isinstance(values, list | tuple | pd.Series) else None).ravel()
        if self.classes is None:
            standard = (array.astype(np.float64) - self.mean) / self.scale
            return np.ascontiguousarray(standard.astype(np.float32)[:, np.newaxis])
        places = {value: index for index, value in enumerate(self.classes)}
        texts = {str(value): index for index, value in enumerate(self.classes)}
        return np.array([self._index(cell, places, texts) for cell in array.tolist()], dtype=np.int64)

    def _index(self, value: Any, places: dict[Any, int], texts: dict[str, int]) -> int:
        found = places.get(value)
        if found is None:
            found = texts.get(str(value).strip())
        if found is None:
            raise ValueError(f"target {self.name!r}: {value!r} is not one of its {len(places)} classes")
        return found

    def probabilities(self, outputs: ArrayLike) -> NDArray[np.float64]:
        """Network outputs (n, n_outputs) as one probability for each class (n, C); rows add up to 1."""
        if self.classes is None:
            raise ValueError(f"target {self.name!r}: a regression target has no class probabilities")
        array = np.asarray(outputs, dtype=np.float64)
        array = array if array.ndim == 2 else array[:, np.newaxis]
        if array.shape[1] == 1 and len(self.classes) == 2:
            return np.hstack([1.0 - array, array])
        if array.shape[1] != len(self.classes):
            raise ValueError(f"target {self.name!r}: {array.shape[1]} outputs for {len(self.classes)} classes")
        return array

    def decode(self, outputs: ArrayLike) -> NDArray[Any]:
        """Network outputs (n, n_outputs) as the target's own values (n,): the likeliest class, or float64 numbers."""
        if self.classes is None:
            return self.restore(np.asarray(outputs, dtype=np.float64).reshape(-1))
        labels = self.labels
        assert labels is not None
        return np.asarray(labels[np.argmax(self.probabilities(outputs), axis=1)])

    def restore(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Outputs of a regression network in the target's own unit, not far outside what training rows had."""
        return np.clip(outputs * self.scale + self.mean, self.low, self.high)

    def to_json(self) -> dict[str, Any]:
        """The target as strict JSON, from which `from_json` makes an equal one."""
        if self.classes is None:
            document = {"name": self.name, "task": self.task, "mean": self.mean, "scale": self.scale}
            bounds = {"low": self.low, "high": self.high}  # which 0.1.0 did not have
            return document | {key: value for key, value in bounds.items() if math.isfinite(value)}
        kind = type(self.classes[0]).__name__
        return {"name": self.name, "task": self.task, "type": kind, "classes": list(self.classes)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Target":
        """The target that `to_json` wrote. Raises ValueError on anything else."""
        name, task = data.get("name"), data.get("task")
        if not isinstance(name, str) or task not in TASKS:
            raise ValueError(f"target: needs a name and one of the tasks {', '.join(TASKS)}, not {name!r} and {task!r}")
        if task == "regression":
            mean, scale = data.get("mean"), data.get("scale")
            if (
                not isinstance(mean, float)
                or not isinstance(scale, float)
                or not (math.isfinite(mean) and 0 < scale < math.inf)
            ):
                raise ValueError(f"target: needs a finite mean and a positive scale, not {mean!r} and {scale!r}")
            low, high = data.get("low", -math.inf), data.get("high", math.inf)
            if not isinstance(low, float) or not isinstance(high, float) or not low <= high:
                raise ValueError(f"target: needs low and high in order, not {low!r} and {high!r}")
            return cls(name, task, None, float(mean), float(scale), low, high)
        kind, classes = data.get("type"), data.get("classes")
        if kind not in _TYPES or not isinstance(classes, list) or len(classes) < 2:
            raise ValueError(f"target: needs a type of {', '.join(_TYPES)} and a list of at least two classes")
        if any(type(value) is not _TYPES[kind] for value in classes) or classes != sorted(set(classes)):
            raise ValueError(f"target: classes must be distinct, sorted and of type {kind}")
        if kind == "float" and not all(map(math.isfinite, classes)):
            raise ValueError("target: classes must be finite")
        return cls(name, task, tuple(classes))
