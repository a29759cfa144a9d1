"""The passes over a stack: K networks' layers tied to their parameters and buffers, forward, backward and predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .activations import ACTIVATIONS
from .array import Array
from .inputs import prepare_rows, with_ones
from .layers.base import BoundLayer
from .layers.dense import BoundDense
from .layers.dropout import Dropout
from .layers.maxout import Maxout
from .layers.shortcut import Shortcut
from .losses import LOSSES
from .parameters import initial_buffers
from .structure import Structure

# Few, so that one row alone costs little; enough that many rows cost hardly more than in larger passes.
ROWS_OF_A_PASS = 32


def output_buffer(K: int, units: int, rows: int, dtype: Any, has_ones: bool = True) -> Array:
    """Space (K, units + 1, rows) for a layer's output, whose last row of ones the next bias multiplies; or without."""
    buffer = np.empty((K, units + has_ones, rows), dtype=dtype)
    if has_ones:
        buffer[:, -1] = 1.0
    return buffer


class Workspace:
    """All arrays for passes of K networks over batches of one size, allocated once and reused in every step.

    `theta` and `gradient` are (K, P); `gradient` None means inference: no backward pass, and batch normalisation
    by the running statistics. `masks`: one array (K, units, rows) for each hidden layer if any network of the stack
    uses dropout, else none. `buffers` (K, R): those of a fresh network where they are None.
    """

    def __init__(
        self,
        structure: Structure,
        theta: Array,
        gradient: Array | None,
        rows: int,
        masks: Sequence[Array] = (),
        buffers: Array | None = None,
    ) -> None:
        K, dtype, training = len(theta), theta.dtype, gradient is not None
        if buffers is None:
            buffers = np.tile(initial_buffers(structure), (K, 1))
        self.dense: list[BoundDense] = []
        self.chain: list[BoundLayer] = []
        embedder = structure.embedder
        if embedder is not None:
            end = embedder.n_parameters
            columns = None if gradient is None else gradient[:, :end]
            out = output_buffer(K, embedder.n_out, rows, dtype)
            self._append(embedder.bind(theta[:, :end], columns, out))
        layers = structure.layers
        skips = structure.by_layer(structure.skip)
        # The buffers of the layers follow those of the scaling.
        first = sum(structure.n_scaling)
        for i, (layer, (start, end)) in enumerate(zip(layers, structure.offsets, strict=True)):
            is_last, is_maxout = i == len(layers) - 1, ACTIVATIONS[layer.activation].n_linear_pieces > 1
            out = output_buffer(K, layer.n_out, rows, dtype, has_ones=not is_last and not is_maxout)
            columns = None if gradient is None else gradient[:, start:end]
            statistics = buffers[:, first : first + layer.n_buffers]
            first += layer.n_buffers
            dense = layer.bind(theta[:, start:end], columns, statistics, out, training)
            self.dense.append(dense)
            self._append(dense)
            if is_last:
                break
            # What may follow a hidden layer's sums, each with an output of its own: joining, dropping out, adding.
            n_units = structure.hidden[i]
            if is_maxout:
                self._append(Maxout(n_units).bind(output_buffer(K, n_units, rows, dtype), training))
            if masks:
                self._append(Dropout(n_units).bind(masks[i], output_buffer(K, n_units, rows, dtype)))
            if skips[i]:
                shortcut = Shortcut(layer.n_in, n_units)
                self._append(shortcut.bind(dense, output_buffer(K, n_units, rows, dtype), training))
        self.last = self.dense[-1]

    def _append(self, bound: BoundLayer) -> None:
        """Chain a layer to the one before: it reads that one's output and writes the derivative by it."""
        if self.chain:
            before = self.chain[-1]
            bound.x = before.out
            bound.input_grad = getattr(before, "delta", None)
        self.chain.append(bound)

    def forward(self, x: Array, z: Array) -> None:
        """Output sums of the inputs x (d + 1, rows) or (K, d + 1, rows) into z (K, o, rows)."""
        self.chain[0].x = x
        self.last.z = z
        for bound in self.chain:
            bound.forward()

    def backward(self) -> None:
        """The gradient, from `last.delta` (K, o, rows), the loss's derivative by the output sums."""
        for bound in reversed(self.chain):
            bound.backward()


