"""Improvement per cost: a surrogate whose predictions make expected improvement count the cheap configurations for more.

Snoek et al. 2012, "Practical Bayesian Optimization of Machine Learning Algorithms", section 3.2 ("EI per second"):
EI(x) / c(x). The cost c is counted in operations and known before anything is trained, so a seed gives the same
proposals on a slow machine and a fast one. scikit-optimize's own `EIps` learns seconds from those that passed, and
takes for the best value whatever is smallest among values and logarithms of seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone

XI = 0.01
"""What scikit-optimize asks of an improvement, at least, in the objective's own unit."""

LogCost = Callable[[np.ndarray], np.ndarray]


class PerCost(RegressorMixin, BaseEstimator):
    """Another surrogate, its predictions drawn towards the best value by the cost.

    With b = min y - XI, mean m and deviation s, expected improvement is a function of (b - m, s) that doubles when both
    double. Dividing both by c(x) divides it by c(x), so `acq_func="EI"` over this surrogate is improvement per cost.

    Args:
        regressor: the surrogate of the values.
        log_cost: log c at transformed points (n, d), as (n,).
    """

    def __init__(self, regressor: Any, log_cost: LogCost) -> None:
        self.regressor = regressor
        self.log_cost = log_cost

    def fit(self, X: np.ndarray, y: np.ndarray) -> PerCost:
        self.regressor_ = clone(self.regressor).fit(X, y)
        self.goal_ = float(np.min(y)) - XI
        return self

    def fixed_kernel_params(self) -> dict[str, Any]:
        """The parameters of a surrogate that keeps this one's hyperparameters."""
        return {f"regressor__{name}": value for name, value in self.regressor_.fixed_kernel_params().items()}

    def predict(self, X: np.ndarray, return_std: bool = False) -> Any:
        """Mean (n,), and with `return_std` standard deviation (n,), at X (n, d), both seen through the cost."""
        mean, deviation = self.regressor_.predict(X, return_std=True)
        share = np.exp(-self.log_cost(X))
        seen = self.goal_ - (self.goal_ - mean) * share
        return (seen, deviation * share) if return_std else seen


def fit_log_cost(points: np.ndarray, costs: Sequence[float]) -> LogCost:
    """A model of log cost, learned from transformed points (n, d) and their costs; 0 is their mean.

    Counting the operations of each of thousands of candidates would take longer than everything else.

    Raises ValueError for costs that are not above 0, or none that is finite (an infinite one is a point that cannot be).
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    known = np.asarray(costs, dtype=float)
    finite = np.isfinite(known)
    if not finite.any() or np.isnan(known).any() or known.min() <= 0:
        raise ValueError("cost: must be above 0 everywhere, and finite somewhere")
    logs = np.log(known[finite])
    model = HistGradientBoostingRegressor(min_samples_leaf=5, early_stopping=False)
    model.fit(points[finite], logs - logs.mean())
    return lambda X: model.predict(X)
