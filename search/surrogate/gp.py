"""A Gaussian process for a few hundred evaluations of an expensive function, fitted in milliseconds with NumPy and LAPACK.

Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning": algorithm 2.1 for the prediction, equation 5.9 for the
gradient of the marginal likelihood. The kernel is Matern 5/2 (their equation 4.17) of one distance over all features,
r^2 = sum_i w_i (x_i - x'_i)^2, with a weight w_i for each feature i (automatic relevance determination, w_i = 1 / l_i^2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MAX_FIT_POINTS = 200
"""The most points that kernel parameters are fitted to; of more, this many spread evenly over the ranks of y."""

_JITTER = 1e-8

_BLOCK = 250
"""Points are predicted in blocks: larger matrices need new memory pages each time, which cost more than the arithmetic."""


@dataclass(frozen=True)
class KernelParameters:
    """The hyperparameters of a Gaussian process of standardised y: feature weights (p,), signal and noise variance.

    `evidence` is the logarithm of the posterior density that was reached, per value of y in its own units: it compares models
    of the same values and, with the mean logarithm of a transformation's slope added, transformations of them.
    """

    weights: np.ndarray
    signal: float = 1.0
    noise: float = 1e-2
    evidence: float = float("nan")

    def __post_init__(self) -> None:
        self.weights.setflags(write=False)


@dataclass(frozen=True)
class Prior:
    """Log-normal priors: medians, and standard deviations of the logarithms. The median of `weight` is divided by p features."""

    weight: tuple[float, float] = (4.0, 1.5)
    signal: tuple[float, float] = (1.0, 1.0)
    noise: tuple[float, float] = (1e-2, 1.5)

    def normal(self, p: int) -> tuple[np.ndarray, np.ndarray]:
        """Means and deviations (p + 2,) of (log w_1 ... log w_p, log signal, log noise)."""
        mean = [np.log(self.weight[0] / p)] * p + [np.log(self.signal[0]), np.log(self.noise[0])]
        return np.array(mean), np.array([self.weight[1]] * p + [self.signal[1], self.noise[1]])


DEFAULT_PRIOR = Prior()


def fit_kernel_parameters(
    X: np.ndarray,
    y: np.ndarray,
    *,
    prior: Prior = DEFAULT_PRIOR,
    steps: int = 30,
) -> KernelParameters:
    """The kernel parameters with the largest posterior density, by L-BFGS from the prior's mode: a function of the data alone.

    Args:
        X: features (n, p).
        y: values (n,); standardised here.
        prior: of the kernel parameters.
        steps: the most iterations of L-BFGS.
    """
    from scipy.optimize import minimize

    _check(X, y)
    p = X.shape[1]
    centre, width = prior.normal(p)
    if len(X) > MAX_FIT_POINTS:
        ranks = np.linspace(0, len(X) - 1, MAX_FIT_POINTS).round().astype(int)
        chosen = np.sort(np.argsort(y, kind="stable")[ranks])
        X, y = X[chosen], y[chosen]
    y, _, scale = _standardise(y)
    n = len(y)
    rows, columns = np.tril_indices(n, -1)
    squares = (X[rows] - X[columns]).T ** 2
    # The indices of the pairs in a matrix in LAPACK's order, column by column.
    pairs, diagonal = columns * n + rows, np.arange(n) * (n + 1)
    K = np.empty((n, n), order="F")
    entries = K.T.reshape(-1)

    def loss(phi: np.ndarray) -> tuple[float, np.ndarray]:
        """The negative log posterior density, and its gradient."""
        theta = np.exp(phi)
        k, slope = _matern_and_slope(theta[:p] @ squares)
        entries[pairs] = theta[p] * k
        entries[diagonal] = theta[p] + theta[p + 1] + _JITTER
        L = _cholesky(K)
        alpha, inverse = _solve(L, y), _inverse(L)
        # dL/dK = (K^-1 - alpha alpha^T) / 2; below, each pair stands for its transpose as well.
        pull = inverse.T.reshape(-1)[pairs] - alpha[rows] * alpha[columns]
        trace = np.diagonal(inverse).sum() - alpha @ alpha
        deviation = (phi - centre) / width
        value = 0.5 * (y @ alpha) + np.log(np.diagonal(L)).sum() + 0.5 * (deviation @ deviation)
        gradient = np.empty(p + 2)
        gradient[:p] = theta[:p] * (squares @ (pull * slope)) * theta[p]
        gradient[p] = theta[p] * (pull @ k + 0.5 * trace)
        gradient[p + 1] = theta[p + 1] * 0.5 * trace
        return float(value), gradient + deviation / width

    bounds = [(c - 4 * w, c + 4 * w) for c, w in zip(centre, width, strict=True)]
    found = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})
    theta = np.exp(found.x)
    evidence = -found.fun / n - 0.5 * np.log(2 * np.pi) - np.log(scale)
    return KernelParameters(theta[:p], float(theta[p]), float(theta[p + 1]), float(evidence))


def transform_objective(y: np.ndarray) -> np.ndarray:
    """Finite objective values (n,), to be minimised, made fit for the model -> values in the same order, best -1, median 0.

    A Gaussian process expects normal errors and functions that vary evenly. Errors of networks do neither: they span
    decades, and a network that diverged is worse than the others by more than all their differences. Where all values are
    above zero their logarithm is taken; then all that is worse than the median counts only by the logarithm of how much
    worse it is.
    """
    if y.min() > 0:
        y = np.log(y)
    middle = np.median(y)
    z = (y - middle) / ((middle - y.min()) or 1.0)
    return np.where(z > 0, np.log1p(np.maximum(z, 0.0)), z)


class GaussianProcess:
    """The posterior after values y at points X.

    Args:
        X: features (n, p).
        y: values (n,); standardised here, so that kernel parameters mean the same for every function.
        parameters: fitted to these or other points, see `fit_kernel_parameters`.
        standard: the mean and deviation that y is standardised by, if not those of y itself.
    """

    def __init__(
        self,
        X: np.ndarray,
        y: np.ndarray,
        parameters: KernelParameters,
        *,
        standard: tuple[float, float] | None = None,
    ) -> None:
        _check(X, y)
        self.parameters = parameters
        self._root = np.sqrt(parameters.weights)
        if standard is None:
            _, mean, scale = _standardise(y)
            standard = mean, scale
        self.mean, self.scale = standard
        self.X, self.y = X, y
        self._scaled = X * self._root
        K = _matern(_distances(self._scaled, self._scaled))
        K *= parameters.signal
        K[np.diag_indices(len(X))] += parameters.noise + _JITTER
        self._L = _cholesky(K)
        self._alpha = _solve(self._L, (y - self.mean) / self.scale)

    def predict(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (m,) and standard deviation (m,) of the function (without noise) at features X (m, p)."""
        from scipy.linalg.lapack import dtrtrs

        mean, variance = np.empty(len(X)), np.empty(len(X))
        for start in range(0, len(X), _BLOCK):
            rows = slice(start, start + _BLOCK)
            K = _matern(_distances(X[rows] * self._root, self._scaled))
            K *= self.parameters.signal
            V, _ = dtrtrs(self._L, K.T, lower=1)
            mean[rows] = K @ self._alpha
            variance[rows] = self.parameters.signal - np.einsum("ij,ij->j", V, V)
        return mean * self.scale + self.mean, np.sqrt(np.maximum(variance, 1e-12)) * self.scale

    def condition_on(self, X: np.ndarray, y: np.ndarray) -> GaussianProcess:
        """The posterior after further values y (m,) at X (m, p), with the same kernel parameters and standardisation."""
        X, y = np.concatenate([self.X, X]), np.concatenate([self.y, y])
        standard = self.mean, self.scale
        return GaussianProcess(X, y, self.parameters, standard=standard)