def evaluation_rows(structure: Structure) -> int:
    """Rows that a forward pass takes at once: a function of the structure alone, for its size may change bits."""
    embedder = structure.embedder
    inputs = 0 if embedder is None else 2 * embedder.n_inner
    widest = max(inputs, structure.n_encoded, structure.n_outputs, *structure.hidden, 1)
    return int(min(1024, max(32, 32768 // widest)))


def output_sums(structure: Structure, theta: Array, buffers: Array, X: Array, rows: int | None = None) -> Array:
    """Output sums (K, o, n) of the rows X (n, d + 1) or (K, n, d + 1), which carry the column of ones; no dropout.

    They are taken `rows` at once, by default `evaluation_rows`.
    """
    K, n = len(theta), X.shape[-2]
    z = np.empty((K, structure.n_outputs, n), dtype=theta.dtype)
    rows = rows or evaluation_rows(structure)
    workspace: Workspace | None = None
    for start in range(0, n, rows):
        end = min(start + rows, n)
        if workspace is None or end - start < rows:
            workspace = Workspace(structure, theta, None, end - start, buffers=buffers)
        x = X[..., start:end, :]
        workspace.forward(x.swapaxes(-1, -2), z[:, :, start:end])
    return z


def outputs_by_row(structure: Structure, theta: Array, buffers: Array, X: Array) -> Array:
    """`outputs` (K, n, o) of rows X (n, d) that each get the same bits in whatever company and place.

    A matrix product sums up in another order where the matrix has another shape, and so do the last rows that do not fill a
    block of BLAS; hence every pass has the same number of rows, and zeros fill the last one.
    """
    X = np.asarray(X)
    filled = np.zeros((-(-len(X) // ROWS_OF_A_PASS) * ROWS_OF_A_PASS, X.shape[1]), dtype=X.dtype)
    filled[: len(X)] = X
    return outputs(structure, theta, buffers, filled, ROWS_OF_A_PASS)[:, : len(X)]


def outputs(structure: Structure, theta: Array, buffers: Array, X: Array, rows: int | None = None) -> Array:
    """Predictions (K, n, o) of K networks for X (n, d), shared, or (K, n, d): probabilities, or values in regression.

    With one logistic output unit, o = 1 and the number is the probability of class 1. `buffers` (K, R) are those of the
    networks' states. Dropout is off. `rows` are taken at once, by default `evaluation_rows`. ValueError if R is wrong.
    """
    theta, buffers = (np.ascontiguousarray(array, dtype=structure.dtype) for array in (theta, buffers))
    expected = (len(theta), structure.n_buffers)
    if buffers.shape != expected:
        raise ValueError(f"buffers must have the structure's shape {expected}, got {buffers.shape}")
    X = np.asarray(X)
    n_inputs, _ = structure.n_scaling
    if n_inputs:
        fitted = buffers[:, :n_inputs]
        if X.ndim == 2 and (fitted == fitted[0]).all():
            X = prepare_rows(structure, fitted[0], X)
        else:
            each = X if X.ndim == 3 else [X] * len(theta)
            X = np.stack([prepare_rows(structure, *pair) for pair in zip(fitted, each, strict=True)])
    with np.errstate(all="ignore"):
        z = output_sums(structure, theta, buffers, with_ones(X, structure.dtype), rows)
        return outputs_of_sums(structure, buffers, z)


def outputs_of_sums(structure: Structure, buffers: Array, z: Array) -> Array:
    """Predictions (K, n, o) from output sums z (K, o, n)."""
    result = LOSSES[structure.loss].outputs(z)
    n_inputs, n_targets = structure.n_scaling
    if n_targets:
        mean, deviation, low, high = np.split(buffers[:, n_inputs : n_inputs + n_targets, None], 4, axis=1)
        result = np.clip(result, low, high) * deviation + mean
    return np.ascontiguousarray(result.transpose(0, 2, 1))
