"""Layers: descriptions without arrays, and what they become when bound to a stack's parameters and buffers.

Activations are feature-major, (K, units, rows), and carry a last row of ones: a layer's bias is the last row of its
weights (K, in + 1, out), so that forward, weight gradient and bias gradient are one matrix product each. A unit's row
block is contiguous for each network, whatever K is; so every pass sees the same layout alone and stacked.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .activations import ACTIVATIONS
from .normalization import BatchNorm, LayerNorm, Normalization

Array = NDArray[Any]


class Bound(Protocol):
    """A layer tied to arrays.

    ``forward`` reads ``x`` and fills ``out``. ``backward`` reads ``delta``, the loss's derivative by ``out``'s units,
    and writes its parameters' gradient, and the derivative by ``x``'s units into ``below`` unless that is None.
    """

    x: Array
    out: Array
    delta: Array
    below: Array | None

    def forward(self) -> None: ...

    def backward(self) -> None: ...


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: a = activation(x W + b), with W (in, out) and b (out,) as the rows of one block.

    With ``norm`` "batch" or "layer" it is activation(gain normalised(x W) + b), and the gains (out,) follow the block.
    If ``scaled``, each input has a learned factor (in,), which comes last.
    """

    n_in: int
    n_out: int
    activation: str
    norm: str = "none"
    scaled: bool = False

    @property
    def n_block(self) -> int:
        """Numbers in W and b."""
        return (self.n_in + 1) * self.n_out

    @property
    def n_gains(self) -> int:
        return self.n_out if self.norm != "none" else 0

    @property
    def n_parameters(self) -> int:
        return self.n_block + self.n_gains + (self.n_in if self.scaled else 0)

    @property
    def n_running(self) -> int:
        """Running statistics: mean and variance of each unit's sums."""
        return 2 * self.n_out if self.norm == "batch" else 0

    def bind(self, theta: Array, gradient: Array | None, running: Array, buffer: Array, training: bool) -> "BoundDense":
        """Tied to its columns of theta and gradient (K, n_parameters), of running (K, n_running), and to its output
        buffer (K, out [+ 1], rows)."""
        return BoundDense(self, theta, gradient, running, buffer, training)


class BoundDense:
    """A dense layer over arrays; see :class:`Bound`."""

    def __init__(
        self, layer: Dense, theta: Array, gradient: Array | None, running: Array, buffer: Array, training: bool
    ) -> None:
        K = len(buffer)
        self._n_in, gains_end = layer.n_in, layer.n_block + layer.n_gains
        W = theta[:, : layer.n_block].reshape(K, layer.n_in + 1, layer.n_out)
        self.weights, self.bias = W[:, : layer.n_in, :], W[:, layer.n_in :, :]
        # Factors on the inputs are factors on the weights' rows, which costs no pass over the batch.
        self._factors = theta[:, gains_end:, None] if layer.scaled else None
        self._effective = np.empty(W.shape, dtype=theta.dtype) if layer.scaled else W
        self._W_transposed = self._effective.transpose(0, 2, 1)
        self.x = self.out = buffer
        self.below: Array | None = None
        self.past: Array | None = (
            None  # the derivative by the first of x's units that a shortcut past this layer brings
        )
        self._buffer, self.z = buffer, buffer[:, : layer.n_out, :]
        if training:
            assert gradient is not None
            self.gradient = gradient[:, : layer.n_block].reshape(W.shape)
            self._factors_gradient = gradient[:, gains_end:]
            # As long as the buffer, so that passes over both are one piece; what lies below the row of ones stays 0.
            self._deltas = np.zeros(buffer.shape, dtype=buffer.dtype)
            self.delta = self._deltas[:, : layer.n_out, :]
        activation = ACTIVATIONS[layer.activation]
        self._activation = None if activation.name == "identity" or activation.pieces > 1 else activation
        if self._activation is not None:
            kind = np.dtype(f"i{buffer.itemsize}") if self._activation.bits else buffer.dtype
            spaces = () if self._activation.spaces == 1 else (self._activation.spaces,)
            self._kept = np.empty((*spaces, buffer.size), dtype=kind)
            self._a = buffer.view(kind).reshape(-1)
            self._d = self._deltas.view(kind).reshape(-1) if training else None
            self._lost_ones = None if self._activation.keeps_one else buffer[:, layer.n_out :, :]
        self._norm: Normalization | None = None
        if layer.norm != "none":
            gain, shift = theta[:, layer.n_block : gains_end, None], W[:, -1, :, None]
            gradients = None
            if gradient is not None:
                gradients = gradient[:, layer.n_block : gains_end, None], self.gradient[:, -1, :, None]
            if layer.norm == "layer":
                self._norm = LayerNorm(gain, shift, gradients, buffer)
            else:
                self._norm = BatchNorm(gain, shift, gradients, buffer, running[:, :, None])
        if training:
            self._slope = self.delta if self._norm is None else self._norm.slope  # the loss's derivative by x W + b
            self._slope_transposed = self._slope.transpose(0, 2, 1)

    @property
    def is_normalised(self) -> bool:
        return self._norm is not None

    def forward(self) -> None:
        if self._factors is not None:
            np.multiply(self.weights, self._factors, out=self._effective[:, : self._n_in])
            np.copyto(self._effective[:, self._n_in :], self.bias)
        if self._norm is None:
            np.matmul(self._W_transposed, self.x, out=self.z)
        else:
            self._inputs, W_transposed = self.x[..., : self._n_in, :], self._W_transposed[:, :, : self._n_in]
            if self.below is None and isinstance(self._norm, BatchNorm) and self._norm.of_batch:
                self._inputs = self._norm.centre(self._inputs, W_transposed)
            np.matmul(W_transposed, self._inputs, out=self._norm.sums)
            self._norm.forward(self._buffer)
        if self._activation is not None:
            self._activation.forward(self._a, self._kept)
            if self._lost_ones is not None:
                self._lost_ones.fill(1.0)

    def settle(self) -> None:
        """What a run of batches leaves to be done once: running statistics."""
        if isinstance(self._norm, BatchNorm):
            self._norm.settle()

    def backward(self) -> None:
        if self._activation is not None:
            assert self._d is not None
            self._activation.backward(self._a, self._d, self._kept)
        if self._norm is None:
            np.matmul(self.x, self._slope_transposed, out=self.gradient)
        else:
            self._norm.backward(self._deltas)
            np.matmul(self._inputs, self._slope_transposed, out=self.gradient[:, : self._n_in])
        if self._factors is not None:
            by_weights = self.gradient[:, : self._n_in]
            np.vecdot(self.weights, by_weights, out=self._factors_gradient)
            np.multiply(by_weights, self._factors, out=by_weights)
        if self.below is not None:
            np.matmul(self._effective[:, : self._n_in], self._slope, out=self.below)
            if self.past is not None:
                n = self.past.shape[1]
                np.add(self.below[:, :n], self.past, out=self.below[:, :n])