def correlation(A: np.ndarray, B: np.ndarray, parameters: KernelParameters) -> np.ndarray:
    """The prior correlations (n,) of the function's values at features A (n, p) with those at B (n, p), row by row."""
    return _matern(((A - B) ** 2) @ parameters.weights)


def _check(X: np.ndarray, y: np.ndarray) -> None:
    for name, values in (("X", X), ("y", y)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name}: not all values are finite")


def _standardise(y: np.ndarray) -> tuple[np.ndarray, float, float]:
    mean, scale = float(y.mean()), float(y.std())
    if not scale > 1e-12 * max(1.0, abs(mean)):
        scale = 1.0
    return (y - mean) / scale, mean, scale


def _distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Squared distances (m, n) of rows."""
    products = A @ B.T
    products *= 2.0
    squares = (A * A).sum(axis=1)[:, None] + (B * B).sum(axis=1)
    squares -= products
    return np.maximum(squares, 0.0, out=squares)


def _matern(squares: np.ndarray) -> np.ndarray:
    """Matern 5/2 of squared distances s, which are overwritten: (1 + r + r^2 / 3) exp(-r), r^2 = 5 s."""
    squares *= 5.0
    root = np.sqrt(squares, out=squares)
    kernel = root / 3.0
    kernel += 1.0
    kernel *= root
    kernel += 1.0
    decay = np.exp(np.negative(root, out=root), out=root)
    kernel *= decay
    return kernel


def _matern_and_slope(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matern 5/2 of squared distances, which are overwritten, and its derivative with respect to them."""
    squares *= 5.0
    root = np.sqrt(squares, out=squares)
    decay = np.exp(-root)
    slope = (1.0 + root) * decay
    kernel = root * root
    kernel /= 3.0
    kernel *= decay
    kernel += slope
    slope *= -5.0 / 6.0
    return kernel, slope


def _cholesky(K: np.ndarray) -> np.ndarray:
    """The lower triangle L of K = L L^T; the entries above it are arbitrary."""
    from scipy.linalg.lapack import dpotrf

    L, info = dpotrf(K, lower=1, clean=0)
    if info:
        raise FloatingPointError(f"the kernel's matrix is not positive definite (LAPACK's dpotrf: {info})")
    return L


def _solve(L: np.ndarray, y: np.ndarray) -> np.ndarray:
    """K^-1 y (n,)."""
    from scipy.linalg.lapack import dpotrs

    return dpotrs(L, y, lower=1)[0]


def _inverse(L: np.ndarray) -> np.ndarray:
    """The lower triangle of K^-1."""
    from scipy.linalg.lapack import dpotri

    return dpotri(L, lower=1)[0]
