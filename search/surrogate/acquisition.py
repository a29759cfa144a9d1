"""The acquisition function, the logarithm of the expected improvement, and the search for its maximum.

Jones et al. 1998, "Efficient Global Optimization of Expensive Black-Box Functions": EI(x) = s (z Phi(z) + phi(z)),
z = (f* - m) / s, minimising. Its logarithm, as in Ament et al. 2023 ("Unexpected Improvements to Expected Improvement"),
still distinguishes candidates whose improvement is too small for a float.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from .features import Features

ENUMERATED = 2048
"""A space of at most this many points is scored completely."""


def log_expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """log EI (n,) for a function that is minimised, at predictions (n,), below the value `best`."""
    from scipy.special import erfcx, ndtr

    z = (best - mean) / deviation
    value = np.empty_like(z)
    near = z > -1.0
    a = z[near]
    value[near] = np.log(a * ndtr(a) + np.exp(-0.5 * a * a) / math.sqrt(2 * math.pi))
    a = z[~near]
    # phi(a) (1 + a Phi(a) / phi(a)); for very negative a the bracket cancels, and is about 1 / a^2.
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
    n_samples: int = 1000,
    n_local_searches: int = 5,
    n_steps: int = 10,
    within: tuple[Sequence[int], np.ndarray] | None = None,
    copies: Callable[[np.ndarray], np.ndarray] | None = None,
    admitted: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray | None:
    """The codes (d,) with the largest score among points that are not taken; None if none is left.

    Random points and the neighbours of `starts` are scored; then local searches start from the best of them.

    Args:
        score: codes (n, d) -> scores (n,).
        features: the space.
        starts: codes (s, d) of promising points.
        taken: codes (t, d) that must not be proposed again.
        generator: of random points and steps.
        n_samples: the number of random points.
        n_local_searches: how many points climb at a time.
        n_steps: the most steps of a local search.
        within: axes, and the combinations of codes (k, axes) that are admitted on them; all are unless given.
        copies: codes (n, d) -> which of them (n,) are worth no more than a repeat of what is taken: they come last.
        admitted: codes (n, d) -> which of them (n,) may be proposed at all; all unless given.
    """
    known = set(_keys(taken))

    def new(codes: np.ndarray) -> np.ndarray:
        if within is not None:
            codes = features.canonicalized(_moved(codes, *within, generator))
        kept = []
        for i, key in enumerate(_keys(codes)):
            if key not in known:
                known.add(key)
                kept.append(i)
        return codes[kept] if admitted is None else codes[kept][admitted(codes[kept])]

    if features.points <= ENUMERATED:
        candidates = new(features.all_points())
        return candidates[_best(score(candidates), candidates, 1, copies)[0]] if len(candidates) else None
    neighbours = Neighbourhood(features)
    candidates = features.from_unit_cube(generator.random((n_samples, len(features.axes))))
    candidates = new(np.concatenate([candidates, neighbours(starts, generator, 0)]))
    top, scores = candidates[:0], np.empty(0)
    for step in range(1, n_steps + 1):
        if not len(candidates):
            break
        top = np.concatenate([top, candidates])
        scores = np.concatenate([scores, score(candidates)])
        order = _best(scores, top, n_local_searches, copies)
        top, scores = top[order], scores[order]
        candidates = new(neighbours(top, generator, step))
    return top[0] if len(top) else None


_BLOCK = 32
"""How many points are looked at for copies at a time: mostly the first few suffice."""


def _best(
    scores: np.ndarray, codes: np.ndarray, wanted: int, copies: Callable[[np.ndarray], np.ndarray] | None
) -> np.ndarray:
    """The indices of the largest scores (n,), the best first: those of originals, or of the copies if all points are such."""
    order = np.argsort(-scores, kind="stable")
    if copies is None:
        return order[:wanted]
    found = order[:0]
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        found = np.concatenate([found, block[~copies(codes[block])]])
        if len(found) >= wanted:
            break
    return (found if len(found) else order)[:wanted]


def _moved(codes: np.ndarray, axes: Sequence[int], rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The points (n, d); those whose codes on these axes are not among `rows` (k, axes) are moved to one of the rows."""
    outside = ~(codes[:, None, axes] == rows).all(axis=2).any(axis=1)
    moved = codes.copy()
    moved[np.ix_(outside, axes)] = rows[generator.integers(len(rows), size=outside.sum())]
    return moved


def _keys(codes: np.ndarray) -> list[bytes]:
    """Each row as bytes: equal for equal points."""
    return np.ascontiguousarray(codes).view(f"V{codes.shape[1] * codes.itemsize}").ravel().tolist()


_REACH = 8
"""On axes of at most this many values all are neighbours; on longer ones the nearest values, and some further away."""


class Neighbourhood:
    """The points that differ from given ones in one hyperparameter; on continuous axes nearer with every step."""

    def __init__(self, features: Features) -> None:
        self._features = features
        sizes, ordered = features.sizes, np.array([axis.ordered for axis in features.axes])
        short = np.flatnonzero((sizes > 0) & ((sizes <= _REACH) | ~ordered))
        self._long = np.flatnonzero((sizes > _REACH) & ordered)
        self._listed = np.concatenate([np.arange(float(sizes[i])) for i in short] or [np.empty(0)])
        axes = [np.repeat(features.free, 4), np.repeat(short, sizes[short]), np.repeat(self._long, 6)]
        self._axes = np.concatenate(axes)
        # Ordered by axis, whatever its kind.
        self._order = np.argsort(self._axes, kind="stable")
        self._axes = self._axes[self._order]
        self._ends = np.where(sizes, sizes, np.inf)[self._axes]

    def __call__(self, codes: np.ndarray, generator: np.random.Generator, step: int) -> np.ndarray:
        """Points (m, d) around points (n, d)."""
        features, long, n = self._features, self._long, len(codes)
        places = codes[:, features.free, None]
        places = places + 0.2 * 0.6**step * generator.standard_normal((n, len(features.free), 4))
        near = (
            features.rounded(np.clip(places, 0.0, 1.0).swapaxes(1, 2)).swapaxes(1, 2).reshape(n, 4 * len(features.free))
        )
        reach = features.sizes[long, None]
        far = generator.integers(-reach // 4, reach // 4 + 1, size=(n, len(long), 2))
        jumps = np.concatenate([np.broadcast_to([-2, -1, 1, 2], (n, len(long), 4)), far], axis=2)
        jumped = (codes[:, long, None] + jumps).reshape(n, 6 * len(long))
        listed = np.broadcast_to(self._listed, (n, len(self._listed)))
        values = np.concatenate([near, listed, jumped], axis=1)[:, self._order]
        moves = (values != codes[:, self._axes]) & (values >= 0) & (values < self._ends)
        point, move = np.nonzero(moves)
        rows = codes[point]
        rows[np.arange(len(rows)), self._axes[move]] = values[point, move]
        return features.canonicalized(rows)