@dataclass(frozen=True)
class Dropout:
    """Inverted dropout: a unit survives with probability 1 - p, scaled by 1 / (1 - p) (Srivastava et al. 2014)."""

    n_units: int

    def bind(self, mask: Array, buffer: Array) -> "BoundDropout":
        """Tied to the mask (K, units, rows), which holds 0 or the scale and is redrawn by the owner for each step."""
        return BoundDropout(self, mask, buffer)


class BoundDropout:
    """Dropout over arrays; see :class:`Bound`. It has its own output: the activation below is needed later."""

    def __init__(self, layer: Dropout, mask: Array, buffer: Array) -> None:
        self._mask = mask
        self._n_units = layer.n_units
        self.out = buffer
        self._units = buffer[:, : layer.n_units, :]
        self.delta = np.empty(mask.shape, dtype=buffer.dtype)
        self.below: Array | None = None
        self.x = buffer

    def forward(self) -> None:
        np.multiply(self.x[:, : self._n_units, :], self._mask, out=self._units)

    def backward(self) -> None:
        assert self.below is not None
        np.multiply(self.delta, self._mask, out=self.below)


@dataclass(frozen=True)
class Shortcut:
    """Adds a dense layer's input to what has become of its output: He et al. 2016, eq. 1 without the last activation.

    Where the widths differ the input is cut off or filled up with zeros (their option A): no parameters.
    """

    n_in: int
    n_units: int

    def bind(self, dense: BoundDense, buffer: Array, training: bool) -> "BoundShortcut":
        """Tied to the layer that it passes by and to its output buffer (K, units + 1, rows)."""
        return BoundShortcut(self, dense, buffer, training)


class BoundShortcut:
    """A shortcut over arrays; see :class:`Bound`. It has its own output: the activation below is needed later."""

    def __init__(self, layer: Shortcut, dense: BoundDense, buffer: Array, training: bool) -> None:
        self._dense = dense
        self._n_shared, self._n_units = min(layer.n_in, layer.n_units), layer.n_units
        self.x = self.out = buffer
        self.below: Array | None = None
        if training:
            self.delta = np.empty_like(buffer[:, : layer.n_units, :], order="C")
            dense.past = self.delta[:, : self._n_shared]

    def forward(self) -> None:
        n = self._n_shared
        np.add(self.x[:, :n], self._dense.x[..., :n, :], out=self.out[:, :n])
        np.copyto(self.out[:, n : self._n_units], self.x[:, n : self._n_units])

    def backward(self) -> None:
        assert self.below is not None
        np.copyto(self.below, self.delta)
