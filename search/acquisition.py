"""Where to evaluate next: the logarithm of the expected improvement, and the search for its largest value.

Jones et al. 1998, "Efficient Global Optimization of Expensive Black-Box Functions": EI(x) = s (z Phi(z) + phi(z)),
z = (f* - m) / s, minimising. Its logarithm, as in Ament et al. 2023 ("Unexpected Improvements to Expected Improvement"),
still tells candidates apart where the improvement itself is too small for a float.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from .features import Features

ENUMERATED = 2048
"""A space of at most so many points is scored point by point."""


def log_expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """log EI (n,) for a function that is minimised, at predictions (n,), below the value ``best``."""
    from scipy.special import erfcx, ndtr

    z = (best - mean) / deviation
    value = np.empty_like(z)
    near = z > -1.0
    a = z[near]
    value[near] = np.log(a * ndtr(a) + np.exp(-0.5 * a * a) / math.sqrt(2 * math.pi))
    a = z[~near]
    # phi(a) (1 + a Phi(a) / phi(a)), whose bracket is about 1 / a^2 far out, where it cancels.
    ratio = 1.0 + a * math.sqrt(math.pi / 2) * erfcx(-a / math.sqrt(2))
    bracket = np.where(a < -1e3, 1.0 / (a * a), np.maximum(ratio, 1e-16))
    value[~near] = -0.5 * a * a - 0.5 * math.log(2 * math.pi) + np.log(bracket)
    return value + np.log(deviation)


def maximise(
    score: Callable[[np.ndarray], np.ndarray],
    features: Features,
    starts: np.ndarray,
    taken: np.ndarray,
    generator: np.random.Generator,
    *,
    samples: int = 1000,
    climbers: int = 5,
    rounds: int = 10,
    within: tuple[Sequence[int], np.ndarray] | None = None,
) -> np.ndarray | None:
    """The codes (d,) with the largest score among points that are not taken; None where there is none left.

    Random points and the neighbours of ``starts`` are scored, then the best of them climb from neighbour to neighbour.

    Args:
        score: codes (n, d) -> scores (n,).
        starts: codes (s, d) of promising points.
        taken: codes (t, d) that shall not be proposed again.
        samples: random points.
        climbers: how many points climb at a time.
        rounds: how often they may step.
        within: axes, and the codes (k, axes) that alone are admitted on them together; all are unless given.
    """
    known = set(_keys(taken))

    def fresh(codes: np.ndarray) -> np.ndarray:
        if within is not None:
            codes = features.settled(_moved(codes, *within, generator))
        kept = []
        for i, key in enumerate(_keys(codes)):
            if key not in known:
                known.add(key)
                kept.append(i)
        return codes[kept]

    if features.points <= ENUMERATED:
        candidates = fresh(features.everything())
        return candidates[np.argmax(score(candidates))] if len(candidates) else None
    candidates = features.quantile(generator.random((samples, len(features.axes))))
    candidates = fresh(np.concatenate([candidates, *(neighbours(features, row, generator, 0) for row in starts)]))
    top, scores = candidates[:0], np.empty(0)
    for step in range(1, rounds + 1):
        if len(candidates):
            top = np.concatenate([top, candidates])
            scores = np.concatenate([scores, score(candidates)])
        order = np.argsort(-scores, kind="stable")[:climbers]
        top, scores = top[order], scores[order]
        if not len(top):
            return None
        candidates = fresh(np.concatenate([neighbours(features, row, generator, step) for row in top]))
    return top[0]


def _moved(codes: np.ndarray, axes: Sequence[int], rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The points (n, d), those that are none of ``rows`` (k, axes) on these axes moved to one of them."""
    outside = ~(codes[:, None, axes] == rows).all(axis=2).any(axis=1)
    moved = codes.copy()
    moved[np.ix_(outside, axes)] = rows[generator.integers(len(rows), size=outside.sum())]
    return moved


def _keys(codes: np.ndarray) -> list[bytes]:
    """Each row as bytes, which are equal where the points are."""
    return np.ascontiguousarray(codes).view(f"V{codes.shape[1] * codes.itemsize}").ravel().tolist()


_REACH = 8
"""Axes of at most so many values are neighbours throughout; on longer ones it is the nearest values, and some further away."""


def neighbours(features: Features, codes: np.ndarray, generator: np.random.Generator, step: int) -> np.ndarray:
    """Points (n, d) that differ from a point (d,) in one hyperparameter; on continuous axes the nearer, the later the step."""
    moves: list[tuple[int, float]] = []
    for i, axis in enumerate(features.axes):
        here = codes[i]
        if not axis.size:
            places = np.clip(here + 0.2 * 0.6**step * generator.standard_normal(4), 0.0, 1.0)
            moves += [(i, code) for code in axis.snapped(places).tolist()]
        elif axis.size <= _REACH or not axis.ordered:
            moves += [(i, float(code)) for code in range(axis.size) if code != here]
        else:
            jumps = [-2, -1, 1, 2, *generator.integers(-axis.size // 4, axis.size // 4 + 1, size=2)]
            moves += [(i, float(code)) for jump in jumps if 0 <= (code := here + jump) < axis.size and jump]
    rows = np.repeat(codes[None], len(moves), axis=0)
    rows[np.arange(len(moves)), [i for i, _ in moves]] = [code for _, code in moves]
    return features.settled(rows)
