"""The network: what all members of a stack share, how their parameters lie in theta (K, P), and the passes over it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .activations import ACTIVATIONS
from .embedding import N_BINS, Periodic, PeriodicLinear, encode_bins, fit_bins
from .hyperparameters import Hyperparameters
from .initializers import initializer
from .layers import Bound, BoundDense, Dense, Dropout, Shortcut
from .losses import LOSSES, resolve
from .maxout import Maxout
from .optimizers import Optimizer, rule
from .scaling import fit_inputs, scale_inputs
from .subset import n_chosen

Array = NDArray[Any]


@dataclass(frozen=True)
class Structure:
    """The group key: whatever changes shapes or code. Only networks of equal structure share a stack."""

    n_inputs: int
    n_outputs: int
    hidden: tuple[int, ...]
    activation: str | tuple[str, ...]
    loss: str
    optimizer: str
    momentum: bool
    nesterov: bool
    schedule: str
    batch_size: int
    batch_norm: bool | tuple[bool, ...]
    n_rows: int
    dtype: str
    layer_norm: bool | tuple[bool, ...] = False
    skip: bool | tuple[bool, ...] = False
    scaling: str = "none"
    target_scaling: bool = False
    embedding: str = "none"
    feature_scale: bool = False
    parametrization: str = "standard"
    subset: float = 1.0

    @property
    def embedder(self) -> Periodic | PeriodicLinear | None:
        """The layer below the dense ones, if there is one."""
        if self.embedding == "periodic":
            return Periodic(self.n_inputs)
        return PeriodicLinear(self.n_inputs) if self.embedding == "plr" else None

    @property
    def n_encoded(self) -> int:
        """The width of the rows that the lowest layer is given: the number of inputs, or of their bins."""
        return self.n_inputs * (N_BINS if self.embedding == "piecewise" else 1)

    @property
    def layers(self) -> tuple[Dense, ...]:
        """The dense layers from the input to the output, whose activation belongs to the loss."""
        inputs = (self.n_encoded if self.embedder is None else self.embedder.n_out, *self.hidden)
        choices = (self.by_layer(values) for values in (self.activation, self.batch_norm, self.layer_norm))
        dense = []
        for n_in, n_out, activation, of_batch, of_units in zip(inputs[:-1], self.hidden, *choices, strict=True):
            norm = "batch" if of_batch else "layer" if of_units else "none"
            dense.append(Dense(n_in, ACTIVATIONS[activation].pieces * n_out, activation, norm))
        dense.append(Dense(inputs[-1], self.n_outputs, "identity"))
        if self.feature_scale:
            dense[0] = replace(dense[0], scaled=True)
        return tuple(dense)

    def by_layer(self, values: Any) -> tuple[Any, ...]:
        """A choice for each hidden layer, from one that holds for all or a tuple."""
        return values if isinstance(values, tuple) else (values,) * len(self.hidden)

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

    Its own ``n_rows`` are those that it trains on, which are fewer if ``subset`` says so.

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
    n_rows = n_chosen(hp.subset, int(n_rows))
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
        batch_size=min(hp.batch_size, n_rows),
        batch_norm=hp.batch_norm if hp.hidden else False,
        n_rows=n_rows,
        dtype=dtype,
        layer_norm=hp.layer_norm if hp.hidden else False,
        skip=hp.skip if hp.hidden else False,
        scaling=hp.scaling,
        target_scaling=hp.target_scaling and LOSSES[loss].task == "regression",
        embedding=hp.embedding,
        feature_scale=hp.feature_scale,
        parametrization=hp.parametrization,
        subset=hp.subset,
    )


def n_parameters(structure: Structure) -> int:
    """P, the number of parameters of one network."""
    return offsets(structure)[-1][1]


def operations(structure: Structure) -> int:
    """Multiply-adds of one training epoch of one network: the layers' products and the optimizer's passes."""
    embedder = structure.embedder
    below = 0 if embedder is None else 1
    products = sum((3 if i + below else 2) * layer.n_parameters for i, layer in enumerate(structure.layers))
    if embedder is not None:
        products += embedder.n_operations
    passes = 2 + 4 * structure.rule.n_slots
    return structure.n_rows * products + structure.steps * passes * n_parameters(structure)


def offsets(structure: Structure) -> list[tuple[int, int]]:
    """The columns of theta that belong to each dense layer, as (start, end); those of an embedding come first."""
    spans, start = [], 0 if structure.embedder is None else structure.embedder.n_parameters
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


def rate_factors(structure: Structure) -> list[tuple[int, int, float]]:
    """Columns of theta from start to end and the factor on their learning rate; together they cover theta.

    The neural tangent parametrisation (Jacot et al. 2018) writes a layer as x W / sqrt(n_in) + b with W of the size of
    1. Steps on such a W are steps on the W / sqrt(n_in) that is stored here, shorter by sqrt(n_in) if the optimizer
    takes steps of the rate's length whatever the gradient's, and by n_in with plain gradients. RealMLP goes with it, in
    which biases and embeddings learn at a tenth of the rate, and the factors on features at six times the rate.
    """
    if structure.parametrization == "standard":
        return [(0, n_parameters(structure), 1.0)]
    power = -1.0 if structure.optimizer == "sgd" else -0.5
    spans, start = offsets(structure), 0
    pieces = [] if structure.embedder is None else [(spans[0][0], 0.1)]
    for layer in structure.layers:
        pieces += [(layer.n_in * layer.n_out, layer.n_in**power), (layer.n_out, 0.1), (layer.n_gains, 1.0)]
        pieces.append((layer.n_in if layer.scaled else 0, 6.0))
    result = []
    for size, factor in pieces:
        if size:
            result.append((start, start + size, factor))
            start += size
    return result


def initial_parameters(structure: Structure, hp: Hyperparameters, generator: np.random.Generator) -> Array:
    """One network's parameters (P,) at the start; drawn in float64, so that both precisions start alike."""
    parts = []
    if structure.embedder is not None:
        parts.append(structure.embedder.initial(hp.embedding_sigma, generator))
    for layer in structure.layers:
        fill = initializer(hp.init, ACTIVATIONS[layer.activation].init)
        parts.append(fill(generator, layer.n_in, layer.n_out).ravel())
        parts.append(np.zeros(layer.n_out))
        parts.append(np.ones(layer.n_parameters - layer.n_block))
    return np.concatenate(parts).astype(structure.dtype)


