"""Metrics by name: what a sweep may optimise besides the loss, each weighted and for one network at a time.

An installed package offers its own as entry points of the group `mlptune.metrics`, each of which names a `Metric`. Every
process looks them up by name for itself, so that only names are sent to workers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .array import Array
from .losses import brier_from_outputs, log_loss_from_outputs


@dataclass(frozen=True)
class Metric:
    """`function(y, output, weight)` with `output` (n, o) as `workspace.outputs` gives it.

    In classification `y` (n,) holds class indices and o = 1 means the probability of class 1; in regression `y` is
    (n, o). `weight` is (n,) or None. NaN where the metric is not defined (one class only, say). `unit` "target": it is
    in the target's own unit, and so grows with it; "none": it has no unit. `for_more_classes`: the metric to take with
    more than two classes, where this one is of two only; None where it is of any number. `exact_outputs`: it is given
    outputs in float64 whatever the networks train in, because float32 takes a probability close to 1 for 1. `decision`:
    None where the outputs themselves are judged; else the predicted classes alone are, and the best decision by right
    probabilities is the likeliest class, or for "threshold" whatever is above a threshold that depends on the data.
    `best_constant`: which constant prediction of numbers is best. `hides_rare_classes`: never to predict a rare class costs
    little. `needs_varied_targets`: it is not defined where all targets are the same. `code` tells a function of the user's
    from others of its name.
    """

    name: str
    function: Callable[[Array, Array, Array | None], float]
    direction: Literal["maximize", "minimize"]
    tasks: tuple[str, ...]
    unit: Literal["none", "target"] = "none"
    for_more_classes: str | None = None
    exact_outputs: bool = False
    decision: Literal["likeliest", "threshold"] | None = None
    best_constant: Literal["mean", "median"] = "mean"
    hides_rare_classes: bool = False
    needs_varied_targets: bool = False
    code: str = ""

    def __post_init__(self) -> None:
        if self.direction not in ("maximize", "minimize"):
            raise ValueError(f"metric {self.name!r}: direction must be maximize or minimize, got {self.direction!r}")

    @property
    def greater_is_better(self) -> bool:
        """Whether a larger value is the better one."""
        return self.direction == "maximize"

    def check_classes(self, n: int) -> None:
        """Raise ValueError (one line, which begins with the name) if the metric cannot judge that many classes."""
        if n > 2 and self.for_more_classes is not None:
            raise ValueError(f"{self.name!r} is of two classes, not of {n}; take {self.for_more_classes!r}")


def predicted_classes(output: Array) -> Array:
    """Class indices (n,) from probabilities (n, o): the likeliest; of equals, the first."""
    if output.shape[1] == 1:
        return (output[:, 0] > 0.5).astype(np.int64)
    return np.argmax(output, axis=1)


def _weights(n: int, weight: Array | None) -> Array:
    return np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)


def accuracy(y: Array, output: Array, weight: Array | None = None) -> float:
    """The fraction of rows whose class is predicted."""
    return float(np.average(predicted_classes(output) == y, weights=weight))


def zero_one(y: Array, output: Array, weight: Array | None = None) -> float:
    """The fraction of rows whose class is not predicted: the mean 0/1 loss."""
    return 1.0 - accuracy(y, output, weight)


def _confusion(y: Array, output: Array, weight: Array | None) -> Array:
    predicted = predicted_classes(output)
    n_classes = int(max(y.max(), predicted.max())) + 1
    counts = np.bincount(y * n_classes + predicted, _weights(len(y), weight), minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def balanced_accuracy(y: Array, output: Array, weight: Array | None = None) -> float:
    """The mean recall over the classes present in y."""
    counts = _confusion(y, output, weight)
    size = counts.sum(axis=1)
    present = size > 0
    return float(np.mean(np.diag(counts)[present] / size[present]))


def f1_macro(y: Array, output: Array, weight: Array | None = None) -> float:
    """The mean of F1 = 2 TP / (2 TP + FP + FN) over the classes that occur in y or in the prediction."""
    counts = _confusion(y, output, weight)
    total = counts.sum(axis=0) + counts.sum(axis=1)
    present = np.union1d(y, predicted_classes(output))
    safe = np.where(total > 0, total, 1.0)
    return float(np.mean((2.0 * np.diag(counts) / safe)[present]))


def f1(y: Array, output: Array, weight: Array | None = None) -> float:
    """F1 = 2 TP / (2 TP + FP + FN) of the second of two classes; 0 where it occurs neither in y nor in the prediction."""
    if output.shape[1] > 2:
        METRICS["f1"].check_classes(output.shape[1])
    weights = _weights(len(y), weight)
    wanted, found = y == 1, predicted_classes(output) == 1
    total = weights[wanted].sum() + weights[found].sum()
    return float(2.0 * weights[wanted & found].sum() / total) if total > 0 else 0.0


def matthews(y: Array, output: Array, weight: Array | None = None) -> float:
    """The correlation of the true and the predicted classes, from -1 to 1; 0 where either is one class only (Matthews 1975).

    With c_ij the share of rows of class i that are predicted as j, t_i its sums over j and p_j those over i:
    (sum_i c_ii - t_i p_i) / sqrt((1 - sum_i t_i^2) (1 - sum_j p_j^2)), for any number of classes (Gorodkin 2004).
    """
    shares = _confusion(y, output, weight)
    shares = shares / shares.sum()
    true, predicted = shares.sum(axis=1), shares.sum(axis=0)
    spread = (1.0 - true @ true) * (1.0 - predicted @ predicted)
    if np.count_nonzero(true) < 2 or np.count_nonzero(predicted) < 2 or spread <= 0:
        return 0.0
    return float((np.trace(shares) - true @ predicted) / np.sqrt(spread))


def log_loss(y: Array, output: Array, weight: Array | None = None) -> float:
    """The mean of -log p of each row's own class, natural; a p that float32 rounds to 0 counts as its least number above 0."""
    return float(np.average(log_loss_from_outputs(_exact(output), y, 1.0), weights=weight))


