"""Piecewise-linear encoding: bins are quantiles, and a number fills those below it."""

import numpy as np

from mlptune.core.binning import N_BINS, encode_bins, fit_bins


def test_bins_are_quantiles_and_a_number_fills_those_below_it():
    generator = np.random.default_rng(0)
    x = generator.normal(size=8001)
    X = np.column_stack([x, np.repeat([1.0, 2.0, 2.0], 2667), np.full(8001, 5.0)])
    edges = fit_bins(X)
    encoded = encode_bins(edges, X).reshape(len(X), 3, N_BINS)
    # Each bin of a continuous column holds an eighth of the rows; whoever is above a bin fills it, whoever is below not.
    filled = encoded[:, 0].sum(axis=1)
    rank = np.argsort(np.argsort(x)) / 1000
    np.testing.assert_array_equal(np.floor(filled + 1e-9), np.floor(rank + 1e-9))
    assert (np.diff(encoded[:, 0], axis=1) <= 0).all()
    # It is linear within a bin, and goes on outside the training rows as far as one bin's width.
    b = edges.reshape(3, -1)[0]
    middle = 0.25 * b[3] + 0.75 * b[4]
    np.testing.assert_allclose(encode_bins(edges, np.full((1, 3), middle))[0, :N_BINS], [1, 1, 1, 0.75, 0, 0, 0, 0])
    np.testing.assert_allclose(encode_bins(edges, np.full((1, 3), 1e300))[0, :N_BINS], [*[1] * 7, 2])
    np.testing.assert_allclose(encode_bins(edges, np.full((1, 3), -1e300))[0, :N_BINS], [-1, *[0] * 7])
    # Repeated values leave bins without width.
    assert len(np.unique(encoded[:, 1], axis=0)) == 2
    assert len(np.unique(encoded[:, 2], axis=0)) == 1
    assert np.isfinite(encoded).all()
