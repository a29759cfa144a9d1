"""Maxout: a unit that is the larger of two weighted sums, and so learns its own activation (Goodfellow et al. 2013)."""

from dataclasses import dataclass

import numpy as np

from ..array import Array


@dataclass(frozen=True)
class Maxout:
    """a = max(w1 x + b1, w2 x + b2) over the sums of a dense layer of twice the width: first all w1, then all w2."""

    n_units: int

    def bind(self, buffer: Array, training: bool) -> "BoundMaxout":
        """Tied to its output buffer (K, units [+ 1], rows)."""
        return BoundMaxout(self, buffer, training)


class BoundMaxout:
    """Maxout over arrays; see `BoundLayer`. `x` and `input_grad` are (K, 2 units, rows)."""

    def __init__(self, layer: Maxout, buffer: Array, training: bool) -> None:
        self._n_units = layer.n_units
        self.x = self.out = buffer
        self._units = buffer[:, : layer.n_units, :]
        self.input_grad: Array | None = None
        if training:
            self.delta = np.empty(self._units.shape, dtype=buffer.dtype)
            self._is_first = np.empty(self._units.shape, dtype=np.bool_)

    def forward(self) -> None:
        np.maximum(self.x[:, : self._n_units], self.x[:, self._n_units :], out=self._units)

    def backward(self) -> None:
        """The slope goes to the larger sum; of equals, to the first."""
        assert self.input_grad is not None
        first, second = self.input_grad[:, : self._n_units], self.input_grad[:, self._n_units :]
        np.greater_equal(self.x[:, : self._n_units], self.x[:, self._n_units :], out=self._is_first)
        np.multiply(self.delta, self._is_first, out=first)
        np.subtract(self.delta, first, out=second)
