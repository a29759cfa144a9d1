"""Inputs that stay as they are beside embedded ones: zeros and ones gain nothing from an embedding."""

from dataclasses import dataclass

import numpy as np

from ..array import Array
from .base import BoundLayer, EmbeddingLayer


@dataclass(frozen=True)
class PartialEmbedding:
    """An embedding of the first inputs; the next `n_plain` follow its output unchanged, the last `n_others` are left out."""

    layer: EmbeddingLayer
    n_plain: int
    n_others: int = 0

    @property
    def n_out(self) -> int:
        return self.layer.n_out + self.n_plain

    @property
    def n_inner(self) -> int:
        return self.layer.n_inner

    @property
    def n_parameters(self) -> int:
        return self.layer.n_parameters

    @property
    def n_operations(self) -> int:
        return self.layer.n_operations

    def initial(self, sigma: float, generator: np.random.Generator) -> Array:
        """The embedding's own parameters (n_parameters,)."""
        return self.layer.initial(sigma, generator)

    def bind(self, theta: Array, gradient: Array | None, buffer: Array) -> "BoundPartialEmbedding":
        """Tied to its columns of theta and gradient (K, n_parameters) and its output buffer (K, n_out + 1, rows)."""
        return BoundPartialEmbedding(self, theta, gradient, buffer)


class BoundPartialEmbedding:
    """The embedding with a buffer of its own, and its output and the plain inputs copied together; see `BoundLayer`."""

    def __init__(self, layer: PartialEmbedding, theta: Array, gradient: Array | None, buffer: Array) -> None:
        K, _, rows = buffer.shape
        n = layer.layer.n_out
        inner = np.empty((K, n + 1, rows), dtype=buffer.dtype)
        inner[:, -1] = 1.0
        self._inner: BoundLayer = layer.layer.bind(theta, gradient, inner)
        self._place = slice(-1 - layer.n_others - layer.n_plain, -1 - layer.n_others)
        self._embedded, self._plain = buffer[:, :n], buffer[:, n:-1]
        self._source = inner[:, :n]
        self.x = self.out = buffer
        self.input_grad: Array | None = None
        if gradient is not None:
            self.delta = np.empty((K, layer.n_out, rows), dtype=buffer.dtype)
            self._slope = self.delta[:, :n]

    def forward(self) -> None:
        self._inner.x = self.x
        self._inner.forward()
        np.copyto(self._embedded, self._source)
        # The last row of x is the ones.
        np.copyto(self._plain, self.x[..., self._place, :])

    def backward(self) -> None:
        np.copyto(self._inner.delta, self._slope)
        self._inner.backward()
