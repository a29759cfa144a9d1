"""The decision threshold of two classes, chosen for a metric: the second class is predicted where its probability is above it.

One half is best for accuracy, where probabilities are right. F1, balanced accuracy and Matthews' correlation count errors of
the two classes differently, and are best at a probability that depends on the data (Lipton, Elkan & Narayanaswamy 2014).
Probabilities stay what they are.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.metrics import Metric

# Cuts that are looked at, evenly spread over those that come into question: a function of the user's may take its time.
MOST_CUTS = 500
# A table of true and of predicted classes, as four rows whose weights are its counts.
_TRUE, _PREDICTED = np.array([0, 1, 0, 1]), np.array([[0.0], [0.0], [1.0], [1.0]])


def decide(probabilities: NDArray[Any], threshold: float | None) -> NDArray[Any]:
    """Probabilities (n, 1) of the second class as the decisions 0 and 1; without a threshold as they are."""
    return probabilities if threshold is None else (probabilities > threshold).astype(np.float64)


def fit_threshold(probabilities: NDArray[Any], y: NDArray[Any], weight: NDArray[Any] | None, metric: Metric) -> float:
    """The threshold with the best metric for probabilities (n, 1) of rows of the classes y (n,), 0 and 1.

    It is one half, or in the middle between two neighbouring probabilities; of equals the one nearest to one half. Only
    cuts between a row of class 0 below and one of class 1 above come into question: a metric that grows with each row that
    is right is better at one of them than at any other.
    """
    p = np.asarray(probabilities, dtype=np.float64)[:, 0]
    weights = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    # 0 and 1 stand at the ends, so that all rows may be of one class.
    values, group = np.unique(np.concatenate([[0.0, 1.0], p]), return_inverse=True)
    by_class = [np.bincount(group[2:], np.where(y == c, weights, 0.0), minlength=len(values)) for c in (0, 1)]
    below = np.cumsum(np.asarray(by_class, dtype=np.float64), axis=1)
    middle = 0.5 * (values[:-1] + values[1:])
    cuts = np.where(
        middle < values[1:], middle, values[:-1]
    )  # of two neighbouring numbers the middle may be the upper one
    considered = (by_class[0][:-1] > 0) & (by_class[1][1:] > 0)
    considered[[0, -1]] = True
    places = np.flatnonzero(considered)
    places = places[np.unique(np.linspace(0, len(places) - 1, min(len(places), MOST_CUTS)).astype(np.intp))]
    thresholds = np.append(cuts[places], 0.5)
    last_below = np.append(places, np.searchsorted(values, 0.5, side="right") - 1)
    sign = 1.0 if metric.greater_is_better else -1.0
    scores = np.array([sign * _score(metric, below[:, k], below[:, -1] - below[:, k]) for k in last_below])
    scores[np.isnan(scores)] = -np.inf
    best = np.flatnonzero(scores >= scores.max() - 1e-12)
    return float(thresholds[best[np.argmin(np.abs(thresholds[best] - 0.5))]])


def _score(metric: Metric, below: NDArray[np.float64], above: NDArray[np.float64]) -> float:
    """The metric where class 0 is predicted for the rows `below` and class 1 for those `above`, given each class's weight (2,)."""
    counts = np.concatenate([below, above])
    some = counts > 0
    return float(metric.function(_TRUE[some], _PREDICTED[some], counts[some]))
