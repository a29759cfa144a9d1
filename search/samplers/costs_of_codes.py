"""The known costs of many encoded candidates at once: each combination of the hyperparameters that cost is counted once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..known_costs import KnownCosts
from ..spaces.space import Space
from ..surrogate.features import Features

_SAMPLE = 256


class CostsOfCodes:
    """What `known_costs` says of points that are encoded by `features`; `space` gives values in the user's terms."""

    def __init__(self, known_costs: KnownCosts, features: Features, space: Space) -> None:
        self._known_costs, self._features, self._space = known_costs, features, space
        names = known_costs.names
        self._axes = [i for i, axis in enumerate(features.axes) if names is None or axis.name in names]
        self._counted: dict[bytes, tuple[float, ...]] = {}

    def logarithms(self, codes: np.ndarray) -> np.ndarray:
        """The logarithms (n, m) of the m costs of points (n, d), since costs differ by factors; infinite where there are none."""
        return np.log(np.maximum(self._table(codes)[:, :-1], np.finfo(float).tiny))

    def admitted(self, codes: np.ndarray) -> np.ndarray:
        """Which (n,) of points (n, d) are within the limits."""
        return self._table(codes)[:, -1] > 0

    @cached_property
    def sample(self) -> np.ndarray:
        """The logarithms (n, m) of the costs of some points all over the space: how far they go."""
        points = np.random.default_rng(0).random((_SAMPLE, len(self._features.axes)))
        return self.logarithms(self._features.from_unit_cube(points))

    def _table(self, codes: np.ndarray) -> np.ndarray:
        """The costs of points (n, d), and in the last column whether they are within the limits: (n, m + 1)."""
        if not len(codes):
            return np.empty((0, self._known_costs.count + 1))
        _, first, place = np.unique(codes[:, self._axes], axis=0, return_index=True, return_inverse=True)
        return np.array([self._count(codes[i]) for i in first])[place.ravel()]

    def _count(self, codes: np.ndarray) -> tuple[float, ...]:
        key = codes[self._axes].tobytes()
        if key not in self._counted:
            params = self._params(codes)
            self._counted[key] = *self._known_costs.of(params), self._known_costs.admits(params)
        return self._counted[key]

    def _params(self, codes: np.ndarray) -> dict[str, Any]:
        return self._space.point(self._features.decode(codes))
