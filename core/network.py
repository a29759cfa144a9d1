"""The network: what all members of a stack share, how their parameters lie in theta (K, P), and the passes over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .activations import ACTIVATIONS
from .hyperparameters import Hyperparameters
from .initializers import initializer
from .layers import Bound, BoundDense, Dense, Dropout
from .losses import LOSSES, resolve
from .maxout import Maxout
from .optimizers import Optimizer, rule

Array = NDArray[Any]


@dataclass(frozen=True)
class Structure:
    """The group key: whatever changes shapes or code. Only networks of equal structure share a stack."""

    n_inputs: int
    n_outputs: int
    hidden: tuple[int, ...]
    activation: str
    loss: str
    optimizer: str
    momentum: bool
    nesterov: bool
    schedule: str
    batch_size: int
    batch_norm: bool
    n_rows: int
    dtype: str
    layer_norm: bool = False

    @property
    def layers(self) -> tuple[Dense, ...]:
        """The dense layers from the input to the output, whose activation belongs to the loss."""
        norm = "batch" if self.batch_norm else "layer" if self.layer_norm else "none"
        inputs = (self.n_inputs, *self.hidden)
        sums = ACTIVATIONS[self.activation].pieces
        hidden = (
            Dense(n_in, sums * n_out, self.activation, norm) for n_in, n_out in zip(inputs, self.hidden, strict=False)
        )
        return (*hidden, Dense(inputs[-1], self.n_outputs, "identity"))

    @property
    def steps(self) -> int:
        """Optimizer steps in an epoch; the last batch may be smaller and is trained too."""
        return -(-self.n_rows // self.batch_size)

    @property
    def rule(self) -> Optimizer:
        """The optimizer's update rule."""
        return rule(self.optimizer, self.momentum, self.nesterov)


def structure(
    hp: Hyperparameters, *, n_inputs: int, n_outputs: int, n_rows: int, loss: str, dtype: str = "float32"
) -> Structure:
    """The structure of a network with these hyperparameters on data of these sizes (``n_rows``: training rows).

    ``loss`` is the data's own, which that of the hyperparameters may replace. ValueError for an unknown loss or one of
    the other task, a dtype other than float32 and float64, sizes below 1, or a log loss with more than one output unit.
    """
    if loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {loss!r}")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    for name, size in (("n_inputs", n_inputs), ("n_outputs", n_outputs), ("n_rows", n_rows)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1, got {size!r}")
    loss = resolve(hp.natural_loss, loss, n_outputs)
    if loss == "log_loss" and n_outputs != 1:
        raise ValueError(f"n_outputs must be 1 with the loss {loss}, got {n_outputs!r}")
    has_momentum = hp.optimizer in ("sgd", "rmsprop") and hp.momentum > 0.0
    return Structure(
        n_inputs=int(n_inputs),
        n_outputs=int(n_outputs),
        hidden=hp.hidden,
        activation=hp.activation if hp.hidden else "identity",
        loss=loss,
        optimizer=hp.optimizer,
        momentum=has_momentum,
        nesterov=has_momentum and hp.nesterov and hp.optimizer == "sgd",
        schedule=hp.schedule,
        batch_size=min(hp.batch_size, int(n_rows)),
        batch_norm=hp.batch_norm and bool(hp.hidden),
        n_rows=int(n_rows),
        dtype=dtype,
        layer_norm=hp.layer_norm and bool(hp.hidden),
    )


def n_parameters(structure: Structure) -> int:
    """P, the number of parameters of one network."""
    return sum(layer.n_parameters for layer in structure.layers)


def operations(structure: Structure) -> int:
    """Multiply-adds of one training epoch of one network: the layers' products and the optimizer's passes."""
    products = sum((3 if i else 2) * layer.n_parameters for i, layer in enumerate(structure.layers))
    passes = 2 + 4 * structure.rule.n_slots
    return structure.n_rows * products + structure.steps * passes * n_parameters(structure)


def offsets(structure: Structure) -> list[tuple[int, int]]:
    """The columns of theta that belong to each layer, as (start, end)."""
    spans, start = [], 0
    for layer in structure.layers:
        spans.append((start, start + layer.n_parameters))
        start += layer.n_parameters
    return spans


