"""What the best constant prediction scores: a model that is not better has learned nothing of the rows."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ensemble import ValidationRows
from .scoring import Scoring

Constant = tuple[str, float]
"""What a constant prediction is, in words, and its score."""


def best_constant(rows: ValidationRows, scoring: Scoring, classes: Sequence[Any]) -> Constant:
    """The best of the constant predictions for `rows`, by the score.

    Of classes one class for all rows where the metric is of decisions, else the classes' shares; of numbers their mean, or
    for the mean absolute error their median.
    """
    found = [(words, scoring(rows.y, outputs, rows.weight)) for words, outputs in _constants(rows, scoring, classes)]
    sign = 1.0 if scoring.greater_is_better else -1.0
    return max(found, key=lambda constant: -np.inf if np.isnan(constant[1]) else sign * constant[1])


def _constants(rows: ValidationRows, scoring: Scoring, classes: Sequence[Any]) -> Iterable[tuple[str, NDArray[Any]]]:
    n = len(rows.y)
    if not rows.is_classification:
        best = "mean" if scoring.metric is None else scoring.metric.best_constant
        middle = np.median(rows.y, axis=0) if best == "median" else np.average(rows.y, axis=0, weights=rows.weight)
        yield f"the {best} for all rows", np.broadcast_to(middle, rows.y.shape)
    elif scoring.metric is None or scoring.metric.decision is None:
        shares = np.bincount(rows.y, rows.weight, minlength=len(classes)) / np.sum(
            np.ones(n) if rows.weight is None else rows.weight
        )
        yield "the classes' shares for all rows", np.tile(_outputs(shares), (n, 1))
    else:
        for label, one in zip(classes, np.eye(len(classes)), strict=True):
            yield f"{str(label)[:40]!r} for all rows", np.tile(_outputs(one), (n, 1))


def _outputs(probabilities: NDArray[Any]) -> NDArray[Any]:
    """Probabilities (C,) as a network gives them: of two classes that of the second."""
    return probabilities[1:] if len(probabilities) == 2 else probabilities
