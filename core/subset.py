"""Smaller training data: which rows a cheap evaluation trains on, so that evaluations of one sweep can be compared."""

import numpy as np

from .array import Array
from .structure import subset_size


def subset_rows(fraction: float, n: int, classes: Array | None, seed: int) -> Array:
    """Indices (m,) of the rows in the subset of n rows, ascending; a function of the arguments alone.

    A larger fraction has all rows of a smaller one. With `classes` (n,) each class keeps its fraction to within a row, and
    at least one row as long as there are as many rows as classes.
    """
    # The order of an epoch's rows has the tags 1, 2, ...
    order = np.random.default_rng(np.random.SeedSequence((seed, 0))).permutation(n)
    if classes is not None:
        # All rows in one line, of which a subset is the beginning: the j-th of a class's n_c rows stands at j / n_c.
        _, own, counts = np.unique(classes[order], return_inverse=True, return_counts=True)
        by_class = np.argsort(own, kind="stable")
        place = np.empty(n)
        place[by_class] = (np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)) / np.repeat(counts, counts)
        order = order[np.argsort(place, kind="stable")]
    return np.sort(order[: subset_size(fraction, n)])
