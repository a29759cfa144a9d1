"""Dropout: the layer, and the random masks of a stack's networks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..array import Array


@dataclass(frozen=True)
class Dropout:
    """Inverted dropout: a unit survives with probability 1 - p, scaled by 1 / (1 - p) (Srivastava et al. 2014)."""

    n_units: int

    def bind(self, mask: Array, buffer: Array) -> "BoundDropout":
        """Tied to the mask (K, units, rows), which holds 0 or the scale and is redrawn by the owner for each step."""
        return BoundDropout(self, mask, buffer)


class BoundDropout:
    """Dropout over arrays; see `BoundLayer`. It has its own output: the activation below is needed later."""

    def __init__(self, layer: Dropout, mask: Array, buffer: Array) -> None:
        self._mask = mask
        self._n_units = layer.n_units
        self.out = buffer
        self._units = buffer[:, : layer.n_units, :]
        self.delta = np.empty(mask.shape, dtype=buffer.dtype)
        self.input_grad: Array | None = None
        self.x = buffer

    def forward(self) -> None:
        np.multiply(self.x[:, : self._n_units, :], self._mask, out=self._units)

    def backward(self) -> None:
        assert self.input_grad is not None
        np.multiply(self.delta, self._mask, out=self.input_grad)


class DropoutMasks:
    """The masks of K networks for a run of up to `count` batches: sixteen random bits decide for each unit of each row.

    `by_layer` holds one mask (K, units, rows) for each hidden layer; all are views of one array, which `draw` fills in
    two passes. Bits of networks without dropout stay 0, which is below no threshold of theirs.
    """

    def __init__(self, hidden: Sequence[int], K: int, rows: int, count: int, dtype: str) -> None:
        n = sum(hidden) * rows
        self._bits = np.zeros((K, count, -(-n // 4)), dtype=np.uint64)
        self._bits_by_step = [self._bits[:, j].view(np.uint16)[:, :n] for j in range(count)]
        self._survives = np.empty((K, n), dtype=np.bool_)
        self._mask = np.ones((K, n), dtype=dtype)
        self.by_layer: list[Array] = []
        start = 0
        for size in hidden:
            end = start + size * rows
            self.by_layer.append(self._mask[:, start:end].reshape(K, size, rows))
            start = end

    def load(self, m: int, streams: Sequence[np.random.SFC64 | None]) -> None:
        """Take the bits for the next m batches from each network's stream; None where it has no dropout."""
        words = self._bits.shape[2]
        for k, stream in enumerate(streams):
            if stream is not None:
                self._bits[k, :m] = stream.random_raw(m * words).reshape(m, words)

    def draw(self, j: int, threshold: Array, scale: Array) -> None:
        """Fill the masks for the j-th batch loaded."""
        np.greater_equal(self._bits_by_step[j], threshold, out=self._survives)
        np.multiply(self._survives, scale, out=self._mask)


def dropout_threshold(rates: Sequence[float], dtype: str) -> tuple[Array, Array]:
    """What sixteen bits must reach for a unit to survive, and the survivors' scale, which fits it exactly: (K, 1)."""
    threshold = np.minimum(np.rint(np.array(rates)[:, None] * 65536), 65535)
    return threshold.astype(np.uint16), (65536.0 / (65536.0 - threshold)).astype(dtype)
