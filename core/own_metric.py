"""A function of the user's as a metric, with the signature of scikit-learn's: `f(y_true, y_pred)` or `f(y_true, y_proba)`.

What the function does not say is found by trying it on a few made-up rows: its task, which way is better (a right prediction is),
and in regression whether it has the target's unit.
"""

import hashlib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any, Literal

import numpy as np

from .array import Array
from .metrics import Metric

# A second parameter of such a name takes probabilities, as in scikit-learn.
PROBABILITY_NAMES = ("y_score", "y_proba", "y_prob")
# Rows that a function is tried on.
_CLASSES, _WRONG = np.array([0, 1, 0, 1, 1, 0]), np.array([1, 0, 0, 0, 1, 1])
_NUMBERS, _NEAR = np.array([1.0, 2.5, 4.0, 3.0, 7.0]), np.array([2.0, 2.0, 4.5, 3.5, 5.0])


@dataclass(frozen=True)
class Judge:
    """A function of the user's behind the signature of `Metric.function`.

    Classes are given as their indices, 0, 1, ... in the order of `classes_`; of two classes the probabilities (n,) are those
    of the second one, of more (n, C).
    """

    function: Callable[..., float]
    takes_probabilities: bool
    takes_weight: bool

    def __call__(self, y: Array, output: Array, weight: Array | None = None) -> float:
        found = self._predicted(y, output)
        if weight is None:
            return float(self.function(y if y.ndim == 1 else y.ravel(), found))
        if self.takes_weight:
            return float(self.function(y if y.ndim == 1 else y.ravel(), found, sample_weight=weight))
        times = np.asarray(weight).astype(np.int64)
        if not np.array_equal(times, weight):
            raise ValueError("it needs a parameter sample_weight, since rows are weighted")
        return self(np.repeat(y, times, axis=0), np.repeat(output, times, axis=0))

    def _predicted(self, y: Array, output: Array) -> Array:
        if y.ndim == 2:
            return np.asarray(output, dtype=np.float64).ravel()
        if self.takes_probabilities:
            return output[:, 0] if output.shape[1] == 1 else output
        if output.shape[1] == 1:
            return (output[:, 0] > 0.5).astype(np.int64)
        return np.argmax(output, axis=1)


def from_function(function: Callable[..., float]) -> Metric:
    """The metric that `function` is, under its own name.

    It may say of itself `greater_is_better` (true or false) and `needs_probabilities` (true), as attributes.

    Raises:
        ValueError: One line, if it has no name, or cannot be called so.
    """
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise ValueError(f"metric: a function needs a name that tells it, got {name or function!r}; use def")
    judge = Judge(function, _takes_probabilities(function), "sample_weight" in _parameters(function))
    tried = {"classification": _try_classes(judge), "regression": _try_numbers(judge)}
    directions = {task: found for task, found in tried.items() if isinstance(found, bool)}
    if not directions:
        raise ValueError(
            f"metric {name!r}: called as f(y_true, y_pred) with classes it gave {tried['classification']}, with numbers "
            f"{tried['regression']}"
        )
    said = getattr(function, "greater_is_better", None)
    greater = said if isinstance(said, bool) else next(iter(directions.values()))
    return Metric(
        name,
        judge,
        "maximize" if greater else "minimize",
        tuple(directions),
        unit=_unit(judge) or "none" if "regression" in directions else "none",
        exact_outputs=judge.takes_probabilities,
        decision=None if judge.takes_probabilities else "threshold",
        code=_code(function),
    )


def _parameters(function: Callable[..., float]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _takes_probabilities(function: Callable[..., float]) -> bool:
    names = _parameters(function)
    by_name = len(names) > 1 and names[1] in PROBABILITY_NAMES
    return bool(getattr(function, "needs_probabilities", by_name))


def _try_classes(judge: Judge) -> bool | str:
    """Whether greater is better; else what was wrong."""
    right, wrong = (np.where(classes == 1, 0.9, 0.1)[:, None] for classes in (_CLASSES, _WRONG))
    return _compare(judge, _CLASSES, right, wrong)


def _try_numbers(judge: Judge) -> bool | str:
    if judge.takes_probabilities:
        return "no number, since it takes probabilities"
    found = _compare(judge, _NUMBERS[:, None], _NUMBERS[:, None], _NEAR[:, None])
    if isinstance(found, bool) and _unit(judge) is None:
        return (
            "a value that depends on where the target's zero is, or on a power of its unit, which networks do not see"
        )
    return found


def _compare(judge: Judge, y: Array, right: Array, wrong: Array) -> bool | str:
    try:
        best, worse = judge(y, right), judge(y, wrong)
    except Exception as error:  # whatever a foreign function raises
        return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
    if not (math.isfinite(best) and math.isfinite(worse)) or best == worse:
        return f"{best:g} for a right prediction and {worse:g} for a wrong one"
    return best > worse


def _unit(judge: Judge) -> Literal["none", "target"] | None:
    """Whether the value stays or grows with the target's unit, wherever the target's zero is; None where it does neither."""
    y, near = _NUMBERS[:, None], _NEAR[:, None]
    before, after = judge(y, near), judge(3.0 * y + 20.0, 3.0 * near + 20.0)
    if math.isclose(before, after, rel_tol=1e-9):
        return "none"
    return "target" if math.isclose(3.0 * before, after, rel_tol=1e-9) else None


def _code(function: Callable[..., float]) -> str:
    """Which function it is, and a hash of its source where there is one."""
    home: Any = getattr(function, "__wrapped__", function)
    try:
        source = inspect.getsource(home)
    except (OSError, TypeError):
        code = getattr(home, "__code__", None)
        source = ""
        if isinstance(code, CodeType):  # as of a function that was typed in; inner functions' codes have addresses
            constants = [constant for constant in code.co_consts if not isinstance(constant, CodeType)]
            source = repr((code.co_code, code.co_names, constants))
    return f"{getattr(function, '__qualname__', '')} {hashlib.sha256(source.encode()).hexdigest()[:16]}"
