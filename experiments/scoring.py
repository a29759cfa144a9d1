"""Scores of predictions: one rule for models, for the ensemble and for what is expected of either."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.losses import LOSSES
from ..core.metrics import METRICS, Metric


@dataclass(frozen=True)
class Scoring:
    """How predictions are judged.

    Attributes:
        metric: The metric; None: the loss.
        loss: The name of the loss that networks are trained on.
        unit: The standard deviation of the target in training, for the loss.
    """

    metric: Metric | None
    loss: str
    unit: float = 1.0

    def __call__(self, y: NDArray[Any], outputs: NDArray[Any], weight: NDArray[Any] | None = None) -> float:
        """The score of `outputs` (n, o): probabilities for class indices y (n,), or numbers for y (n, o) in the same unit.

        NaN for a loss that predictions do not determine.
        """
        if self.metric is not None:
            return float(self.metric.function(y, outputs, weight))
        from_outputs = LOSSES[self.loss].from_outputs
        if from_outputs is None:
            return math.nan
        return float(np.average(from_outputs(outputs, y, self.unit), weights=weight))

    @property
    def greater_is_better(self) -> bool:
        """Whether a larger score is the better one."""
        return self.metric is not None and self.metric.greater_is_better

    @property
    def best(self) -> float:
        """What no score is better than: 0 of losses and errors, 1 of other scores; infinite where that is not known."""
        if self.metric is not None and self.metric is not METRICS.get(self.metric.name):
            return math.inf if self.greater_is_better else -math.inf
        return 1.0 if self.greater_is_better else 0.0
