"""The network: what all members of a stack share, how their parameters lie in theta (K, P), and the passes over it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .activations import ACTIVATIONS
from .array import Array
from .inputs import n_scaling, prepare_rows, with_ones
from .layers.base import Bound
from .layers.dense import BoundDense
from .layers.dropout import Dropout
from .layers.maxout import Maxout
from .layers.shortcut import Shortcut
from .losses import LOSSES
from .parameters import initial_running, offsets
from .structure import Structure


def buffer_with_ones(K: int, units: int, rows: int, dtype: Any, has_ones: bool = True) -> Array:
    """Space (K, units + 1, rows) for a layer's output, whose last row of ones the next bias multiplies; or without."""
    buffer = np.empty((K, units + has_ones, rows), dtype=dtype)
    if has_ones:
        buffer[:, -1] = 1.0
    return buffer


class Workspace:
    """All buffers for passes of K networks over batches of one size, allocated once and reused in every step.

    `theta` and `gradient` are (K, P); `gradient` None means inference: no backward pass, and batch normalisation
    by the running statistics. `masks`: one array (K, units, rows) for each hidden layer if any network of the stack
    uses dropout, else none. `running` (K, R): the running statistics, those of a fresh network where they are None.
    """

    def __init__(
        self,
        structure: Structure,
        theta: Array,
        gradient: Array | None,
        rows: int,
        masks: Sequence[Array] = (),
        running: Array | None = None,
    ) -> None:
        K = len(theta)
        if running is None:
            running = np.tile(initial_running(structure), (K, 1))
        layers, spans = structure.layers, offsets(structure)
        self.dense: list[BoundDense] = []
        self.chain: list[Bound] = []
        first = sum(n_scaling(structure))
        skips = (*structure.by_layer(structure.skip), False)
        if structure.embedder is not None:
            end = structure.embedder.n_parameters
            columns = None if gradient is None else gradient[:, :end]
            buffer = buffer_with_ones(K, structure.embedder.n_out, rows, theta.dtype)
            self._append(structure.embedder.bind(theta[:, :end], columns, buffer))
        for i, (layer, (start, end)) in enumerate(zip(layers, spans, strict=True)):
            last = i == len(layers) - 1
            pieces = ACTIVATIONS[layer.activation].pieces
            buffer = buffer_with_ones(K, layer.n_out, rows, theta.dtype, has_ones=not last and pieces == 1)
            columns = None if gradient is None else gradient[:, start:end]
            statistics = running[:, first : first + layer.n_running]
            first += layer.n_running
            dense = layer.bind(theta[:, start:end], columns, statistics, buffer, gradient is not None)
            self.dense.append(dense)
            self._append(dense)
            if pieces > 1:
                n_units = structure.hidden[i]
                joined = buffer_with_ones(K, n_units, rows, theta.dtype)
                self._append(Maxout(n_units).bind(joined, gradient is not None))
            if masks and not last:
                n_units = structure.hidden[i]
                dropped = buffer_with_ones(K, n_units, rows, theta.dtype)
                self._append(Dropout(n_units).bind(masks[i], dropped))
            if skips[i]:
                n_units = structure.hidden[i]
                sums = buffer_with_ones(K, n_units, rows, theta.dtype)
                self._append(Shortcut(layer.n_in, n_units).bind(dense, sums, gradient is not None))
        self.last = self.dense[-1]

    def _append(self, bound: Bound) -> None:
        if self.chain:
            below = self.chain[-1]
            bound.x = below.out
            bound.below = getattr(below, "delta", None)
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
    inputs = structure.n_encoded * (1 if structure.embedder is None else 2 * structure.embedder.n_waves)
    widest = max(inputs, structure.n_outputs, *structure.hidden, 1)
    return int(min(1024, max(32, 32768 // widest)))


def output_sums(structure: Structure, theta: Array, running: Array, X: Array) -> Array:
    """Output sums (K, o, n) of the rows X (n, d + 1) or (K, n, d + 1), which carry the column of ones; no dropout."""
    K, n = len(theta), X.shape[-2]
    z = np.empty((K, structure.n_outputs, n), dtype=theta.dtype)
    rows = evaluation_rows(structure)
    workspace: Workspace | None = None
    for start in range(0, n, rows):
        end = min(start + rows, n)
        if workspace is None or end - start < rows:
            workspace = Workspace(structure, theta, None, end - start, running=running)
        x = X[..., start:end, :]
        workspace.forward(x.swapaxes(-1, -2), z[:, :, start:end])
    return z


def outputs(structure: Structure, theta: Array, running: Array, X: Array) -> Array:
    """Predictions (K, n, o) of K networks for X (n, d), shared, or (K, n, d): probabilities, or values in regression.

    With one logistic output unit, o = 1 and the number is the probability of class 1. `running` (K, R) holds the
    networks' own scaling and the running statistics of normalising layers. Dropout is off. ValueError if R is wrong.
    """
    theta, running = (np.ascontiguousarray(array, dtype=structure.dtype) for array in (theta, running))
    if running.shape != (len(theta), len(initial_running(structure))):
        expected = (len(theta), len(initial_running(structure)))
        raise ValueError(f"running must have the structure's shape {expected}, got {running.shape}")
    X = np.asarray(X)
    n_inputs, n_targets = n_scaling(structure)
    if n_inputs:
        fitted = running[:, :n_inputs]
        if X.ndim == 2 and (fitted == fitted[0]).all():
            X = prepare_rows(structure, fitted[0], X)
        else:
            rows = X if X.ndim == 3 else [X] * len(theta)
            X = np.stack([prepare_rows(structure, *pair) for pair in zip(fitted, rows, strict=True)])
    with np.errstate(all="ignore"):
        z = output_sums(structure, theta, running, with_ones(X, structure.dtype))
        result = LOSSES[structure.loss].outputs(z)
        if n_targets:
            mean, deviation, low, high = np.split(running[:, n_inputs : n_inputs + n_targets, None], 4, axis=1)
            result = np.clip(result, low, high) * deviation + mean
    return np.ascontiguousarray(result.transpose(0, 2, 1))