def weight_blocks(structure: Structure, theta: Array) -> list[Array]:
    """For each layer a view (K, in + 1, out) of theta (K, P); the last row holds the biases."""
    return [
        theta[:, start : start + layer.n_block].reshape(len(theta), layer.n_in + 1, layer.n_out)
        for layer, (start, _) in zip(structure.layers, offsets(structure), strict=True)
    ]


def initial_parameters(structure: Structure, init: str, generator: np.random.Generator) -> Array:
    """One network's parameters (P,) at the start; drawn in float64, so that both precisions start alike."""
    parts = []
    for layer in structure.layers:
        fill = initializer(init, ACTIVATIONS[layer.activation].init)
        parts.append(fill(generator, layer.n_in, layer.n_out).ravel())
        parts.append(np.zeros(layer.n_out))
        parts.append(np.ones(layer.n_parameters - layer.n_block))
    return np.concatenate(parts).astype(structure.dtype)


def initial_running(structure: Structure) -> Array:
    """One network's running statistics (R,) at the start: for each layer with batch normalisation means, variances."""
    parts = [np.repeat([0.0, 1.0], layer.n_running // 2) for layer in structure.layers]
    return np.concatenate(parts).astype(structure.dtype)


def with_ones(X: Array, dtype: str) -> Array:
    """X (n, d) with a last column of ones (n, d + 1): the input that the first layer's bias multiplies."""
    extended = np.empty((X.shape[0], X.shape[1] + 1), dtype=dtype)
    extended[:, :-1] = X
    extended[:, -1] = 1.0
    return extended


def buffer_with_ones(K: int, units: int, rows: int, dtype: Any, has_ones: bool = True) -> Array:
    """Space (K, units + 1, rows) for a layer's output, whose last row of ones the next bias multiplies; or without."""
    buffer = np.empty((K, units + has_ones, rows), dtype=dtype)
    if has_ones:
        buffer[:, -1] = 1.0
    return buffer


class Workspace:
    """All buffers for passes of K networks over batches of one size, allocated once and reused in every step.

    ``theta`` and ``gradient`` are (K, P); ``gradient`` None means inference: no backward pass, and batch normalisation
    by the running statistics. ``masks``: one array (K, units, rows) for each hidden layer if any network of the stack
    uses dropout, else none. ``running`` (K, R): the running statistics, those of a fresh network where they are None.
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
        first = 0
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
        self.first, self.last = self.dense[0], self.dense[-1]

    def _append(self, bound: Bound) -> None:
        if self.chain:
            below = self.chain[-1]
            bound.x = below.out
            bound.below = getattr(below, "delta", None)
        self.chain.append(bound)

    def forward(self, x: Array, z: Array) -> None:
        """Output sums of the inputs x (d + 1, rows) or (K, d + 1, rows) into z (K, o, rows)."""
        self.first.x = x
        self.last.z = z
        for bound in self.chain:
            bound.forward()

    def backward(self) -> None:
        """The gradient, from ``last.delta`` (K, o, rows), the loss's derivative by the output sums."""
        for bound in reversed(self.chain):
            bound.backward()


def evaluation_rows(structure: Structure) -> int:
    """Rows that a forward pass takes at once: a function of the structure alone, for its size may change bits."""
    widest = max(structure.n_inputs, structure.n_outputs, *structure.hidden, 1)
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

    With one logistic output unit, o = 1 and the number is the probability of class 1. ``running`` (K, R) holds the
    running statistics of normalising layers. Dropout is off.
    """
    theta, running = (np.ascontiguousarray(array, dtype=structure.dtype) for array in (theta, running))
    X = np.asarray(X)
    extended = np.empty((*X.shape[:-1], X.shape[-1] + 1), dtype=structure.dtype)
    extended[..., :-1] = X
    extended[..., -1] = 1.0
    with np.errstate(all="ignore"):
        result = LOSSES[structure.loss].outputs(output_sums(structure, theta, running, extended))
    return np.ascontiguousarray(result.transpose(0, 2, 1))