def brier(y: Array, output: Array, weight: Array | None = None) -> float:
    """The mean of (p - y)^2, p the probability of the second of two classes; of more classes the sum over all (Brier 1950)."""
    return float(np.average(brier_from_outputs(_exact(output), y, 1.0), weights=weight))


def _exact(output: Array) -> Array:
    return np.asarray(output, dtype=np.float64)


def _hits_and_misses(positive: Array, score: Array, weight: Array) -> tuple[Array, Array]:
    """Weight of the positive and of the other rows among the highest scores: cumulated from 0, equal scores together."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    hits = np.append(0.0, np.cumsum(np.where(positive[order], weight[order], 0.0))[ends])
    misses = np.append(0.0, np.cumsum(np.where(positive[order], 0.0, weight[order]))[ends])
    return hits, misses


def _binary_auc(positive: Array, score: Array, weight: Array) -> float:
    """Area under the curve of true against false positives, ties by the trapezium."""
    hits, misses = _hits_and_misses(positive, score, weight)
    if hits[-1] <= 0 or misses[-1] <= 0:
        return float("nan")
    return float(np.trapezoid(hits / hits[-1], misses / misses[-1]))


def _binary_average_precision(positive: Array, score: Array, weight: Array) -> float:
    """sum_k (R_k - R_k-1) P_k, recall and precision among the k highest scores, equal scores together."""
    hits, misses = _hits_and_misses(positive, score, weight)
    if hits[-1] <= 0:
        return float("nan")
    taken = hits[1:] + misses[1:]
    precision = hits[1:] / np.where(taken > 0, taken, 1.0)
    return float(np.sum(np.diff(hits) * precision) / hits[-1])


def _ranked(by_class: Callable[[Array, Array, Array], float], y: Array, output: Array, weight: Array | None) -> float:
    """A metric of one class's scores: of the second of two classes, or the plain mean of one class against the rest."""
    weights = _weights(len(y), weight)
    if not np.isfinite(output).all():
        return float("nan")
    if output.shape[1] <= 2:
        return by_class(y == 1, output[:, -1], weights)
    return float(np.mean([by_class(y == c, output[:, c], weights) for c in range(output.shape[1])]))


