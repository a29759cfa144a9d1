"""Temperature scaling: one number that makes probabilities neither too sure nor too unsure (Guo et al. 2017).

p_i(T) = p_i^(1/T) / sum_j p_j^(1/T), with the T that has the least log loss on rows that no network was trained on. The
likeliest class stays the same.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Between these T is looked for; probabilities are cut where float32 ends, so that their logarithm is finite.
LEAST, GREATEST = 0.1, 10.0
PRECISION = 1e-9
TINY = float(np.finfo(np.float32).tiny)
# The standard deviation around 1 that is assumed of 1/T before any row is seen.
PRIOR = 0.1


def apply_temperature(probabilities: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    """Probabilities (n, C), or (n, 1) of class 1 alone, at another temperature, in the same shape."""
    p = np.asarray(probabilities, dtype=np.float64)
    if temperature == 1.0:
        return p
    logits = _logits(p) / temperature
    if p.shape[1] == 1:
        with np.errstate(over="ignore"):
            return 1.0 / (1.0 + np.exp(-logits))
    logits -= logits.max(axis=1, keepdims=True)
    result = np.exp(logits)
    return np.asarray(result / result.sum(axis=1, keepdims=True))


def fit_temperature(probabilities: NDArray[Any], y: NDArray[Any], weight: NDArray[Any] | None = None) -> float:
    """The temperature for probabilities (n, C) or (n, 1) of rows with the class indices y (n,).

    It is the maximum a posteriori with 1/T normal around 1 (`PRIOR`): a few rows that are wrong among thousands that are right say
    hardly anything of T, and rows that are all right do not make the probabilities 0 and 1. The sum is convex in 1/T: Newton's
    method finds the root of its slope, and halving the interval goes on where a step would leave it. (SciPy's minimisers would
    do; to import them takes longer than such a sweep's training.)
    """
    logits = _logits(np.asarray(probabilities, dtype=np.float64))
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    weights = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    top = logits.max(axis=1)
    wanted = logits[np.arange(len(y)), y]
    below = logits - top[:, None]

    def slope(inverse: float) -> tuple[float, float]:
        """The first and second derivative by 1/T; the log loss's are mean and variance of the logits by the probabilities at T."""
        p = np.exp(below * inverse)
        p /= p.sum(axis=1, keepdims=True)
        mean = (p * below).sum(axis=1)
        variance = (p * (below - mean[:, None]) ** 2).sum(axis=1)
        of_prior = (inverse - 1.0) / PRIOR**2, PRIOR**-2
        return float(weights @ (mean + top - wanted)) + of_prior[0], float(weights @ variance) + of_prior[1]

    return 1.0 / _root(slope, 1.0 / GREATEST, 1.0 / LEAST)


def _root(slope: Callable[[float], tuple[float, float]], low: float, high: float) -> float:
    """Where a rising function, given with its derivative, is 0 between `low` and `high`; the nearer end if it is nowhere."""
    x = 1.0
    while high - low > PRECISION * x:
        value, derivative = slope(x)
        low, high = (x, high) if value < 0 else (low, x)
        step = value / derivative if derivative > 0 else np.inf
        if value == 0 or abs(step) <= PRECISION * x:
            break
        x = x - step if low < x - step < high else 0.5 * (low + high)
    return x


def _logits(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """log p, or log p / (1 - p) of class 1 alone."""
    if p.shape[1] == 1:
        inner = np.clip(p, TINY, 1.0 - np.finfo(np.float64).eps)
        return np.asarray(np.log(inner) - np.log1p(-inner))
    return np.asarray(np.log(np.maximum(p, TINY)))
