"""Numeric embeddings: each input becomes several features, so that a network can bend sharply in it."""

from dataclasses import dataclass

import numpy as np

from ..activations import ACTIVATIONS
from ..array import Array


@dataclass(frozen=True)
class PBLD:
    """PBLD of Holzmüller et al. 2024 (periodic, bias, linear, densenet), after Gorishniy et al. 2022.

    Each input x becomes (v cos(2 pi w x + b) + c, x): their 16 frequencies w with phases b, and a linear map v of its
    own to 3 numbers. Parameters by input: w and b (16,), then v with c as its last row (17, 3).
    """

    n_features: int
    n_frequencies: int = 16
    n_linear: int = 3

    @property
    def n_out(self) -> int:
        return self.n_features * (self.n_linear + 1)

    @property
    def n_inner(self) -> int:
        return self.n_features * self.n_frequencies

    @property
    def n_parameters(self) -> int:
        return self.n_features * (2 * self.n_frequencies + (self.n_frequencies + 1) * self.n_linear)

    @property
    def n_operations(self) -> int:
        """Multiply-adds of training on one row; a sine or cosine costs about as much as ten."""
        return self.n_features * self.n_frequencies * (20 + 4 * self.n_linear)

    def initial(self, sigma: float, generator: np.random.Generator) -> Array:
        """Parameters (n_parameters,): w normal with deviation `sigma`, b uniform in +-pi, the map as torch's."""
        d, bound = self.n_features, self.n_frequencies**-0.5
        return np.concatenate(
            [
                generator.normal(0.0, sigma, d * self.n_frequencies),
                generator.uniform(-np.pi, np.pi, d * self.n_frequencies),
                generator.uniform(-bound, bound, d * (self.n_frequencies + 1) * self.n_linear),
            ]
        )

    def blocks(self, flat: Array) -> tuple[Array, Array, Array]:
        """Views of (K, n_parameters): w and b (K, d, 16, 1), v with c (K, d, 17, 3)."""
        K, d, m, o = len(flat), self.n_features, self.n_frequencies, self.n_linear
        w, b, v = flat[:, : d * m], flat[:, d * m : 2 * d * m], flat[:, 2 * d * m :]
        return w.reshape(K, d, m, 1), b.reshape(K, d, m, 1), v.reshape(K, d, m + 1, o)

    def bind(self, theta: Array, gradient: Array | None, buffer: Array) -> "BoundPBLD":
        """Tied to its columns of theta and gradient (K, n_parameters) and its output buffer (K, n_out + 1, rows)."""
        return BoundPBLD(self, theta, gradient, buffer)


class BoundPBLD:
    """The embedding over arrays; see `BoundLayer`. It is the lowest layer: no layer is below it."""

    def __init__(self, layer: PBLD, theta: Array, gradient: Array | None, buffer: Array) -> None:
        K, _, rows = buffer.shape
        d, m, o = layer.n_features, layer.n_frequencies, layer.n_linear
        self._layer = layer
        self._w, self._b, v = layer.blocks(theta)
        self._v_transposed, self._v = v.transpose(0, 1, 3, 2), v[:, :, :m]
        self.x = self.out = buffer
        self.input_grad: Array | None = None
        by_input = buffer[:, : layer.n_out].reshape(K, d, o + 1, rows)
        self._linear, self._plain = by_input[:, :, :o], by_input[:, :, o:]
        self._frequency = np.empty((K, d, m, 1), dtype=buffer.dtype)
        self._angle = np.empty((K, d, m, rows), dtype=buffer.dtype)
        self._wave = np.empty((K, d, m + 1, rows), dtype=buffer.dtype)
        self._wave[:, :, m] = 1.0
        if gradient is not None:
            self._gradients = layer.blocks(gradient)
            self.delta = np.empty((K, layer.n_out, rows), dtype=buffer.dtype)
            self._slope = self.delta.reshape(K, d, o + 1, rows)[:, :, :o]
            self._work = np.empty_like(self._angle)
            self._ones = np.ones((rows, 1), dtype=buffer.dtype)

    def forward(self) -> None:
        d, m = self._layer.n_features, self._layer.n_frequencies
        # (d, 1, rows), shared by all networks, or (K, d, 1, rows).
        self._input = np.ascontiguousarray(self.x[..., :d, :])[..., None, :]
        np.multiply(self._w, 2.0 * np.pi, out=self._frequency)
        np.multiply(self._frequency, self._input, out=self._angle)
        np.add(self._angle, self._b, out=self._angle)
        np.cos(self._angle, out=self._wave[:, :, :m])
        np.matmul(self._v_transposed, self._wave, out=self._linear)
        np.copyto(self._plain, self._input)

    def backward(self) -> None:
        w, b, v = self._gradients
        np.matmul(self._wave, self._slope.swapaxes(-1, -2), out=v)
        np.matmul(self._v, self._slope, out=self._work)
        np.sin(self._angle, out=self._angle)
        np.multiply(self._work, self._angle, out=self._work)
        np.negative(self._work, out=self._work)
        np.matmul(self._work, self._ones, out=b)
        np.matmul(self._work, self._input.swapaxes(-1, -2), out=w)
        np.multiply(w, 2.0 * np.pi, out=w)


