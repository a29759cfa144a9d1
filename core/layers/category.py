"""Learned embeddings of categories with many levels: a table with a row for each level, which is looked up and trained."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..array import Array
from .base import BoundLayer, EmbeddingLayer

# Numbers in a level's row, however many levels there are.
WIDTH = 8


@dataclass(frozen=True)
class CategoryEmbedding:
    """The last inputs are codes of categories, whole numbers from 0, of which each stands for its row of a table.

    A row is what a linear layer without a bias makes of the one-hot vector of the code (Guo & Berkhahn 2016). Rows start
    normal, of length 1 on average; those of the codes 0 start as zeros and, since code 0 is for levels that no training row
    has, stay so. Parameters: those of `layer`, then by column its table (8, levels).

    Attributes:
        layer: The embedding of the inputs before the codes; None where they stay as they are.
        n_before: How many inputs come before the codes.
        levels: The number of codes of each column.
    """

    layer: EmbeddingLayer | None
    n_before: int
    levels: tuple[int, ...]

    @property
    def n_below(self) -> int:
        """The width of what is made of the inputs before the codes."""
        return self.n_before if self.layer is None else self.layer.n_out

    @property
    def n_out(self) -> int:
        return self.n_below + WIDTH * len(self.levels)

    @property
    def n_inner(self) -> int:
        return WIDTH * len(self.levels) + (0 if self.layer is None else self.layer.n_inner)

    @property
    def n_of_layer(self) -> int:
        """How many of the first parameters are those of `layer`."""
        return 0 if self.layer is None else self.layer.n_parameters

    @property
    def n_parameters(self) -> int:
        return self.n_of_layer + WIDTH * sum(self.levels)

    @property
    def n_operations(self) -> int:
        """Multiply-adds of training on one row; to look a number up and to add to it costs about as much as ten."""
        return 10 * WIDTH * len(self.levels) + (0 if self.layer is None else self.layer.n_operations)

    def initial(self, sigma: float, generator: np.random.Generator) -> Array:
        """Parameters (n_parameters,)."""
        parts = [] if self.layer is None else [self.layer.initial(sigma, generator)]
        for n in self.levels:
            table = generator.normal(0.0, WIDTH**-0.5, (WIDTH, n))
            table[:, 0] = 0.0
            parts.append(table.ravel())
        return np.concatenate(parts)

    def tables(self, flat: Array) -> list[Array]:
        """Views of (K, n_parameters): the table (K, 8, levels) of each column."""
        ends = self.n_of_layer + WIDTH * np.cumsum(self.levels)
        return [
            flat[:, end - WIDTH * n : end].reshape(len(flat), WIDTH, n)
            for end, n in zip(ends.tolist(), self.levels, strict=True)
        ]

    def bind(self, theta: Array, gradient: Array | None, buffer: Array) -> "BoundCategoryEmbedding":
        """Tied to its columns of theta and gradient (K, n_parameters) and its output buffer (K, n_out + 1, rows)."""
        return BoundCategoryEmbedding(self, theta, gradient, buffer)


class BoundCategoryEmbedding:
    """The tables over arrays; see `BoundLayer`. It is the lowest layer: no layer is below it.

    Each network's rows are looked up and added to by themselves, so that its numbers do not depend on its neighbours.
    """

    def __init__(self, layer: CategoryEmbedding, theta: Array, gradient: Array | None, buffer: Array) -> None:
        K, _, rows = buffer.shape
        n, of_layer = layer.n_below, layer.n_of_layer
        self._n_codes = len(layer.levels)
        self.x = self.out = buffer
        self.input_grad: Array | None = None
        self._tables = layer.tables(theta)
        self._below = buffer[:, :n]
        blocks = [slice(n + WIDTH * c, n + WIDTH * (c + 1)) for c in range(self._n_codes)]
        self._rows = [buffer[:, block] for block in blocks]
        self._layer: BoundLayer | None = None
        if layer.layer is not None:
            self._inner = np.empty((K, n + 1, rows), dtype=buffer.dtype)
            self._inner[:, -1] = 1.0
            columns = None if gradient is None else gradient[:, :of_layer]
            self._layer = layer.layer.bind(theta[:, :of_layer], columns, self._inner)
        if gradient is not None:
            self._gradients = layer.tables(gradient)
            self.delta = np.empty((K, layer.n_out, rows), dtype=buffer.dtype)
            self._slopes = [self.delta[:, block] for block in blocks]

    def forward(self) -> None:
        n = self._below.shape[1]
        if self._layer is None:
            np.copyto(self._below, self.x[..., :n, :])
        else:
            self._layer.x = self.x
            self._layer.forward()
            np.copyto(self._below, self._inner[:, :n])
        # The last row of x is the ones. (columns, rows), shared by all networks, or (K, columns, rows).
        self._codes = self.x[..., -1 - self._n_codes : -1, :].astype(np.intp)
        for c, (table, found) in enumerate(zip(self._tables, self._rows, strict=True)):
            for k, codes in enumerate(self._by_network(c)):
                found[k] = np.take(table[k], codes, axis=1)

    def backward(self) -> None:
        if self._layer is not None:
            np.copyto(self._layer.delta, self.delta[:, : self._below.shape[1]])
            self._layer.backward()
        for c, (gradient, slope) in enumerate(zip(self._gradients, self._slopes, strict=True)):
            gradient.fill(0.0)
            for k, codes in enumerate(self._by_network(c)):
                if k == 0 or self._codes.ndim == 3:
                    order = np.argsort(codes, kind="stable")
                    ordered = codes[order]
                    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
                # The rows of a code one after the other, and their sum.
                gradient[k][:, ordered[starts]] = np.add.reduceat(np.take(slope[k], order, axis=1), starts, axis=1)

    def _by_network(self, column: int) -> Sequence[Array]:
        """The codes (rows,) of a column for each network."""
        codes = self._codes[..., column, :]
        return [codes] * len(self._below) if codes.ndim == 1 else list(codes)
