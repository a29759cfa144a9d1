"""What every layer is once it is tied to arrays."""

from typing import Protocol

import numpy as np

from ..array import Array


class BoundLayer(Protocol):
    """A layer tied to arrays.

    `forward` reads `x` and fills `out`. `backward` reads `delta`, the loss's derivative by `out`'s units, and writes
    its parameters' gradient, and the derivative by `x`'s units into `input_grad` unless that is None.
    """

    x: Array
    out: Array
    delta: Array
    input_grad: Array | None

    def forward(self) -> None: ...

    def backward(self) -> None: ...


class EmbeddingLayer(Protocol):
    """A learned layer below the dense ones, by which each input becomes several features.

    `n_out`: the width of its output. `n_inner`: how many numbers of a row it works on in between, for caches.
    `n_operations`: multiply-adds of training on one row.
    """

    @property
    def n_out(self) -> int: ...

    @property
    def n_inner(self) -> int: ...

    @property
    def n_parameters(self) -> int: ...

    @property
    def n_operations(self) -> int: ...

    def initial(self, sigma: float, generator: np.random.Generator) -> Array:
        """Parameters (n_parameters,); frequencies start normal with deviation `sigma`."""
        ...

    def bind(self, theta: Array, gradient: Array | None, buffer: Array) -> BoundLayer:
        """Tied to its columns of theta and gradient (K, n_parameters) and its output buffer (K, n_out + 1, rows)."""
        ...
