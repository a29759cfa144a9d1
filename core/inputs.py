"""Inputs on their way into the network: scaling, bins and the column of ones."""

import numpy as np

from .array import Array
from .binning import encode_bins, fit_bins
from .scaling import fit_inputs, scale_inputs
from .structure import Structure


def fit_rows(structure: Structure, X: Array) -> Array:
    """What a network learns of its inputs from its training rows X (n, d) before the first step: scaling and edges.

    The plain inputs, the last ones, are left alone here and in `prepare_rows`.
    """
    parts = [np.empty(0)]
    X = X[:, : structure.n_numeric]
    if not X.shape[1]:
        return parts[0]
    if structure.scaling != "none":
        parts.append(fit_inputs(structure.scaling, X, structure.n_quantiles))
        X = scale_inputs(structure.scaling, parts[-1].astype(structure.dtype), X)
    if structure.n_bins:
        parts.append(fit_bins(X, structure.n_bins))
    return np.concatenate(parts)


def prepare_rows(structure: Structure, fitted: Array, X: Array) -> Array:
    """X (n, d) as the lowest layer takes it, (n, n_encoded), by what `fit_rows` found."""
    m = structure.n_numeric
    if not m:
        return X
    n = structure.n_by_input * m
    X, plain = X[..., :m], X[..., m:]
    if n:
        X = scale_inputs(structure.scaling, fitted[:n], X)
    if structure.n_bins:
        X = encode_bins(fitted[n:], X)
    return np.concatenate([X, plain], axis=-1) if plain.shape[-1] else X


def with_ones(X: Array, dtype: str) -> Array:
    """X (..., n, d) with a last column of ones (..., n, d + 1): the input that the first layer's bias multiplies."""
    extended = np.empty((*X.shape[:-1], X.shape[-1] + 1), dtype=dtype)
    extended[..., :-1] = X
    extended[..., -1] = 1.0
    return extended
