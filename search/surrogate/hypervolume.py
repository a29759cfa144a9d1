"""The expected improvement of the hypervolume, where one of two objectives is modelled and the other is known exactly.

Emmerich, Deutz and Klinkenberg 2011, "Hypervolume-based expected improvement: Monotonicity properties and exact computation",
CEC 2011: the plane is cut into strips by the points of the front, and the improvement is integrated over each. Their second
coordinate is a random variable too; here it is a counted cost c, so that a point (y, c) adds, in each strip of costs above c, the
strip's width times how far y is below the best value g that the front has there. The expectation over y ~ N(m, s^2) is exact:

    EHVI(m, s, c) = sum over strips i of width_i(c) EI(m, s; g_i),

with EI as in `acquisition`. Sums are taken over logarithms, as there, so that small improvements still differ.
"""

from __future__ import annotations

import numpy as np

from .acquisition import log_expected_improvement


def log_expected_hypervolume_improvement(
    mean: np.ndarray,
    deviation: np.ndarray,
    cost: np.ndarray,
    front: np.ndarray,
    reference: tuple[float, float],
) -> np.ndarray:
    """log EHVI (n,) of points whose value is predicted and whose cost is known, both to be minimised.

    Args:
        mean: predictions (n,) of the value.
        deviation: their standard deviations (n,).
        cost: the costs (n,), infinite where a point cannot be had.
        front: points (k, 2) so far, each (value, cost), in any order; those that are dominated do no harm.
        reference: the worst value and cost that count.

    A point that costs as much as the reference or more improves nothing: -inf.
    """
    front = front[np.argsort(front[:, 1], kind="stable")]
    best = np.minimum.accumulate(np.concatenate([[reference[0]], front[:, 0]]))
    ends = np.minimum(np.concatenate([front[:, 1], [reference[1]]]), reference[1])
    starts = np.concatenate([[-np.inf], ends[:-1]])
    width = np.maximum(ends - np.maximum(cost[:, None], starts), 0.0)
    # Strips that no point reaches, and neighbours of equal height, would be computed for nothing.
    used = (width > 0).any(axis=0)
    if not used.any():
        return np.full(len(mean), -np.inf)
    with np.errstate(divide="ignore"):
        terms = np.log(width[:, used])
    for term, value in zip(terms.T, best[used], strict=True):
        term += log_expected_improvement(mean, deviation, float(value))
    largest = terms.max(axis=1, initial=-np.inf)
    finite = np.where(np.isfinite(largest), largest, 0.0)
    with np.errstate(divide="ignore"):
        return finite + np.log(np.exp(terms - finite[:, None]).sum(axis=1))
