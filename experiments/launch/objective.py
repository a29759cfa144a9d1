"""What a trial is judged by: what [objective] means for the data, and metrics that cannot judge them, or are blind to a class."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..._text import hint
from ...core.metrics import OBJECTIVE_CURVES, SCORES, Metric, find, names_for
from ..config.schema import ObjectiveConfig
from ..data.class_weight import ClassWeight
from ..data.dataset import Dataset
from ..errors import UserError

# Never to predict a class costs accuracy no more than the class's share of the rows; below these shares a sweep is warned.
RARE_OF_TWO, RARE_OF_MORE = 0.1, 0.02


@dataclass(frozen=True)
class Objective:
    """What a trial is judged by: the curve it is read from, its direction, and the engine's extra metric, if it is one.

    Beside it are the counted costs that are minimised too, and what each may be at most.
    """

    key: str
    direction: Literal["maximize", "minimize"]
    metric: str | None
    counted: tuple[str, ...] = ()
    limit: Mapping[str, float] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        """All metrics, the score first."""
        return (self.key, *self.counted)

    def row(self, task: str) -> Metric | None:
        """The metric's row; of `val_score` that of the task's usual score, of `val_loss` none."""
        name = SCORES[task] if self.key == "val_score" else self.metric
        return None if name is None else find(name)

    @property
    def directions(self) -> list[Literal["maximize", "minimize"]]:
        """The directions of all metrics."""
        directions: list[Literal["maximize", "minimize"]] = ["minimize"] * (1 + len(self.counted))
        directions[0] = self.direction
        return directions


def objective_of(config: ObjectiveConfig, dataset: Dataset) -> Objective:
    """What [objective] means for the data. Raises UserError for a metric that cannot judge them."""
    key, metric, n_classes = config.metric, None, len(dataset.classes or ())
    if key in OBJECTIVE_CURVES:
        best = OBJECTIVE_CURVES[key]
    else:
        metric = key.removeprefix("val_")
        try:
            row = find(metric)
        except ValueError as error:
            raise UserError(f"[objective] {error}") from None
        if row is None or dataset.task not in row.tasks:
            of_task = names_for(dataset.task, n_classes)
            known = hint(metric, (*OBJECTIVE_CURVES, *of_task))
            raise UserError(f"[objective] metric: {config.metric!r} is not a metric for {dataset.task}{known}")
        try:
            row.check_classes(n_classes)
        except ValueError as error:
            raise UserError(f"[objective] metric: {error}") from None
        key, best = f"val_{metric}", row.direction
    direction = best if config.direction == "auto" else config.direction
    return Objective(key, direction, metric, config.counted, config.limit or {})


def check_defined(objective: Objective, dataset: Dataset) -> None:
    """Refuse a metric that is not defined on some fold's validation rows, even of a perfect prediction."""
    metric = None if objective.metric is None else find(objective.metric)
    for i, fold in enumerate(dataset.folds(), 1):
        y, weight = fold.arrays.y_val, fold.arrays.weight_val
        if metric is None or y is None or not len(y):
            continue
        classes = fold.target.classes or ()
        right = y if not classes else np.eye(len(classes))[y][:, -fold.target.n_outputs :]
        try:
            if not math.isnan(metric.function(y, right, weight)):
                continue
        except Exception as error:  # whatever a foreign function raises
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"[objective] metric {metric.name!r}: {type(error).__name__}: {reason}") from error
        present = np.bincount(y, weight, minlength=len(classes)) > 0 if classes else ()
        missing = [str(label)[:40] for label, found in zip(classes, present, strict=True) if not found]
        which = f" have none of the class {missing[0]!r}" if missing else " are too few"
        rows = f"the validation rows of fold {i}" if len(dataset.folds()) > 1 else "the validation rows"
        raise UserError(
            f"[objective] metric: {metric.name!r} is not defined, since {rows}{which}; "
            "take fewer folds ([data] folds), a larger validation part, or the metric log_loss"
        )


def rare_class(objective: Objective, dataset: Dataset, class_weight: ClassWeight | None) -> tuple[str, ...]:
    """A warning where accuracy is the metric and a class is rare, which names the rarest; nothing elsewhere."""
    row = objective.row(dataset.task)
    shares = dataset.class_shares() if row is not None and row.hides_rare_classes else {}
    least = RARE_OF_TWO if len(shares) == 2 else RARE_OF_MORE
    rare = [label for label, share in shares.items() if share < least]
    if not rare:
        return ()
    rarest = min(rare, key=lambda label: shares[label])
    more = f" ({len(rare) - 1} more below {100 * least:g} %)" if len(rare) > 1 else ""
    text = (
        f"class {str(rarest)[:40]!r} is {100 * shares[rarest]:.2g} % of the rows that are not test{more}: accuracy hardly sees "
        "it; balanced_accuracy, average_precision and log_loss ([objective] metric) do"
    )
    weigh = '; [model] class_weight = "balanced" lets all classes count the same in training'
    return (text + (weigh if class_weight is None else ""),)
