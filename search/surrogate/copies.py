"""Near copies: points whose results would differ from a tried one's by less than two results of one point differ by chance.

Expected improvement counts on the function at a point being learned there. Beside a point that was tried it is known already, up to
the noise; a further result would sharpen that a little, as a repeat does, and the search would polish what chance has made look
best. How large the noise is the Gaussian process has learned from all results, together with its other kernel parameters.
"""

from __future__ import annotations

import numpy as np

from .gp import KernelParameters, correlation

NEAR = 1 / 16
"""A near copy is within this share of every feature's range; further away a point may show what the model does not know."""


def near_copies(X: np.ndarray, tried: np.ndarray, parameters: KernelParameters) -> np.ndarray:
    """Which (m,) of the features X (m, p) are near copies of any of `tried` (t, p).

    The expected square of f(x) - f(x') is twice signal (1 - correlation), that of the difference of two results at one point
    is twice the noise. Without noise there are none, so that a smooth function is followed to its optimum.
    """
    near = np.ones((len(X), len(tried)), dtype=bool)
    for x, there in zip(X.T, tried.T, strict=True):
        near &= np.abs(x[:, None] - there) <= NEAR
    candidate, other = np.nonzero(near)
    unlike = parameters.signal * (1.0 - correlation(X[candidate], tried[other], parameters))
    found = np.zeros(len(X), dtype=bool)
    found[candidate[unlike < parameters.noise]] = True
    return found