def roc_auc(y: Array, output: Array, weight: Array | None = None) -> float:
    """Area under the ROC curve; with more than two classes the plain mean of one class against the rest."""
    return _ranked(_binary_auc, y, output, weight)


def average_precision(y: Array, output: Array, weight: Array | None = None) -> float:
    """Mean precision over the steps of recall, of the second of two classes; of more the plain mean of one against the rest.

    NaN where one of these classes has no row.
    """
    return _ranked(_binary_average_precision, y, output, weight)


def _mean_squares(y: Array, output: Array, weight: Array | None) -> Array:
    return np.average((np.asarray(output, dtype=np.float64) - y) ** 2, axis=0, weights=weight)


def rmse(y: Array, output: Array, weight: Array | None = None) -> float:
    """The root of the mean squared error; with several outputs the mean of their roots."""
    return float(np.mean(np.sqrt(_mean_squares(y, output, weight))))


def mae(y: Array, output: Array, weight: Array | None = None) -> float:
    """The mean absolute error, over rows and outputs."""
    return float(np.mean(np.average(np.abs(np.asarray(output, dtype=np.float64) - y), axis=0, weights=weight)))


def squared_sums(error: Array, weight: Array | None) -> Array:
    """Weighted sums of the squared errors (K, m, o, b), in float64: (K, o); `weight` broadcasts to (K, m, b)."""
    squared = error.astype(np.float64) ** 2
    if weight is not None:
        squared *= weight[:, :, None, :]
    return np.ascontiguousarray(squared.sum(axis=3)).sum(axis=1)


def r2_from_sums(residual: Array, total: Array) -> Array:
    """1 - residual / total, both sums of squares (..., o), averaged over the outputs.

    An output whose total is 0 counts 1 if it is exact, else 0.
    """
    explained = 1.0 - residual / np.where(total > 0, total, 1.0)
    return np.mean(np.where(total > 0, explained, np.where(residual > 0, 0.0, 1.0)), axis=-1)


def r2(y: Array, output: Array, weight: Array | None = None) -> float:
    """The fraction of the variance that is explained; with several outputs the plain mean."""
    y = np.asarray(y, dtype=np.float64)
    variance = np.average((y - np.average(y, axis=0, weights=weight)) ** 2, axis=0, weights=weight)
    return float(r2_from_sums(_mean_squares(y, output, weight), variance))


_CLASSIFICATION, _REGRESSION = ("classification",), ("regression",)
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", accuracy, "maximize", _CLASSIFICATION, decision="likeliest", hides_rare_classes=True),
        Metric("zero_one", zero_one, "minimize", _CLASSIFICATION, decision="likeliest", hides_rare_classes=True),
        Metric("balanced_accuracy", balanced_accuracy, "maximize", _CLASSIFICATION, decision="threshold"),
        Metric("f1_macro", f1_macro, "maximize", _CLASSIFICATION, decision="threshold"),
        Metric("f1", f1, "maximize", _CLASSIFICATION, for_more_classes="f1_macro", decision="threshold"),
        Metric("matthews", matthews, "maximize", _CLASSIFICATION, decision="threshold"),
        Metric("roc_auc", roc_auc, "maximize", _CLASSIFICATION),
        Metric("average_precision", average_precision, "maximize", _CLASSIFICATION),
        Metric("log_loss", log_loss, "minimize", _CLASSIFICATION, exact_outputs=True),
        Metric("brier", brier, "minimize", _CLASSIFICATION, exact_outputs=True),
        Metric("rmse", rmse, "minimize", _REGRESSION, unit="target"),
        Metric("mae", mae, "minimize", _REGRESSION, unit="target", best_constant="median"),
        Metric("r2", r2, "maximize", _REGRESSION, needs_varied_targets=True),
    )
}


