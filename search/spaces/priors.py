"""A prior: where the user expects a hyperparameter's good values, as a density on a scale from 0 to 1.

On that scale all values are equally likely without a prior: it is the range's own (linear or logarithmic), or each of n counted
values has an n-th of it. So one inverse distribution function turns a uniform number into one that follows the prior, whatever
the hyperparameter's kind, and the logarithm of the density is 0 in the mean over what is not known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

WIDTH = 0.25
"""The standard deviation of a number around its prior, as a share of its range."""

ODDS = 4.0
"""How many times as likely as each other one a choice is that a prior names."""

_BELOW_ONE = np.nextafter(1.0, 0.0)


def follows(number: int) -> bool:
    """Whether a trial that no result guides is drawn from the priors: every second one, so that a wrong prior hides nothing."""
    return number % 2 == 0


@dataclass(frozen=True)
class Normal:
    """A normal distribution around `place`, cut off at 0 and 1."""

    place: float

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The distribution function of the whole normal distribution at 0 and at 1."""
        from scipy.special import ndtr

        return float(ndtr(-self.place / WIDTH)), float(ndtr((1.0 - self.place) / WIDTH))

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """What a uniform u (n,) in [0, 1) becomes, in [0, 1) too."""
        from scipy.special import ndtri

        low, high = self._ends
        return np.clip(self.place + WIDTH * ndtri(low + (high - low) * u), 0.0, _BELOW_ONE)

    def log_density(self, places: np.ndarray) -> np.ndarray:
        """The logarithm of the density (n,) at places (n,) in [0, 1]."""
        low, high = self._ends
        z = (places - self.place) / WIDTH
        return -0.5 * z * z - math.log(WIDTH * math.sqrt(2 * math.pi) * (high - low))


@dataclass(frozen=True)
class Favourite:
    """One of n equal parts of the scale, `ODDS` times as likely as each other part."""

    index: int
    n: int

    @property
    def place(self) -> float:
        return (self.index + 0.5) / self.n

    @cached_property
    def _densities(self) -> tuple[float, float]:
        """The density in the other parts, and in this one."""
        other = self.n / (self.n - 1 + ODDS)
        return other, ODDS * other

    @cached_property
    def _edges(self) -> np.ndarray:
        return np.array([0.0, self.index, self.index + 1, self.n]) / self.n

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """What a uniform u (n,) in [0, 1) becomes, in [0, 1) too."""
        other, own = self._densities
        shares = np.cumsum(np.diff(self._edges) * [other, own, other])
        return np.minimum(np.interp(u, [0.0, *np.minimum(shares, 1.0)], self._edges), _BELOW_ONE)

    def log_density(self, places: np.ndarray) -> np.ndarray:
        """The logarithm of the density (n,) at places (n,) in [0, 1]."""
        other, own = np.log(self._densities)
        inside = (places >= self._edges[1]) & (places < self._edges[2])
        return np.where(inside, own, other)


Prior = Normal | Favourite