@dataclass(frozen=True)
class PLR:
    """PLR of Gorishniy et al. 2022, sect. 3.3-3.4: periodic, linear, ReLU.

    Each input x becomes relu(v [cos(2 pi w x), sin(2 pi w x)] + c): their k = 16 frequencies w (their c) and a linear
    map v of its own to d = 8 numbers. Parameters by input: w (16,), then v with c as its last row (33, 8).
    """

    n_features: int
    n_frequencies: int = 16
    n_linear: int = 8

    @property
    def n_out(self) -> int:
        return self.n_features * self.n_linear

    @property
    def n_inner(self) -> int:
        return self.n_features * self.n_frequencies

    @property
    def n_parameters(self) -> int:
        return self.n_features * (self.n_frequencies + (2 * self.n_frequencies + 1) * self.n_linear)

    @property
    def n_operations(self) -> int:
        """As of `PBLD`."""
        return self.n_features * self.n_frequencies * (20 + 8 * self.n_linear)

    def initial(self, sigma: float, generator: np.random.Generator) -> Array:
        """Parameters (n_parameters,): w normal with deviation `sigma`, the map as torch's."""
        d, bound = self.n_features, (2 * self.n_frequencies) ** -0.5
        return np.concatenate(
            [
                generator.normal(0.0, sigma, d * self.n_frequencies),
                generator.uniform(-bound, bound, d * (2 * self.n_frequencies + 1) * self.n_linear),
            ]
        )

    def blocks(self, flat: Array) -> tuple[Array, Array]:
        """Views of (K, n_parameters): w (K, d, 16, 1), v with c (K, d, 33, 8)."""
        K, d, m, o = len(flat), self.n_features, self.n_frequencies, self.n_linear
        w, v = flat[:, : d * m], flat[:, d * m :]
        return w.reshape(K, d, m, 1), v.reshape(K, d, 2 * m + 1, o)

    def bind(self, theta: Array, gradient: Array | None, buffer: Array) -> "BoundPLR":
        """Tied to its columns of theta and gradient (K, n_parameters) and its output buffer (K, n_out + 1, rows)."""
        return BoundPLR(self, theta, gradient, buffer)


class BoundPLR:
    """The embedding over arrays; see `BoundLayer`. It is the lowest layer: no layer is below it."""

    def __init__(self, layer: PLR, theta: Array, gradient: Array | None, buffer: Array) -> None:
        K, _, rows = buffer.shape
        d, m, o = layer.n_features, layer.n_frequencies, layer.n_linear
        self._layer = layer
        self._w, v = layer.blocks(theta)
        self._v_transposed, self._v = v.transpose(0, 1, 3, 2), v[:, :, : 2 * m]
        self.x = self.out = buffer
        self.input_grad: Array | None = None
        self._linear = buffer[:, : layer.n_out].reshape(K, d, o, rows)
        relu, kind = ACTIVATIONS["relu"], np.dtype(f"i{buffer.itemsize}")
        self._relu, self._relu_backward = relu.forward, relu.backward
        self._a, self._cache = buffer.view(kind).reshape(-1), np.empty(buffer.size, dtype=kind)
        self._frequency = np.empty((K, d, m, 1), dtype=buffer.dtype)
        self._angle = np.empty((K, d, m, rows), dtype=buffer.dtype)
        self._wave = np.empty((K, d, 2 * m + 1, rows), dtype=buffer.dtype)
        self._cos, self._sin = self._wave[:, :, :m], self._wave[:, :, m : 2 * m]
        self._wave[:, :, 2 * m] = 1.0
        if gradient is not None:
            self._gradients = layer.blocks(gradient)
            deltas = np.zeros(buffer.shape, dtype=buffer.dtype)
            self.delta, self._d = deltas[:, : layer.n_out], deltas.view(kind).reshape(-1)
            self._slope = self.delta.reshape(K, d, o, rows)
            self._work = np.empty((K, d, 2 * m, rows), dtype=buffer.dtype)

    def forward(self) -> None:
        d = self._layer.n_features
        # (d, 1, rows), shared by all networks, or (K, d, 1, rows).
        self._input = np.ascontiguousarray(self.x[..., :d, :])[..., None, :]
        np.multiply(self._w, 2.0 * np.pi, out=self._frequency)
        np.multiply(self._frequency, self._input, out=self._angle)
        np.cos(self._angle, out=self._cos)
        np.sin(self._angle, out=self._sin)
        np.matmul(self._v_transposed, self._wave, out=self._linear)
        self._relu(self._a, self._cache)

    def backward(self) -> None:
        w, v = self._gradients
        m = self._layer.n_frequencies
        self._relu_backward(self._a, self._d, self._cache)
        np.matmul(self._wave, self._slope.swapaxes(-1, -2), out=v)
        np.matmul(self._v, self._slope, out=self._work)
        by_cos, by_sin = self._work[:, :, :m], self._work[:, :, m:]
        np.multiply(by_cos, self._sin, out=by_cos)
        np.multiply(by_sin, self._cos, out=self._angle)
        np.subtract(self._angle, by_cos, out=self._angle)
        np.matmul(self._angle, self._input.swapaxes(-1, -2), out=w)
        np.multiply(w, 2.0 * np.pi, out=w)
