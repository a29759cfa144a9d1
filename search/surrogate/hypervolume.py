"""The expected improvement of the hypervolume, where one objective is modelled and the others are known exactly.

Emmerich, Deutz and Klinkenberg 2011, "Hypervolume-based expected improvement: Monotonicity properties and exact computation",
CEC 2011: the space is cut into cells by the points of the front, and the improvement is integrated over each. Their other
coordinates are random variables too; here they are counted costs c, so that a point (y, c) adds, in each cell of costs above c,
the cell's volume times how far y is below the best value g that the front has there. The expectation over y ~ N(m, s^2) is exact:

    EHVI(m, s, c) = sum over cells i of volume_i(c) EI(m, s; g_i),

with EI as in `acquisition`. The cells in which one point of the front is the best are one term. Sums are taken over logarithms, as
there, so that small improvements still differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .acquisition import log_expected_improvement

_AT_ONCE = 1 << 22
"""Volumes of cells that are held in memory at once."""


def log_expected_hypervolume_improvement(
    mean: np.ndarray,
    deviation: np.ndarray,
    costs: np.ndarray,
    front: np.ndarray,
    reference: Sequence[float],
) -> np.ndarray:
    """log EHVI (n,) of points whose value is predicted and whose m costs are known, all to be minimised.

    Args:
        mean: predictions (n,) of the value.
        deviation: their standard deviations (n,).
        costs: the costs (n, m), infinite where a point cannot be had.
        front: points (k, 1 + m) so far, each a value and costs, in any order; those that are dominated do no harm.
        reference: the worst value and costs (1 + m) that count.

    A point of which a cost is as large as the reference's or larger improves nothing: -inf.
    """
    front = front[np.argsort(front[:, 0], kind="stable")]
    bests = np.minimum(np.append(front[:, 0], reference[0]), reference[0])
    volumes = _volumes(costs, front[:, 1:], reference[1:])
    # Terms that no point reaches would be computed for nothing; the largest values come first.
    used = np.flatnonzero((volumes > 0).any(axis=0))[::-1]
    if not len(used):
        return np.full(len(mean), -np.inf)
    with np.errstate(divide="ignore"):
        terms = np.log(volumes[:, used])
    for term, best in zip(terms.T, bests[used], strict=True):
        term += log_expected_improvement(mean, deviation, float(best))
    largest = terms.max(axis=1, initial=-np.inf)
    finite = np.where(np.isfinite(largest), largest, 0.0)
    with np.errstate(divide="ignore"):
        return finite + np.log(np.exp(terms - finite[:, None]).sum(axis=1))


def _volumes(costs: np.ndarray, front: np.ndarray, reference: Sequence[float]) -> np.ndarray:
    """Of costs at or above `costs` (n, m) and below the reference (m,): the volumes (n, k + 1) where each of k points is the best.

    `front` (k, m) has their costs, the best value first; the last volume is that of costs at which there is none of them. There
    are up to (k + 1)^m cells.
    """
    k, m = front.shape
    bounds = [np.unique(cost) for cost in front.T]
    owner = np.full([len(bound) + 1 for bound in bounds], k)
    places = [np.searchsorted(bound, cost) + 1 for bound, cost in zip(bounds, front.T, strict=True)]
    for point, place in reversed(list(enumerate(zip(*places, strict=True)))):
        owner[place] = point
    for axis in range(m):
        owner = np.minimum.accumulate(owner, axis=axis)
    order = np.argsort(owner, axis=None, kind="stable")
    owners, firsts = np.unique(owner.ravel()[order], return_index=True)
    found = np.zeros((len(costs), k + 1))
    step = max(1, _AT_ONCE // owner.size)
    for start in range(0, len(costs), step):
        cells = np.ones((1, len(costs[start : start + step])))
        for bound, cost, limit in zip(bounds, costs[start : start + step].T, reference, strict=True):
            ends = np.minimum(np.append(bound, limit), limit)
            starts = np.append(-np.inf, ends[:-1])
            widths = np.maximum(ends[:, None] - np.maximum(cost, starts[:, None]), 0.0)
            cells = (cells[:, None] * widths).reshape(-1, len(cost))
        found[start : start + step, owners] = np.add.reduceat(cells[order], firsts, axis=0).T
    return found
