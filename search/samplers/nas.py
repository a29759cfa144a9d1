"""Architecture search by regularised evolution, with a predictor that ranks several children for each one trained.

Real et al. 2019, "Regularized Evolution for Image Classifier Architecture Search", arXiv:1802.01548: a population of the
last P trials, from which S are drawn; the best of these has a child that differs in one decision, and the oldest of the
population is removed. The predictor of performance from architecture follows Wen et al. 2020 ("Neural Predictor for Neural
Architecture Search", arXiv:1912.00848) on a smaller scale: kernel ridge regression on single decisions and pairs of them.
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
from .genetic import mutate_code
from .joint import History, JointSampler

_ATTEMPTS = 20
_PENALTY = 0.3
_MAX_FIT_TRIALS = 256
"""How many of the last results the predictor is fitted to; it bounds a proposal's cost."""


class EvolutionSampler(JointSampler):
    """Mutants of the best among recent trials.

    Args:
        seed: any integer.
        space: the Space (or its table) to search; without it, what the finished trials have used.
        population: P, how many of the last trials may be parents; that many random points come first.
        sample: S, how many of them are drawn, the best of which is the parent; unless given 8, or all if there are fewer.
        predictor: whether the mutant with the best prediction of several is proposed; without it, evolution as published.
        children: how many mutants the predictor chooses from.

    A mutant differs in one decision. If that is `layers` and the network grows, each new layer is a copy of the one below it.
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
            raise ValueError(f"sample: {sample} is more than the population of {population}, from which they are drawn")
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
            # If all neighbours of the parent were proposed before, it takes more decisions to find something new.
            for _ in range(attempt // (4 * self._children)):
                child = mutate(features, child, generator)
            if child.tobytes() not in known:
                known.add(child.tobytes())
                children.append(child)
            if len(children) == (self._children if self._predictor else 1):
                break
        if len(children) < 2:
            return children[0] if children else None
        candidates = np.array(children)
        X, y = features.features(history.codes[-_MAX_FIT_TRIALS:]), ranks(history.values[-_MAX_FIT_TRIALS:])
        return candidates[np.argmin(predict(X, y, features.features(candidates)))]

    def _child(self, features: Features, history: History, generator: np.random.Generator) -> np.ndarray:
        recent = np.arange(len(history.values))[-self._population :]
        drawn = generator.choice(recent, size=self._sample, replace=False)
        parent = history.codes[drawn[np.argmin(history.values[drawn])]]
        return mutate(features, parent, generator)


def mutate(features: Features, codes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Codes (d,) that differ in one active decision; new layers are copies of the one below them."""
    active = np.flatnonzero(features.active(codes) & np.array([axis.size != 1 for axis in features.axes]))
    i = int(generator.choice(active))
    child = codes.copy()
    child[i] = mutate_code(features.axes[i], codes[i], generator)
    if features.axes[i].name == "layers":
        _fill_new_layers(features, codes, child)
    return features.canonicalized(child[None])[0]


def _fill_new_layers(features: Features, before: np.ndarray, after: np.ndarray) -> None:
    """Copy into the layers that `after` has and `before` has not the values of the layer below them, in place."""
    index = {axis.name: i for i, axis in enumerate(features.axes)}
    was, now = features.active(before), features.active(after)
    new = [(layer[1], layer[0], i) for name, i in index.items() if now[i] and not was[i] and (layer := layer_of(name))]
    for number, kind, i in sorted(new):
        below = index.get(f"{kind}_{number - 1}")
        if below is not None:
            axis = features.axes[i]
            after[i] = axis.code(features.axes[below].value(after[below]))


def ranks(values: np.ndarray) -> np.ndarray:
    """Values (n,) as ranks from 0 to 1, so that a diverged trial does not dominate the fit."""
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return order / max(len(values) - 1, 1)


def predict(X: np.ndarray, y: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Predictions (m,) at `candidates` (m, p) from y (n,) at X (n, p): kernel ridge regression, (1 + x x')^2, penalty 0.3.

    Features are centred and divided by the root mean square distance from their mean.
    """
    centre = X.mean(axis=0)
    A, B = X - centre, candidates - centre
    unit = float(np.sqrt((A * A).sum(axis=1).mean())) or 1.0
    A, B = A / unit, B / unit
    weights = np.linalg.solve((1.0 + A @ A.T) ** 2 + _PENALTY * np.eye(len(y)), y - y.mean())
    return (1.0 + B @ A.T) ** 2 @ weights + y.mean()
