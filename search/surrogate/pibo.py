"""Priors in Bayesian optimisation: the acquisition function is multiplied by their density, less and less as results come in.

Hvarfner, Stoll, Souza, Lindauer, Hutter, Nardi 2022, "piBO: Augmenting Acquisition Functions with User Beliefs for Bayesian
Optimization", arXiv:2204.11051: x_n maximises alpha(x) pi(x)^(beta / n). The density pi (here the product of those of the
hyperparameters that have a prior) decides while the model knows little, and a wrong one is overruled by n results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..spaces.priors import Favourite, Normal, Prior, follows
from .features import Axis, Features

BETA = 5.0
"""The paper's beta, which is a tenth of the number of trials there: that of fifty, so that more trials continue the same search.

Here n counts all results, those of the first points too. Twice as much gained nothing with good priors and cost more with
wrong ones.
"""

Score = Callable[[np.ndarray], np.ndarray]


class PointPriors:
    """The priors of a space, on encoded points.

    Args:
        features: the space.
        guess: what the priors name, by hyperparameter (`Space.guess`).
    """

    def __init__(self, features: Features, guess: Mapping[str, Any]) -> None:
        self._features = features
        self._codes = {i: axis.code(guess[axis.name]) for i, axis in enumerate(features.axes) if axis.name in guess}
        self._priors = {i: _prior(features.axes[i], code) for i, code in self._codes.items()}

    def __bool__(self) -> bool:
        return bool(self._priors)

    def drawn(self, u: np.ndarray, number: int) -> np.ndarray:
        """The point u (d,) in [0, 1)^d of a trial that no result guides: what the priors name, drawn from them, or as it is."""
        if not follows(number):
            return u
        drawn = u.copy()
        for i, prior in self._priors.items():
            drawn[i] = prior.place if number == 0 else prior.quantile(u[i : i + 1])[0]
        return drawn

    def guessed(self, codes: np.ndarray) -> np.ndarray:
        """Codes (n, d) with what the priors name in place of what they have."""
        guessed = codes.copy()
        for i, code in self._codes.items():
            guessed[:, i] = code
        return self._features.canonicalized(guessed)

    def log_density(self, codes: np.ndarray) -> np.ndarray:
        """log pi (n,) at codes (n, d); a hyperparameter that is inactive at a point does not count there."""
        active = self._features.active(codes)
        total = np.zeros(len(codes))
        for i, prior in self._priors.items():
            size = self._features.axes[i].size
            places = (codes[:, i] + 0.5) / size if size else codes[:, i]
            total += np.where(active[:, i], prior.log_density(places), 0.0)
        return total

    def weighed(self, score: Score, n: int) -> Score:
        """The logarithm of an acquisition function, weighed by the priors after n results."""
        return lambda codes: score(codes) + (BETA / n) * self.log_density(codes)


def _prior(axis: Axis, code: float) -> Prior:
    if axis.categorical:
        return Favourite(int(code), axis.size)
    return Normal((code + 0.5) / axis.size if axis.size else code)
