"""Input scaling by quantiles: what is learned of a column makes its training rows a standard normal sample."""

import numpy as np

from .array import Array

# The noise on the training values, in units of their column's deviation.
NOISE = 1e-5

# A share of rows this near to 0 or 1 counts as 0 or 1; its normal quantile, 5.2, is the largest number that comes out.
LEAST_SHARE = 1e-7


def n_quantiles(n_rows: int) -> int:
    """How many quantiles of a column are learned from so many training rows: one for thirty, from 10 to 1000."""
    return max(min(n_rows // 30, 1000), 10)


def fit_quantiles(X: Array, n: int) -> Array:
    """The n quantiles of each column of X (rows, d), its least and greatest among them, in ascending order, (d n,).

    Before they are taken, each value gets normal noise of 1e-5 of its column's deviation (the noisy quantiles of
    Gorishniy et al. 2021), so that many equal values become a steep slope and not a step. The noise is a function of
    X's shape alone: folds of one size and all seeds share it. A constant column stays constant.
    """
    X = np.asarray(X, dtype=np.float64)
    low, high = X.min(axis=0), X.max(axis=0)
    # In units of half the range, in which no square overflows.
    centre, half = 0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low
    unit = np.where(half > 0.0, half, 1.0)
    with np.errstate(all="ignore"):
        scaled = (X - centre) / unit
        deviation = np.where(half > 0.0, scaled.std(axis=0), 0.0)
        noise = np.random.default_rng(np.random.SeedSequence(X.shape)).normal(size=X.shape)
        edges = np.quantile(scaled + NOISE * deviation * noise, np.linspace(0.0, 1.0, n), axis=0)
        edges = np.where(half > 0.0, edges * unit + centre, low)
    return np.ascontiguousarray(np.maximum.accumulate(edges, axis=0).T).ravel()


def to_normal(quantiles: Array, X: Array) -> Array:
    """X (n, d) by the `quantiles` (d q,): the normal quantile of the share of training rows below, in float64.

    The share is linear between two quantiles, and in the middle of all that it may be where several are equal; as in
    scikit-learn's QuantileTransformer, what is at or beyond the ends becomes -5.2 or 5.2. A constant column becomes 0.
    """
    from scipy.special import ndtri

    X = np.asarray(X, dtype=np.float64)
    table = np.asarray(quantiles, dtype=np.float64).reshape(X.shape[1], -1)
    reference = np.linspace(0.0, 1.0, table.shape[1])
    share = np.empty(X.shape)
    for column, (x, edges) in enumerate(zip(X.T, table, strict=True)):
        from_below = np.interp(x, edges, reference)
        from_above = np.interp(-x, -edges[::-1], -reference[::-1])
        share[:, column] = 0.5 * (from_below - from_above)
    share = np.where(table[:, -1] > table[:, 0], np.clip(share, LEAST_SHARE, 1.0 - LEAST_SHARE), 0.5)
    return np.asarray(ndtri(share))
