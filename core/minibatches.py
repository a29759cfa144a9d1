"""Batches of rows as the stack's passes want them, the step on each, and the sums that make up an epoch's curves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .array import Array
from .workspace import Workspace

if TYPE_CHECKING:
    from .stack import Stack


class Batches:
    """Buffers for runs of up to `count` batches of one size: rows, targets, output sums and dropout's random bits."""

    def __init__(self, stack: "Stack", rows: int, count: int) -> None:
        self.stack, self.rows, self.count = stack, rows, count
        structure, K, F = stack.structure, len(stack.networks), len(stack.folds)
        d, o, dtype = structure.n_encoded + 1, structure.n_outputs, structure.dtype
        self.masks: list[Array] = []
        if stack.has_dropout:
            units = sum(structure.hidden)
            self.bits = np.zeros((K, count, -(-units * rows // 4)), dtype=np.uint64)
            self.thresholded = np.empty((K, units * rows), dtype=np.bool_)
            self.mask = np.ones((K, units * rows), dtype=dtype)
            start = 0
            for size in structure.hidden:
                end = start + size * rows
                self.masks.append(self.mask[:, start:end].reshape(K, size, rows))
                start = end
            self.bits_by_step = [self.bits[:, j].view(np.uint16)[:, : units * rows] for j in range(count)]
        self.workspace = Workspace(structure, stack.theta, stack.gradient, rows, self.masks, stack.running)
        self.z = np.empty((K, count, o, rows), dtype=dtype)
        self.z_by_step = [self.z[:, j] for j in range(count)]
        self.kept = np.empty((3, K, count, 1, rows), dtype=dtype)
        self.kept_by_step = [self.kept[:, :, j] for j in range(count)]
        if F == 1:
            self.X = np.empty((count * rows, d), dtype=dtype)
            self.x_by_step = [self.X[j * rows : (j + 1) * rows].T for j in range(count)]
        else:
            self.X = np.empty((count, F, rows, d), dtype=dtype)
            self.x_own = np.empty((K, rows, d), dtype=dtype)
            self.x_transposed = self.x_own.transpose(0, 2, 1)

    def load(self, indices: Array, epoch_bits: Sequence[np.random.SFC64 | None]) -> None:
        """Gather the rows at these indices (m * rows,) for the next m batches."""
        stack, rows = self.stack, self.rows
        m = len(indices) // rows
        if len(stack.folds) == 1:
            np.take(stack.folds[0].train.X, indices, axis=0, out=self.X[: m * rows], mode="clip")
        else:
            for f, fold in enumerate(stack.folds):
                self.X[:m, f] = fold.train.X[indices].reshape(m, rows, -1)
        labels, hard, weights, scales = [], [], [], []
        for fold in stack.folds:
            y = fold.train.y[indices]
            y = y.reshape(m, rows, *y.shape[1:])
            labels.append(y)
            hard.append(fold.train.targets(stack.structure, y))
            if stack.has_weights:
                w = np.ones((m, rows)) if fold.train.weight is None else fold.train.weight[indices].reshape(m, rows)
                total = w.sum(axis=1, keepdims=True)
                weights.append(w)
                scales.append(w / np.where(total > 0, total, 1.0))
            else:
                scales.append(np.full((m, rows), 1.0 / rows))
        self.labels = stack.by_network(labels)
        self.hard = stack.by_network(hard)
        self.weights = stack.by_network(weights) if weights else None
        self.scale = stack.by_network(scales)[:, :, None, :].astype(stack.structure.dtype)
        self.target = self.hard * self.scale
        if stack.has_smoothing:
            ls, share = stack.smoothing
            self.target = self.target * (1 - ls) + self.scale * share
        if stack.has_dropout:
            for k, bit_generator in enumerate(epoch_bits):
                if bit_generator is not None:
                    words = self.bits.shape[2]
                    self.bits[k, :m] = bit_generator.random_raw(m * words).reshape(m, words)

    def step(self, j: int, number: int) -> None:
        """One optimizer step on the j-th batch loaded; `number` counts the epoch's steps."""
        stack, workspace = self.stack, self.workspace
        if len(stack.folds) == 1:
            x = self.x_by_step[j]
        else:
            np.take(self.X[j], stack.fold_of, axis=0, out=self.x_own, mode="clip")
            x = self.x_transposed
        if self.masks:
            np.greater_equal(self.bits_by_step[j], stack.dropout_threshold, out=self.thresholded)
            np.multiply(self.thresholded, stack.dropout_scale, out=self.mask)
        z = self.z_by_step[j]
        workspace.forward(x, z)
        stack.loss.gradient(z, self.target[:, j], self.scale[:, j], workspace.last.delta, self.kept_by_step[j])
        workspace.backward()
        if stack.norms is not None:
            stack.norms += stack.layer_norms()
        stack.update(number)

    def sums(self, m: int) -> tuple[Array, Array]:
        """Over the m batches trained: weighted sums of losses (K,) and of hits (K,) or squared errors (K, o)."""
        for dense in self.workspace.dense:
            dense.settle()
        z, K, loss = self.z[:, :m], len(self.stack.networks), self.stack.loss
        is_right: Array | None = None
        if loss.again is not None:
            by_row, is_right = loss.again(z, self.hard, self.kept[:, :, :m])
        else:
            by_row = loss.values(z, self.hard)
        losses = by_row.astype(np.float64).reshape(K, -1)
        weights = None if self.weights is None else self.weights.reshape(len(self.weights), -1)
        if weights is not None:
            losses *= weights
        if loss.task == "classification":
            hits = (hard_classes(z) == self.labels if is_right is None else is_right).reshape(K, -1).astype(np.float64)
            scores = (hits if weights is None else hits * weights).sum(axis=1)
        else:
            scores = squared_sums(z - self.hard, self.weights)
        return losses.sum(axis=1), scores


def hard_classes(z: Array) -> Array:
    """Class indices (..., b) from output sums (..., o, b); of equals, the first."""
    if z.shape[-2] == 1:
        return (z[..., 0, :] > 0).astype(np.int64)
    return np.argmax(z, axis=-2)


def squared_sums(error: Array, weights: Array | None) -> Array:
    """Weighted sums of the squared errors (K, m, o, b), in float64: (K, o)."""
    squared = error.astype(np.float64) ** 2
    if weights is not None:
        squared *= weights[:, :, None, :]
    return np.ascontiguousarray(squared.sum(axis=3)).sum(axis=1)
