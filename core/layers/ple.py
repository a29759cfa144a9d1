"""The embedding of bins: a small linear layer of its own for each input, over its piecewise-linear encoding."""

from dataclasses import dataclass

import numpy as np

from ..activations import ACTIVATIONS
from ..array import Array


@dataclass(frozen=True)
class PLE:
    """Q-LR of Gorishniy et al. 2022, sect. 3.2 and 3.4: piecewise-linear encoding, linear, ReLU.

    Each input's encoding e, its share of each of T bins (`binning`), becomes relu(v e + c): a linear map v of its own to
    d = 8 numbers. Parameters by input: v with c as its last row (T + 1, 8).
    """

    n_features: int
    n_bins: int
    n_linear: int = 8

    @property
    def n_out(self) -> int:
        return self.n_features * self.n_linear

    @property
    def n_inner(self) -> int:
        return self.n_features * self.n_bins

    @property
    def n_parameters(self) -> int:
        return self.n_features * (self.n_bins + 1) * self.n_linear

    @property
    def n_operations(self) -> int:
        """As of `PBLD`."""
        return 2 * self.n_parameters

    def initial(self, sigma: float, generator: np.random.Generator) -> Array:
        """Parameters (n_parameters,): the map as torch's; there are no frequencies."""
        bound = self.n_bins**-0.5
        return generator.uniform(-bound, bound, self.n_parameters)

    def blocks(self, flat: Array) -> Array:
        """A view of (K, n_parameters): v with c (K, d, T + 1, 8)."""
        return flat.reshape(len(flat), self.n_features, self.n_bins + 1, self.n_linear)

    def bind(self, theta: Array, gradient: Array | None, buffer: Array) -> "BoundPLE":
        """Tied to its columns of theta and gradient (K, n_parameters) and its output buffer (K, n_out + 1, rows)."""
        return BoundPLE(self, theta, gradient, buffer)


class BoundPLE:
    """The embedding over arrays; see `BoundLayer`. It is the lowest layer: no layer is below it."""

    def __init__(self, layer: PLE, theta: Array, gradient: Array | None, buffer: Array) -> None:
        K, _, rows = buffer.shape
        self._layer = layer
        self._v_transposed = layer.blocks(theta).swapaxes(-1, -2)
        self.x = self.out = buffer
        self.input_grad: Array | None = None
        self._linear = buffer[:, : layer.n_out].reshape(K, layer.n_features, layer.n_linear, rows)
        relu, kind = ACTIVATIONS["relu"], np.dtype(f"i{buffer.itemsize}")
        self._relu, self._relu_backward = relu.forward, relu.backward
        self._a, self._cache = buffer.view(kind).reshape(-1), np.empty(buffer.size, dtype=kind)
        # The encoding of each input with a row of ones: (d, T + 1, rows), shared by all networks, or (K, d, T + 1, rows).
        self._encoded: Array | None = None
        if gradient is not None:
            self._gradient = layer.blocks(gradient)
            deltas = np.zeros(buffer.shape, dtype=buffer.dtype)
            self.delta, self._d = deltas[:, : layer.n_out], deltas.view(kind).reshape(-1)
            self._slope_transposed = self.delta.reshape(self._linear.shape).swapaxes(-1, -2)

    def forward(self) -> None:
        d, n = self._layer.n_features, self._layer.n_bins
        *networks, _, rows = self.x.shape
        if self._encoded is None:
            self._encoded = np.ones((*networks, d, n + 1, rows), dtype=self.out.dtype)
        np.copyto(self._encoded[..., :n, :], self.x[..., : d * n, :].reshape(*networks, d, n, rows))
        np.matmul(self._v_transposed, self._encoded, out=self._linear)
        self._relu(self._a, self._cache)

    def backward(self) -> None:
        assert self._encoded is not None
        self._relu_backward(self._a, self._d, self._cache)
        np.matmul(self._encoded, self._slope_transposed, out=self._gradient)
