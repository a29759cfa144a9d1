"""Results made fit for a Gaussian process, whose errors are normal and whose functions vary evenly.

Errors of networks do neither: they span decades, and a network that diverged is worse than the others by more than all their
differences. Where all results are above zero their logarithm is taken; then all that is worse than the median counts only
by the logarithm of how much worse it is.
"""

from __future__ import annotations

import numpy as np


def warped(y: np.ndarray) -> np.ndarray:
    """Finite values (n,), to be minimised -> values in the same order, the best at -1 and the median at 0."""
    if y.min() > 0:
        y = np.log(y)
    middle = np.median(y)
    z = (y - middle) / ((middle - y.min()) or 1.0)
    return np.where(z > 0, np.log1p(np.maximum(z, 0.0)), z)
