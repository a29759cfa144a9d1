"""A genetic algorithm over mixed and conditional spaces: crossover and mutation of the best configurations so far.

Holland 1975, "Adaptation in Natural and Artificial Systems"; tournaments as in Goldberg and Deb 1991; continuous genes
cross by BLX-alpha (Eshelman and Schaffer 1993, "Real-Coded Genetic Algorithms and Interval-Schemata"); the population is
that of a steady-state algorithm (Whitley 1989, GENITOR): always the best P of all finished trials.

Optuna's base classes for genetic algorithms keep generations in the study's attributes. Here the population is a function of
the finished trials, so nothing is stored: batches may have any size, and the best are never lost (elitism).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from ..plugins import check_integer, check_number
from ..seeds import derive
from ..spaces.space import Space
from ..surrogate.features import Axis, Features
from .joint import History, JointSampler

_ALPHA = 0.5
_FEW = 8
"""For a range with at most this many values, a child inherits one of its parents' values."""
_ATTEMPTS = 20


class GeneticSampler(JointSampler):
    """Children of the best configurations.

    Args:
        seed: any integer.
        space: the Space (or its table) to search; without it, what the finished trials have used.
        population: P, how many of the best may be parents; that many random points come first.
        tournament: k, how many are drawn for each parent, the best of which is taken.
        crossover: the share of children that have two parents; the others are mutants of one.
        mutation: the mean number of genes that mutate in a child; at least one does in a child of one parent.

    Inactive genes (`units_3` of a network of two layers) are not inherited: a child with a third layer takes its genes from a
    parent that has one, or at random. A child that was proposed before mutates until it is new.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        space: Space | Mapping[str, Any] | None = None,
        population: int = 10,
        tournament: int = 3,
        crossover: float = 0.8,
        mutation: float = 1.5,
    ) -> None:
        super().__init__(seed, space=space)
        self._population = check_integer("population", population, low=2)
        self._tournament = check_integer("tournament", tournament)
        self._crossover = check_number("crossover", crossover)
        if isinstance(mutation, bool) or not isinstance(mutation, int | float) or not 0 < mutation < math.inf:
            raise ValueError(f"mutation: {mutation!r} is not a number above 0")
        self._mutation = float(mutation)

    @property
    def startup(self) -> int:
        return self._population

    def _propose(self, study: Study, trial: FrozenTrial, features: Features, history: History) -> np.ndarray | None:
        if len(history.values) < self._population:
            return None
        generator = np.random.default_rng(derive(self._seed, "genetic", trial.number))
        best = np.argsort(history.values, kind="stable")[: self._population]
        first = self._parent(best, generator)
        child = history.codes[first].copy()
        crossed = generator.random() < self._crossover
        if crossed:
            second = self._parent(best[best != first], generator)
            child = crossover(features, child, history.codes[second], generator)
        rate = min(1.0, self._mutation / len(features.axes))
        known = history.known()
        for attempt in range(_ATTEMPTS):
            chosen = generator.random(len(features.axes)) < rate
            if not crossed or attempt:
                chosen[generator.integers(len(features.axes))] = True
            candidate = mutate(features, child, chosen, generator)
            if candidate.tobytes() not in known:
                return candidate
        return None

    def _parent(self, best: np.ndarray, generator: np.random.Generator) -> int:
        """The trial that wins a tournament; `best` is sorted, best first."""
        return int(best[generator.integers(len(best), size=self._tournament).min()])


def crossover(features: Features, first: np.ndarray, second: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A child's codes (d,): each gene from one parent or the other; for a range, from between and around them."""
    active = [features.active(codes) for codes in (first, second)]
    child = first.copy()
    for i, axis in enumerate(features.axes):
        a, b = first[i], second[i]
        if not active[0][i]:
            a = b
        elif not active[1][i]:
            b = a
        if not axis.size or (axis.ordered and axis.size > _FEW):
            low, high = min(a, b), max(a, b)
            reach = _ALPHA * (high - low)
            child[i] = _nearest_code(axis, low - reach + generator.random() * (high - low + 2 * reach))
        else:
            child[i] = a if generator.random() < 0.5 else b
    return child


def mutate(features: Features, codes: np.ndarray, chosen: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A copy of codes (d,) in which the chosen genes (d,) have changed."""
    result = codes.copy()
    for i in np.flatnonzero(chosen):
        result[i] = mutate_code(features.axes[i], result[i], generator)
    return features.canonicalized(result[None])[0]


def mutate_code(axis: Axis, code: float, generator: np.random.Generator) -> float:
    """Another code: any other of unordered values; in a range one nearby (normal steps of a fifth of the range)."""
    if axis.size == 1:
        return code
    if axis.size and not axis.ordered:
        return float((code + generator.integers(1, axis.size)) % axis.size)
    if not axis.size:
        for _ in range(_ATTEMPTS):
            moved = code + 0.2 * generator.standard_normal()
            # Reflected at the bounds, where clipping would often leave the value unchanged.
            moved = _nearest_code(axis, min(abs(moved), 2 - abs(moved)))
            if moved != code:
                break
        return moved
    step = max(1.0, abs(round(0.2 * axis.size * generator.standard_normal())))
    sign = 1.0 if generator.random() < 0.5 else -1.0
    moved = code + sign * step
    if not 0 <= moved < axis.size:
        moved = code - sign * step
    return _nearest_code(axis, moved)


def _nearest_code(axis: Axis, code: float) -> float:
    """The nearest code of the axis."""
    if axis.size:
        return float(min(max(round(code), 0), axis.size - 1))
    return float(axis.rounded(np.array([min(max(code, 0.0), 1.0)]))[0])