# The usual score of each task, by which `val_score` is measured.
SCORES = {"classification": "accuracy", "regression": "r2"}
# The curves that every network has of its validation rows, which may be the objective, and which way each is better.
OBJECTIVE_CURVES: dict[str, Literal["maximize", "minimize"]] = {"val_score": "maximize", "val_loss": "minimize"}

GROUP = "mlptune.metrics"
# As a metric's curve these names would have two meanings.
_CURVES = tuple(name.removeprefix("val_") for name in OBJECTIVE_CURVES)
# The metrics of installed packages that this process has loaded, by name.
_installed: dict[str, Metric] = {}
# The functions that were given in Python in this process, by name.
_given: dict[str, Metric] = {}


def find(name: str) -> Metric | None:
    """The metric of this name, ours before those of installed packages; None where there is none.

    Raises ValueError (one line) where a package's entry point cannot be loaded, or names no `Metric` of this name.
    """
    found = METRICS.get(name) or _given.get(name) or _installed.get(name)
    if found is not None or name in _CURVES:
        return found
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP, name=name):
        try:
            row = point.load()
        except Exception as error:  # whatever a foreign module raises when it is imported
            reason = " ".join(str(error).split())
            raise ValueError(
                f"metric {name!r}: {point.value!r} cannot be loaded, {type(error).__name__}: {reason}"
            ) from error
        if not isinstance(row, Metric) or row.name != name:
            what = f"a Metric called {row.name!r}" if isinstance(row, Metric) else f"a {type(row).__name__}"
            raise ValueError(f"metric {name!r}: {point.value!r} must be a Metric called {name!r}, got {what}")
        _installed[name] = row
        return row
    return None


def give(metric: Metric) -> None:
    """Make a metric known to this process under its name. Raises ValueError if that is one of ours."""
    if metric.name in METRICS or metric.name in _CURVES:
        raise ValueError(f"metric {metric.name!r}: there is one of this name; give the function another")
    _given[metric.name] = metric


def sent(name: str) -> "Metric | str":
    """The metric as other processes can use it: by its name, or itself where only this process knows it."""
    return _given.get(name, name)


def installed_names() -> list[str]:
    """The names of the metrics of installed packages, none of which is loaded for it."""
    from importlib.metadata import entry_points

    return sorted({point.name for point in entry_points(group=GROUP)} - {*METRICS, *_CURVES})


def resolve(name: str | Metric, task: str, n_classes: int) -> Metric:
    """The metric of this name, or itself.

    Raises ValueError (one line) if it is unknown, of the other task or not of so many classes.
    """
    row = name if isinstance(name, Metric) else find(name)
    if row is None or task not in row.tasks:
        raise ValueError(f"metric must be one of {', '.join(names_for(task, n_classes))} in {task}, got {name!r}")
    row.check_classes(n_classes)
    return row


def names_for(task: str, n_classes: int | None = None) -> list[str]:
    """Ours of this task, "classification" or "regression", that can judge that many classes."""
    rows = [row for row in METRICS.values() if task in row.tasks]
    return [row.name for row in rows if row.for_more_classes is None or n_classes is None or n_classes <= 2]


def unit_of(curve: str) -> str:
    """The unit of a curve by name: that of the metric if it is `val_<metric>`, else "none".

    A metric of an installed package is known once `find` has been asked for it.
    """
    name = curve.removeprefix("val_")
    metric = METRICS.get(name) or _given.get(name) or _installed.get(name)
    return "none" if metric is None else metric.unit
