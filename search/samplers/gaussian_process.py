"""scikit-optimize's Gaussian process with a prediction that costs products of matrices instead of an einsum.

Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", algorithm 2.1: mean k*^T alpha and variance
k(x, x) - |L^-1 k*|^2. scikit-optimize sums the variance without BLAS, and again for each of three acquisitions: at 100
trials and 10,000 candidates that is most of a proposal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from skopt.learning import GaussianProcessRegressor
from skopt.utils import cook_estimator

_LEARNED_FROM = 200
"""Of more points than this, length scales and noise are learned from so many, evenly spread over the values."""


class Surrogate(GaussianProcessRegressor):
    """The regressor that scikit-optimize would use, predicting faster; gradients are left to it."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Surrogate:
        self._predicted: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        if self.optimizer is not None and len(X) > _LEARNED_FROM:
            # Learning the hyperparameters costs hundreds of Cholesky factors, conditioning on all points only one.
            ranks = np.linspace(0, len(X) - 1, _LEARNED_FROM).round().astype(int)
            chosen = np.sort(np.argsort(y, kind="stable")[ranks])
            part = Surrogate(**self.get_params(deep=False)).fit(np.asarray(X)[chosen], np.asarray(y)[chosen])
            self.set_params(**part.learned())
        super().fit(X, y)
        return self

    def learned(self) -> dict[str, Any]:
        """The parameters of a surrogate that keeps this one's hyperparameters."""
        # The fitted kernel is the product of amplitude and distance plus white noise, whose level is kept apart.
        return {"kernel": self.kernel_.k1, "noise": self.noise_, "optimizer": None}

    def predict(self, X: np.ndarray, return_std: bool = False, **more: bool) -> Any:
        """Mean (n,), and with ``return_std`` standard deviation (n,), at X (n, d)."""
        if not return_std or any(more.values()):
            return super().predict(X, return_std=return_std, **more)
        # The acquisitions of a portfolio look at the same candidates one after the other.
        if self._predicted is None or self._predicted[0] is not X:
            K = self.kernel_(X, self.X_train_)
            mean = K @ self.alpha_ * self._y_train_std + self._y_train_mean
            V = solve_triangular(self.L_, K.T, lower=True, check_finite=False)
            variance = np.maximum(self.kernel_.diag(X) - np.einsum("ij,ij->j", V, V), 0.0)
            self._predicted = (X, mean, np.sqrt(variance) * self._y_train_std)
        return self._predicted[1].copy(), self._predicted[2].copy()


def gaussian_process(dimensions: Sequence[Any], random_state: int) -> Surrogate:
    """An unfitted surrogate with scikit-optimize's kernel for these dimensions."""
    usual = cook_estimator("GP", space=dimensions, random_state=random_state)
    return Surrogate(**usual.get_params(deep=False))
