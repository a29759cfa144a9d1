"""Mini-batches: rows and targets of the folds, gathered into buffers for a run of steps."""

from collections.abc import Sequence

import numpy as np

from .array import Array
from .data import PreparedFold
from .structure import Structure


class Minibatches:
    """Buffers for runs of up to `count` batches of `rows` rows, the same rows of every fold that is in use.

    `fold_of` (K,) is the place of each network's fold in `folds`. Where all networks share one fold, arrays have 1 in
    place of K.

    After `load`: `labels` (K, m, b, ...) are the rows' classes or numbers, `hard` (K, m, o, b) the targets,
    `scale` (K, m, 1, b) each row's share of its batch, `target` the smoothed targets times it, and `weights` (K, m, b)
    the rows' own weights or None.
    """

    def __init__(
        self,
        structure: Structure,
        folds: Sequence[PreparedFold],
        fold_of: Array,
        rows: int,
        count: int,
    ) -> None:
        self.rows = rows
        self._structure, self._folds, self._fold_of = structure, folds, fold_of
        self._has_weights = any(fold.train.weight is not None for fold in folds)
        d, dtype = structure.n_encoded + 1, structure.dtype
        if len(folds) == 1:
            self._X = np.empty((count * rows, d), dtype=dtype)
            self._x_by_step = [self._X[j * rows : (j + 1) * rows].T for j in range(count)]
        else:
            self._X = np.empty((count, len(folds), rows, d), dtype=dtype)
            self._x = np.empty((len(fold_of), rows, d), dtype=dtype)
            self._x_transposed = self._x.transpose(0, 2, 1)

    def load(self, indices: Array, smoothing: Array | None = None) -> None:
        """Gather the rows at these indices (m * rows,) for the next m batches.

        `smoothing` (K, m, 1, 1) is the label smoothing of each network in each of them, or None if there is none.
        """
        rows, m = self.rows, len(indices) // self.rows
        if len(self._folds) == 1:
            np.take(self._folds[0].train.X, indices, axis=0, out=self._X[: m * rows], mode="clip")
        else:
            for f, fold in enumerate(self._folds):
                self._X[:m, f] = fold.train.X[indices].reshape(m, rows, -1)
        labels, hard, weights, scales = [], [], [], []
        for fold in self._folds:
            y = fold.train.y[indices]
            y = y.reshape(m, rows, *y.shape[1:])
            labels.append(y)
            hard.append(fold.train.targets(self._structure, y))
            if self._has_weights:
                w = np.ones((m, rows)) if fold.train.weight is None else fold.train.weight[indices].reshape(m, rows)
                total = w.sum(axis=1, keepdims=True)
                weights.append(w)
                scales.append(w / np.where(total > 0, total, 1.0))
            else:
                scales.append(np.full((m, rows), 1.0 / rows))
        self.labels = self._by_network(labels)
        self.hard = self._by_network(hard)
        self.weights = self._by_network(weights) if weights else None
        self.scale = self._by_network(scales)[:, :, None, :].astype(self._structure.dtype)
        self.target = self.hard * self.scale
        if smoothing is not None:
            # What each class gets of a smoothed target.
            by_class = smoothing / smoothing.dtype.type(max(self._structure.n_outputs, 2))
            self.target = self.target * (1 - smoothing) + self.scale * by_class

    def inputs(self, j: int) -> Array:
        """The inputs of the j-th batch loaded, (d + 1, b), or (K, d + 1, b) where the networks' folds differ."""
        if len(self._folds) == 1:
            return self._x_by_step[j]
        np.take(self._X[j], self._fold_of, axis=0, out=self._x, mode="clip")
        return self._x_transposed

    def _by_network(self, arrays: Sequence[Array]) -> Array:
        """Arrays of the folds as one, by network (K, ...); (1, ...) where all networks share one fold."""
        if len(arrays) == 1:
            return arrays[0][None]
        return np.stack(arrays)[self._fold_of]
