"""Quasi-random search: points of a scrambled Sobol sequence, which leave smaller gaps than independent points.

Sobol' 1967, doi:10.1016/0041-5553(67)90144-9; scrambled as in Matousek 1998, doi:10.1006/jcom.1998.0516 (a random linear
matrix and a digital shift, a cheaper form of Owen's nested permutations). x_n in [0, 1)^d is the point of trial number n;
each of the d names of the space has its own coordinate, also where a trial does not have the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial

from ..seeds import derive
from ..spaces.space import Space
from .independent import IndependentSampler
from .random import RandomSampler, from_unit


class QuasirandomSampler(IndependentSampler):
    """Points of a Sobol sequence, scrambled by the seed; best balanced if their number is a power of two.

    Args:
        seed: any integer; it determines the scrambling.
        space: the Space (or its table) whose names are the coordinates; without it, those of the study's first trial,
            itself a random point. Any other name is drawn at random.
    """

    def __init__(self, seed: int = 0, *, space: Space | Mapping[str, Any] | None = None) -> None:
        self._seed = seed
        self._space = space if space is None or isinstance(space, Space) else Space.parse(space)
        self._random = RandomSampler(seed)

    def move_to(self, space: Space) -> None:
        """Search other ranges from now on: a coordinate is that of the name, whatever its range."""

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        if self._space is not None:
            names = self._space.names
        else:
            names = [] if trial.number == 0 else list(study.get_trials(deepcopy=False)[0].params)
        if param_name not in names:
            return self._random.sample_independent(study, trial, param_name, param_distribution)
        block = _points(derive(self._seed, "sobol"), len(names), (trial.number + 1).bit_length())
        return from_unit(param_distribution, float(block[trial.number, names.index(param_name)]))


@lru_cache(maxsize=8)
def _points(seed: int, d: int, m: int) -> np.ndarray:
    """The first 2 ** m points (2 ** m, d) of the sequence; they begin with those of any smaller m."""
    from scipy.stats import qmc

    points: np.ndarray = qmc.Sobol(d, rng=np.random.default_rng(seed)).random_base2(m)
    return points
