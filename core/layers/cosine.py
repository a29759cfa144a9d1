"""The cosine embedding: each input with cosines of it, which are silent until training gives them a weight."""

from dataclasses import dataclass

import numpy as np

from ..array import Array


@dataclass(frozen=True)
class Cosine:
    """The cosine features of TabPack (2026, arXiv 2607.05380).

    Each input x becomes (s_j cos(2 pi (w_j x + b_j)) + t_j for j = 1 ... 16, x). All of frequencies w, phases b, scales s
    and shifts t are learned; s and t start at 0, so that a network begins with x alone. Parameters: w, then b, s and t,
    each (16,) by input.
    """

    n_features: int
    n_frequencies: int = 16

    @property
    def n_out(self) -> int:
        return self.n_features * (self.n_frequencies + 1)

    @property
    def n_inner(self) -> int:
        return self.n_features * self.n_frequencies

    @property
    def n_parameters(self) -> int:
        return 4 * self.n_inner

    @property
    def n_operations(self) -> int:
        """As of `PBLD`."""
        return 28 * self.n_inner

    def initial(self, sigma: float, generator: np.random.Generator) -> Array:
        """Parameters (n_parameters,): w normal with deviation `sigma`, b uniform in [0, 1), the rest 0."""
        n = self.n_inner
        return np.concatenate([generator.normal(0.0, sigma, n), generator.uniform(0.0, 1.0, n), np.zeros(2 * n)])

    def blocks(self, flat: Array) -> tuple[Array, ...]:
        """Views of (K, n_parameters): w, b, scale and shift, each (K, d, 16, 1)."""
        return tuple(flat.reshape(len(flat), 4, self.n_features, self.n_frequencies, 1).swapaxes(0, 1))

    def bind(self, theta: Array, gradient: Array | None, buffer: Array) -> "BoundCosine":
        """Tied to its columns of theta and gradient (K, n_parameters) and its output buffer (K, n_out + 1, rows)."""
        return BoundCosine(self, theta, gradient, buffer)


class BoundCosine:
    """The embedding over arrays; see `BoundLayer`. It is the lowest layer: no layer is below it."""

    def __init__(self, layer: Cosine, theta: Array, gradient: Array | None, buffer: Array) -> None:
        K, _, rows = buffer.shape
        d, m = layer.n_features, layer.n_frequencies
        self._n_features = d
        self._w, self._b, self._scale, self._shift = layer.blocks(theta)
        self.x = self.out = buffer
        self.input_grad: Array | None = None
        by_input = buffer[:, : layer.n_out].reshape(K, d, m + 1, rows)
        self._cosines, self._plain = by_input[:, :, :m], by_input[:, :, m:]
        self._by_turn = np.empty((K, d, m, 1), dtype=buffer.dtype)
        self._angle = np.empty((K, d, m, rows), dtype=buffer.dtype)
        self._wave = np.empty_like(self._angle)
        if gradient is not None:
            self._gradients = layer.blocks(gradient)
            self.delta = np.empty((K, layer.n_out, rows), dtype=buffer.dtype)
            self._slope = self.delta.reshape(K, d, m + 1, rows)[:, :, :m]
            self._ones = np.ones((rows, 1), dtype=buffer.dtype)

    def forward(self) -> None:
        # (d, 1, rows), shared by all networks, or (K, d, 1, rows).
        self._input = np.ascontiguousarray(self.x[..., : self._n_features, :])[..., None, :]
        np.multiply(self._w, 2.0 * np.pi, out=self._by_turn)
        np.multiply(self._by_turn, self._input, out=self._angle)
        np.multiply(self._b, 2.0 * np.pi, out=self._by_turn)
        np.add(self._angle, self._by_turn, out=self._angle)
        np.cos(self._angle, out=self._wave)
        np.multiply(self._wave, self._scale, out=self._cosines)
        np.add(self._cosines, self._shift, out=self._cosines)
        np.copyto(self._plain, self._input)

    def backward(self) -> None:
        w, b, scale, shift = self._gradients
        np.matmul(self._slope, self._ones, out=shift)
        np.multiply(self._wave, self._slope, out=self._wave)
        np.matmul(self._wave, self._ones, out=scale)
        np.sin(self._angle, out=self._angle)
        np.multiply(self._angle, self._slope, out=self._angle)
        np.matmul(self._angle, self._ones, out=b)
        np.matmul(self._angle, self._input.swapaxes(-1, -2), out=w)
        # The slope of the cosine by w x + b, which counts turns.
        np.multiply(self._scale, -2.0 * np.pi, out=self._by_turn)
        np.multiply(b, self._by_turn, out=b)
        np.multiply(w, self._by_turn, out=w)
