"""Expected improvement per cost, by a surrogate whose predictions are scaled by the cost of a configuration.

Snoek et al. 2012, "Practical Bayesian Optimization of Machine Learning Algorithms", section 3.2 ("EI per second"):
EI(x) / c(x). The cost c is counted in operations and known before anything is trained, so a seed gives the same
proposals on a slow machine and a fast one. scikit-optimize's own `EIps` models measured seconds, and uses as the best
value the smallest among values and logarithms of seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone

XI = 0.01
"""The least improvement that scikit-optimize counts, in the objective's own unit."""

LogCost = Callable[[np.ndarray], np.ndarray]


class PerCost(RegressorMixin, BaseEstimator):
    """Another surrogate, its predictions drawn towards the best value by the cost.

    With b = min y - XI, mean m and deviation s, expected improvement is a function of (b - m, s) that is homogeneous of degree
    one. Dividing both by c(x) divides it by c(x), so `acq_func="EI"` over this surrogate is improvement per cost.

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
        """The parameters of a surrogate that keeps this one's kernel and noise."""
        return {f"regressor__{name}": value for name, value in self.regressor_.fixed_kernel_params().items()}

    def predict(self, X: np.ndarray, return_std: bool = False) -> Any:
        """Mean (n,), and with `return_std` standard deviation (n,), at X (n, d), both scaled by the cost."""
        mean, deviation = self.regressor_.predict(X, return_std=True)
        scale = np.exp(-self.log_cost(X))
        scaled = self.goal_ - (self.goal_ - mean) * scale
        return (scaled, deviation * scale) if return_std else scaled


def fit_log_cost(points: np.ndarray, costs: Sequence[float]) -> LogCost:
    """A model of log cost, fitted to transformed points (n, d) and their costs; 0 is their mean.

    Counting the operations of each of thousands of candidates would take longer than everything else.

    Raises:
        ValueError: for costs that are not above 0, or if none is finite (an infinite one marks an impossible point).
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
