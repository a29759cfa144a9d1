"""The column to predict: recognised as classes or numbers, and turned into what a network learns and back.

Task "auto": texts, booleans and categories are classes; numbers are classes when all are whole and there are at most
20 distinct ones, each with at least five rows on average (or just two); else the task is regression. Texts that all
read as numbers follow the rule of numbers where it says regression. A regression target is standardised and no more:
a heavy tail stays a heavy tail.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..errors import UserError
from .values import factorize, mean_and_scale, number, numbers

TASKS = ("classification", "regression")
_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
_FEW_CLASSES = 20


def clean_target(name: str, column: pd.Series, task: str) -> tuple[str, NDArray[Any], NDArray[np.bool_]]:
    """Recognise the task and return it with the values of the rows that have one and the mask (n,) of those rows.

    Values are float64 for regression; for classification an array of bool, int64, float64 or text objects: the
    target's own values, with whole floats read as integers only where missing cells had made them floats. Raises
    UserError when nothing can be learned from the column.
    """
    read = numbers(column)
    values, bad = read.values, read.non_numeric | read.infinite
    finite = np.isfinite(values)
    if not finite.any() and not bad.any():
        raise UserError(f"[data] target: column {name!r} has no values")
    if task == "auto":
        if _is_boolean(column) or isinstance(column.dtype, pd.CategoricalDtype) or read.non_numeric.any():
            task = "classification"
        else:  # infinite numbers are refused as numbers
            task = "regression" if read.infinite.any() else _recognised(values[finite])
    if task == "regression":
        if bad.any():
            cell = column[bad].iloc[0]
            raise UserError(f"[data] target: regression needs finite numbers, column {name!r} holds {str(cell)[:40]!r}")
        if len(np.unique(values[finite])) < 2:
            raise UserError(f"[data] target: column {name!r} has the same value {values[finite][0]:g} in every row")
        return task, values[finite], finite
    labels, kept = labels_of(name, column)
    classes = set(labels.tolist())
    if len(classes) < 2:
        raise UserError(f"[data] target: column {name!r} has one class only, {next(iter(classes))!r}")
    if len(classes) > max(_FEW_CLASSES, 0.5 * len(labels)):
        some = (
            f"; it holds texts such as {str(column[read.non_numeric].iloc[0])[:40]!r}" if read.non_numeric.any() else ""
        )
        raise UserError(
            f"[data] target: column {name!r} has {len(classes)} values in {len(labels)} rows, too many for classes{some}"
        )
    return task, labels, kept


def _is_boolean(column: pd.Series) -> bool:
    return all(isinstance(cell, bool | np.bool_) for cell in factorize(column)[1])


def _recognised(values: NDArray[np.float64]) -> str:
    found = len(np.unique(values))
    whole = bool((values == np.floor(values)).all())
    few = found <= 2 or (found <= _FEW_CLASSES and len(values) >= 5 * found)
    return "classification" if whole and few else "regression"


def labels_of(name: str, column: pd.Series) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The class labels of the rows that have one, all of one type as in `clean_target`, and the mask (n,) of those rows."""
    codes, cells = factorize(column)
    if any(isinstance(cell, list | tuple | dict | set | bytes | np.ndarray) for cell in cells):
        raise UserError(f"[data] target: column {name!r} holds neither numbers nor texts")
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


def _plain(cell: Any) -> Any:
    """A cell as bool, int, float or stripped text; None where it is missing or not finite."""
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
    `mean` and `scale` are those of the training rows, in the target's own unit.
    """

    name: str
    task: str
    classes: tuple[Any, ...] | None = None
    mean: float = 0.0
    scale: float = 1.0

    @classmethod
    def fit(cls, name: str, values: ArrayLike, task: str) -> "Target":
        """The encoding learned from `values` (n,), as `clean_target` gives them."""
        array = np.asarray(values)
        if task == "classification":
            return cls(name, task, tuple(sorted(set(array.tolist()))))
        y = array.astype(np.float64)
        if np.abs(y).max() > 1e300:
            raise UserError(f"[data] target: the numbers of column {name!r} are too large, up to {np.abs(y).max():g}")
        return cls(name, task, None, *mean_and_scale(y))

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
        array = array.reshape(len(array), -1)
        if array.shape[1] == 1 and len(self.classes) == 2:
            return np.hstack([1.0 - array, array])
        if array.shape[1] != len(self.classes):
            raise ValueError(f"target {self.name!r}: {array.shape[1]} outputs for {len(self.classes)} classes")
        return array

    def decode(self, outputs: ArrayLike) -> NDArray[Any]:
        """Network outputs (n, n_outputs) as the target's own values (n,): the likeliest class, or float64 numbers."""
        if self.classes is None:
            return np.asarray(outputs, dtype=np.float64).reshape(-1) * self.scale + self.mean
        labels = self.labels
        assert labels is not None
        return np.asarray(labels[np.argmax(self.probabilities(outputs), axis=1)])

    def to_json(self) -> dict[str, Any]:
        """The target as strict JSON, from which `from_json` makes an equal one."""
        if self.classes is None:
            return {"name": self.name, "task": self.task, "mean": self.mean, "scale": self.scale}
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
            return cls(name, task, None, float(mean), float(scale))
        kind, classes = data.get("type"), data.get("classes")
        if kind not in _TYPES or not isinstance(classes, list) or len(classes) < 2:
            raise ValueError(f"target: needs a type of {', '.join(_TYPES)} and a list of at least two classes")
        if any(type(value) is not _TYPES[kind] for value in classes) or classes != sorted(set(classes)):
            raise ValueError(f"target: classes must be distinct, sorted and of type {kind}")
        if kind == "float" and not all(map(math.isfinite, classes)):
            raise ValueError("target: classes must be finite")
        return cls(name, task, tuple(classes))
