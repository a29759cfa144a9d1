"""scikit-optimize's Gaussian process with predictions by BLAS.

Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", algorithm 2.1: mean k*^T alpha and variance
k(x, x) - |L^-1 k*|^2. scikit-optimize sums the variance without BLAS, and again for each of three acquisition functions: at 100
trials and 10,000 candidates that is most of a proposal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from skopt.learning import GaussianProcessRegressor
from skopt.learning.gaussian_process.kernels import HammingKernel
from skopt.utils import cook_estimator

_MAX_FIT_POINTS = 200
"""The most points that length scales and noise are fitted to; of more, this many evenly spread over the values."""


class FastHammingKernel(HammingKernel):
    """scikit-optimize's kernel for choices, exp(-sum_j l_j [x_j != y_j]), quicker where no gradient is wanted."""

    def __call__(self, X: np.ndarray, Y: np.ndarray | None = None, eval_gradient: bool = False) -> Any:
        if eval_gradient:
            return super().__call__(X, Y, eval_gradient=True)
        X = np.atleast_2d(X)
        Y = X if Y is None else np.atleast_2d(Y)
        exponent = np.zeros((len(X), len(Y)))
        for j, scale in enumerate(np.broadcast_to(self.length_scale, X.shape[1])):
            exponent -= scale * (X[:, j, None] != Y[:, j])
        return np.exp(exponent, out=exponent)


class Surrogate(GaussianProcessRegressor):
    """The regressor that scikit-optimize would use, predicting faster; gradients are left to it."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Surrogate:
        self._predicted: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        if self.optimizer is not None and len(X) > _MAX_FIT_POINTS:
            # Fitting the kernel takes hundreds of Cholesky factors, conditioning on all points only one.
            ranks = np.linspace(0, len(X) - 1, _MAX_FIT_POINTS).round().astype(int)
            chosen = np.sort(np.argsort(y, kind="stable")[ranks])
            fitted = Surrogate(**self.get_params(deep=False)).fit(np.asarray(X)[chosen], np.asarray(y)[chosen])
            self.set_params(**fitted.fixed_kernel_params())
        super().fit(X, y)
        return self

    def fixed_kernel_params(self) -> dict[str, Any]:
        """The parameters of a surrogate that keeps this one's kernel and noise."""
        # The fitted kernel is the product of amplitude and distance plus white noise, whose level is kept apart.
        return {"kernel": self.kernel_.k1, "noise": self.noise_, "optimizer": None}

    def predict(
        self,
        X: np.ndarray,
        return_std: bool = False,
        return_cov: bool = False,
        return_mean_grad: bool = False,
        return_std_grad: bool = False,
    ) -> Any:
        """Mean (n,) and, with `return_std`, standard deviation (n,) at X (n, d); for one point also their gradients (d,)."""
        if return_cov or not return_std or return_mean_grad != return_std_grad:
            return super().predict(X, return_std, return_cov, return_mean_grad, return_std_grad)
        if return_std_grad:
            return self._predict_with_gradients(np.asarray(X, dtype=float)[0])
        # The acquisition functions of a portfolio evaluate the same candidates one after the other.
        if self._predicted is None or self._predicted[0] is not X:
            K = self.kernel_(X, self.X_train_)
            mean = K @ self.alpha_ * self._y_train_std + self._y_train_mean
            V = solve_triangular(self.L_, K.T, lower=True, check_finite=False)
            variance = np.maximum(self.kernel_.diag(X) - np.einsum("ij,ij->j", V, V), 0.0)
            self._predicted = (X, mean, np.sqrt(variance) * self._y_train_std)
        return self._predicted[1].copy(), self._predicted[2].copy()

    def _predict_with_gradients(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Mean (1,) and deviation (1,) at x (d,), and their gradients (d,), for amplitude times Matern 5/2.

        With r = sqrt(5) |(x - x') / l| the kernel is a (1 + r + r^2 / 3) exp(-r), and its slope along x
        -(5 / 3) a (1 + r) exp(-r) (x - x') / l^2.
        """
        amplitude, scale = self.kernel_.k1.k1.constant_value, self.kernel_.k1.k2.length_scale
        step = (x - self.X_train_) / scale
        r = np.sqrt(5.0 * np.einsum("ij,ij->i", step, step))
        decay = amplitude * np.exp(-r)
        k = decay * (1.0 + r + r * r / 3.0)
        slope = (-5.0 / 3.0 * decay * (1.0 + r))[:, None] * (step / scale)
        weights = self.K_inv_ @ k
        deviation = np.sqrt(max(amplitude - k @ weights, 0.0))
        mean = np.array([k @ self.alpha_ * self._y_train_std + self._y_train_mean])
        # Where the deviation is 0, scikit-optimize too takes 0 as its gradient.
        slope_of_deviation = np.zeros_like(x) if np.isclose(deviation, 0.0) else -(weights @ slope) / deviation
        unit = self._y_train_std
        return mean, np.array([deviation * unit]), self.alpha_ @ slope * unit, slope_of_deviation * unit


def gaussian_process(dimensions: Sequence[Any], random_state: int) -> Surrogate:
    """An unfitted surrogate with scikit-optimize's kernel for these dimensions."""
    standard = cook_estimator("GP", space=dimensions, random_state=random_state)
    distance = standard.kernel.k2
    if isinstance(distance, HammingKernel):
        standard.set_params(
            kernel=standard.kernel.k1 * FastHammingKernel(distance.length_scale, distance.length_scale_bounds)
        )
    return Surrogate(**standard.get_params(deep=False))
