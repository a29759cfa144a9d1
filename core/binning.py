"""Piecewise-linear encoding of numbers by bins."""

import numpy as np

from .array import Array

# The number of bins unless another is given.
N_BINS = 8


def fit_bins(X: Array, n_bins: int = N_BINS) -> Array:
    """Edges b_0 ... b_T of the T = `n_bins` bins of each column of X (n, d), its quantiles: (d (T + 1),)."""
    edges = np.quantile(np.asarray(X, dtype=np.float64), np.linspace(0.0, 1.0, n_bins + 1), axis=0)
    return np.ascontiguousarray(edges.T).ravel()


def encode_bins(edges: Array, X: Array) -> Array:
    """Gorishniy et al. 2022, eq. 1: each x (n, d) becomes the share of each bin that lies below it, (n, d T) in float64.

    e_t = (x - b_(t-1)) / (b_t - b_(t-1)), cut to 0 ... 1, but for the first bin below and the last above, which go on
    as far as one further width. A bin without width, where many rows are equal, is 0 up to its edge and then 1.
    """
    x = np.asarray(X, dtype=np.float64)[..., None]
    b = np.asarray(edges, dtype=np.float64).reshape(x.shape[-2], -1)
    with np.errstate(all="ignore"):
        low, width = b[:, :-1], np.diff(b, axis=1)
        shares = np.where(width > 0.0, (x - low) / np.where(width > 0.0, width, 1.0), x > low)
    lower, upper = np.zeros(width.shape[1]), np.ones(width.shape[1])
    lower[0], upper[-1] = -1.0, 2.0
    return np.clip(shares, lower, upper).reshape(*x.shape[:-2], width.size)
