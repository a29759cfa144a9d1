"""The dense layer.

Activations are feature-major, (K, units, rows), and carry a last row of ones: a layer's bias is the last row of its
weights (K, in + 1, out), so that forward, weight gradient and bias gradient are one matrix product each. A unit's row
block is contiguous for each network, whatever K is; so every pass sees the same layout alone and stacked.
"""

from dataclasses import dataclass

import numpy as np

from ..activations import ACTIVATIONS
from ..array import Array
from .normalization import BatchNorm, LayerNorm, Normalization


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: a = activation(x W + b), with W (in, out) and b (out,) as the rows of one block.

    With `norm` "batch" or "layer" it is activation(gain normalised(x W) + b), and the gains (out,) follow the block.
    If `scaled`, each input has a learned factor (in,), which comes last.
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
    def n_buffers(self) -> int:
        """Numbers kept beside the parameters: the running mean and variance of each unit's sums."""
        return 2 * self.n_out if self.norm == "batch" else 0

    def bind(self, theta: Array, gradient: Array | None, buffers: Array, buffer: Array, training: bool) -> "BoundDense":
        """Tied to its columns of theta and gradient (K, n_parameters) and of buffers (K, n_buffers), and to its output.

        `buffer` (K, out [+ 1], rows) takes the output, with a row of ones if another dense layer reads it.
        """
        return BoundDense(self, theta, gradient, buffers, buffer, training)


class BoundDense:
    """A dense layer over arrays; see `BoundLayer`."""

    def __init__(
        self, layer: Dense, theta: Array, gradient: Array | None, buffers: Array, buffer: Array, training: bool
    ) -> None:
        K = len(buffer)
        # This layer's columns of theta: weights and biases, gains, factors.
        self._n_in, gains_end = layer.n_in, layer.n_block + layer.n_gains
        W = theta[:, : layer.n_block].reshape(K, layer.n_in + 1, layer.n_out)
        self.weights, self.bias = W[:, : layer.n_in, :], W[:, layer.n_in :, :]
        # Factors on the inputs are factors on the weights' rows, which costs no pass over the batch.
        self._factors = theta[:, gains_end:, None] if layer.scaled else None
        self._effective = np.empty(W.shape, dtype=theta.dtype) if layer.scaled else W
        self._W_transposed = self._effective.transpose(0, 2, 1)
        self.x = self.out = buffer
        self.input_grad: Array | None = None
        # The derivative by the first of x's units that a shortcut past this layer brings.
        self.shortcut_grad: Array | None = None
        self._buffer, self.z = buffer, buffer[:, : layer.n_out, :]
        if training:
            assert gradient is not None
            self.gradient = gradient[:, : layer.n_block].reshape(W.shape)
            self._factors_gradient = gradient[:, gains_end:]
            # As long as the buffer, so that passes over both are one piece; what lies below the row of ones stays 0.
            self._deltas = np.zeros(buffer.shape, dtype=buffer.dtype)
            self.delta = self._deltas[:, : layer.n_out, :]
        # Activations run over the buffers as flat arrays, the row of ones included; what loses it gets it back.
        activation = ACTIVATIONS[layer.activation]
        self._activation = None if activation.name == "identity" or activation.n_linear_pieces > 1 else activation
        if self._activation is not None:
            kind = np.dtype(f"i{buffer.itemsize}") if self._activation.integer_view else buffer.dtype
            arrays = () if self._activation.n_cache_arrays == 1 else (self._activation.n_cache_arrays,)
            self._cache = np.empty((*arrays, buffer.size), dtype=kind)
            self._a = buffer.view(kind).reshape(-1)
            self._d = self._deltas.view(kind).reshape(-1) if training else None
            self._bias_row = None if self._activation.preserves_bias_row else buffer[:, layer.n_out :, :]
        # A normalisation takes the bias as its shift, and owns the arrays of sums and their derivatives.
        self._norm: Normalization | None = None
        if layer.norm != "none":
            gain, shift = theta[:, layer.n_block : gains_end, None], W[:, -1, :, None]
            gradients = None
            if gradient is not None:
                gradients = gradient[:, layer.n_block : gains_end, None], self.gradient[:, -1, :, None]
            if layer.norm == "layer":
                self._norm = LayerNorm(gain, shift, gradients, buffer)
            else:
                self._norm = BatchNorm(gain, shift, gradients, buffer, buffers[:, :, None])
        if training:
            self._slope = self.delta if self._norm is None else self._norm.slope  # the loss's derivative by x W + b
            self._slope_transposed = self._slope.transpose(0, 2, 1)

    @property
    def slope(self) -> Array:
        """After a backward pass the derivative of the loss by x W + b (K, out, rows)."""
        return self._slope

    @property
    def is_normalised(self) -> bool:
        return self._norm is not None

    def forward(self) -> None:
        if self._factors is not None:
            np.multiply(self.weights, self._factors, out=self._effective[:, : self._n_in])
            np.copyto(self._effective[:, self._n_in :], self.bias)
        if self._norm is None:
            # The input's row of ones meets the bias: sums and shift in one product.
            np.matmul(self._W_transposed, self.x, out=self.z)
        else:
            self._inputs, W_transposed = self.x[..., : self._n_in, :], self._W_transposed[:, :, : self._n_in]
            if self.input_grad is None and isinstance(self._norm, BatchNorm) and self._norm.uses_batch_stats:
                self._inputs = self._norm.centre(self._inputs, W_transposed)
            np.matmul(W_transposed, self._inputs, out=self._norm.sums)
            self._norm.forward(self._buffer)
        if self._activation is not None:
            self._activation.forward(self._a, self._cache)
            if self._bias_row is not None:
                self._bias_row.fill(1.0)

    def flush_running_statistics(self) -> None:
        """Bring the running statistics up to date after a run of batches."""
        if isinstance(self._norm, BatchNorm):
            self._norm.flush_running_statistics()

    def backward(self) -> None:
        if self._activation is not None:
            assert self._d is not None
            self._activation.backward(self._a, self._d, self._cache)
        if self._norm is None:
            np.matmul(self.x, self._slope_transposed, out=self.gradient)
        else:
            self._norm.backward(self._deltas)
            np.matmul(self._inputs, self._slope_transposed, out=self.gradient[:, : self._n_in])
        if self._factors is not None:
            # The chain rule through weights * factors.
            by_weights = self.gradient[:, : self._n_in]
            np.vecdot(self.weights, by_weights, out=self._factors_gradient)
            np.multiply(by_weights, self._factors, out=by_weights)
        if self.input_grad is not None:
            np.matmul(self._effective[:, : self._n_in], self._slope, out=self.input_grad)
            if self.shortcut_grad is not None:
                n = self.shortcut_grad.shape[1]
                np.add(self.input_grad[:, :n], self.shortcut_grad, out=self.input_grad[:, :n])
