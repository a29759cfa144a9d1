"""Which points are best when there are several objectives, and how good a set of them is."""

from __future__ import annotations

import numpy as np


def non_dominated(values: np.ndarray) -> np.ndarray:
    """Which (n,) of the points `values` (n, m), all to be minimised, are on the Pareto front.

    A point is not if another one is nowhere worse and somewhere better; of equal points all are or none is.
    """
    others = values[:, None]
    worse = np.asarray(np.all(others >= values, axis=2) & np.any(others > values, axis=2))
    return ~np.asarray(worse.any(axis=1))


def hypervolume(values: np.ndarray, reference: tuple[float, float]) -> float:
    """The area that points (n, 2), both coordinates to be minimised, dominate below a reference point.

    Zitzler and Thiele 1998, "Multiobjective Optimization Using Evolutionary Algorithms - A Comparative Case Study". Points that
    are not below the reference in both coordinates add nothing.
    """
    inside = values[(values < reference).all(axis=1)]
    area, best = 0.0, reference[1]
    for first, second in inside[np.lexsort(inside.T[::-1])]:
        if second < best:
            area += (reference[0] - first) * (best - second)
            best = float(second)
    return float(area)
