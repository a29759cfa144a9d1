"""Architecture search by regularised evolution, with a learned predictor that looks at many children for each one trained.

Real et al. 2019, "Regularized Evolution for Image Classifier Architecture Search", arXiv:1802.01548: a population of the
last P trials, from which S are drawn; the best of these gets a child that differs in one decision, and the oldest of the
population dies. The predictor of performance from architecture is that of Wen et al. 2020 ("Neural Predictor for Neural
Architecture Search", arXiv:1912.00848) at our scale: kernel ridge regression on single decisions and pairs of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from ..plugins import check_integer
from ..seeds import derive
from ..spaces.layers import layer_of
from ..spaces.space import Space
from ..surrogate.features import Features
from .genetic import other_code
from .joint import History, JointSampler

_ATTEMPTS = 20
_PENALTY = 0.3
_LEARNED = 256
"""How many of the last results the predictor learns from; it bounds a proposal's cost."""


class EvolutionSampler(JointSampler):
    """Mutants of the young and good.

    Args:
        seed: any integer.
        space: the Space (or its table) to search; without it, what the finished trials have used.
        population: P, how many of the last trials may have children; so many random points come first.
        sample: S, how many of them are drawn, the best of whom becomes the parent; 8, or all of fewer, if not given.
        predictor: whether the best predicted of several mutants is proposed; without it, evolution as published.
        children: how many mutants the predictor chooses from.

    A mutant differs in one decision. Where that is `layers` and the net grows, each new layer is as the one below it.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        space: Space | Mapping[str, Any] | None = None,
        population: int = 16,
        sample: int | None = None,
        predictor: bool = True,
        children: int = 8,
    ) -> None:
        super().__init__(seed, space=space)
        self._population = check_integer("population", population)
        self._sample = check_integer("sample", min(8, population) if sample is None else sample)
        if self._sample > self._population:
            raise ValueError(f"sample: {sample} is more than the population of {population}, of which they are drawn")
        self._children = check_integer("children", children)
        if not isinstance(predictor, bool):
            raise ValueError(f"predictor: {predictor!r} is neither true nor false")
        self._predictor = predictor

    @property
    def startup(self) -> int:
        return self._population

    def _propose(self, study: Study, trial: FrozenTrial, features: Features, history: History) -> np.ndarray | None:
        if len(history.values) < self._population:
            return None
        generator = np.random.default_rng(derive(self._seed, "nas", trial.number))
        known = history.known()
        children: list[np.ndarray] = []
        for attempt in range(_ATTEMPTS * self._children):
            child = self._child(features, history, generator)
            # Where all around the parent was tried already, it takes more decisions to find something new.
            for _ in range(attempt // (4 * self._children)):
                child = mutant(features, child, generator)
            if child.tobytes() not in known:
                known.add(child.tobytes())
                children.append(child)
            if len(children) == (self._children if self._predictor else 1):
                break
        if len(children) < 2:
            return children[0] if children else None
        candidates = np.array(children)
        X, y = features.features(history.codes[-_LEARNED:]), ranks(history.values[-_LEARNED:])
        return candidates[np.argmin(predicted(X, y, features.features(candidates)))]

    def _child(self, features: Features, history: History, generator: np.random.Generator) -> np.ndarray:
        young = np.arange(len(history.values))[-self._population :]
        drawn = generator.choice(young, size=self._sample, replace=False)
        parent = history.codes[drawn[np.argmin(history.values[drawn])]]
        return mutant(features, parent, generator)


def mutant(features: Features, codes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Codes (d,) that differ in one decision, in one that is part of the point; new layers are as the one below them."""
    alive = np.flatnonzero(features.active(codes) & np.array([axis.size != 1 for axis in features.axes]))
    i = int(generator.choice(alive))
    child = codes.copy()
    child[i] = other_code(features.axes[i], codes[i], generator)
    if features.axes[i].name == "layers":
        grow(features, codes, child)
    return features.canonicalized(child[None])[0]


def grow(features: Features, before: np.ndarray, after: np.ndarray) -> None:
    """Give the layers (in place) that `after` has and `before` had not the values of the one below them."""
    index = {axis.name: i for i, axis in enumerate(features.axes)}
    was, now = features.active(before), features.active(after)
    fresh = [
        (layer[1], layer[0], i) for name, i in index.items() if now[i] and not was[i] and (layer := layer_of(name))
    ]
    for number, kind, i in sorted(fresh):
        below = index.get(f"{kind}_{number - 1}")
        if below is not None:
            axis = features.axes[i]
            after[i] = axis.code(features.axes[below].value(after[below]))


def ranks(values: np.ndarray) -> np.ndarray:
    """Values (n,) as ranks from 0 to 1: what diverged shall not be all that a predictor learns."""
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return order / max(len(values) - 1, 1)


def predicted(X: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Predictions (m,) at `new` (m, p) from y (n,) at X (n, p): kernel ridge regression, (1 + x x')^2, penalty 0.3.

    Features are taken from their means, in units of their points' mean distance from these.
    """
    centre = X.mean(axis=0)
    A, B = X - centre, new - centre
    unit = float(np.sqrt((A * A).sum(axis=1).mean())) or 1.0
    A, B = A / unit, B / unit
    weights = np.linalg.solve((1.0 + A @ A.T) ** 2 + _PENALTY * np.eye(len(y)), y - y.mean())
    return (1.0 + B @ A.T) ** 2 @ weights + y.mean()