def n_scaling(structure: Structure) -> tuple[int, int]:
    """How many of the running statistics come first and are the scaling of the inputs, with the edges of their bins if
    they are encoded piecewise, and then of the targets."""
    by_input = (0 if structure.scaling == "none" else 2) + (N_BINS + 1 if structure.embedding == "piecewise" else 0)
    return by_input * structure.n_inputs, 4 * structure.n_outputs if structure.target_scaling else 0


def fit_rows(structure: Structure, X: Array) -> Array:
    """What a network learns of its inputs from its training rows X (n, d) before the first step: scaling and edges."""
    parts = [np.empty(0)]
    if structure.scaling != "none":
        parts.append(fit_inputs(structure.scaling, X))
        X = scale_inputs(structure.scaling, parts[-1].astype(structure.dtype), X)
    if structure.embedding == "piecewise":
        parts.append(fit_bins(X))
    return np.concatenate(parts)


def prepare_rows(structure: Structure, fitted: Array, X: Array) -> Array:
    """X (n, d) as the lowest layer wants it, (n, n_encoded), by what :func:`fit_rows` found."""
    n = 0 if structure.scaling == "none" else 2 * structure.n_inputs
    if n:
        X = scale_inputs(structure.scaling, fitted[:n], X)
    return encode_bins(fitted[n:], X) if structure.embedding == "piecewise" else X


def initial_running(structure: Structure) -> Array:
    """One network's running statistics (R,): its scaling, then means and variances of each layer with batch norm.

    The scaling changes nothing until the first rows are seen (:func:`.fitting.fit`).
    """
    inputs, targets = n_scaling(structure)
    scales = 0 if structure.scaling == "none" else structure.n_inputs
    parts = [np.repeat([0.0, 1.0], scales), np.zeros(inputs - 2 * scales)]
    parts.append(np.repeat([0.0, 1.0, -np.inf, np.inf], targets // 4))
    parts += [np.repeat([0.0, 1.0], layer.n_running // 2) for layer in structure.layers]
    return np.concatenate(parts).astype(structure.dtype)


def with_ones(X: Array, dtype: str) -> Array:
    """X (..., n, d) with a last column of ones (..., n, d + 1): the input that the first layer's bias multiplies."""
    extended = np.empty((*X.shape[:-1], X.shape[-1] + 1), dtype=dtype)
    extended[..., :-1] = X
    extended[..., -1] = 1.0
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
        """The gradient, from ``last.delta`` (K, o, rows), the loss's derivative by the output sums."""
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

    With one logistic output unit, o = 1 and the number is the probability of class 1. ``running`` (K, R) holds the
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
