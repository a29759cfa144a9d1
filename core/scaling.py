"""Input and target scaling that belongs to the network: learned from its training rows, kept with its statistics.

It is a function of the fold's rows alone. Everything is computed in float64 from numbers that were rounded to the
network's precision first, so that training and prediction use the very same.
"""

import numpy as np

from .array import Array
from .quantiles import fit_quantiles, to_normal

SCALINGS = ("none", "minmax", "standard", "robust", "quantile")

# Robustly scaled inputs are bent smoothly into +-3; the others are cut where no training row can be.
SMOOTH_LIMIT, HARD_LIMIT = 3.0, 1e6


def fit_inputs(kind: str, X: Array, n_quantiles: int = 0) -> Array:
    """Centre and factor of each column of X (n, d), as (2 d,); a constant column gets the factor 0.

    `minmax`: to [-1, 1]. `standard`: mean 0, deviation 1. `robust`: the median, and 1 over the difference of the
    quartiles, or where that is 0 over half the range (Holzmüller et al. 2024, app. A). For `quantile` it is what
    `fit_quantiles` finds, (d n_quantiles,).
    """
    if kind == "quantile":
        return fit_quantiles(X, n_quantiles)
    X = np.asarray(X, dtype=np.float64)
    low, high = X.min(axis=0), X.max(axis=0)
    with np.errstate(all="ignore"):
        if kind == "minmax":
            centre, width = 0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low
        elif kind == "standard":
            centre, width = X.mean(axis=0), X.std(axis=0)
        else:
            first, centre, third = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
            width = np.where(third > first, third - first, 0.5 * high - 0.5 * low)
        factor = np.where(high > low, 1.0 / width, 0.0)
    return np.concatenate([centre, np.where(np.isfinite(factor), factor, 0.0)])


def scale_inputs(kind: str, fitted: Array, X: Array) -> Array:
    """X (n, d) scaled by what `fit_inputs` found, in float64; smoothly bent into +-3 if `robust`."""
    if kind == "quantile":
        return to_normal(fitted, X)
    centre, factor = np.split(np.asarray(fitted, dtype=np.float64), 2)
    scaled = np.clip((np.asarray(X, dtype=np.float64) - centre) * factor, -HARD_LIMIT, HARD_LIMIT)
    return scaled / np.sqrt(1.0 + (scaled / SMOOTH_LIMIT) ** 2) if kind == "robust" else scaled


def fit_targets(y: Array) -> Array:
    """Of each column of y (n, o): mean, deviation (1 if it is 0), and the ends of its range in these units, (4 o,)."""
    y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    mean, deviation = y.mean(axis=0), y.std(axis=0)
    deviation = np.where(deviation > 0.0, deviation, 1.0)
    return np.concatenate([mean, deviation, (y.min(axis=0) - mean) / deviation, (y.max(axis=0) - mean) / deviation])
