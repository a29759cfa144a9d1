"""Shortcuts past a layer."""

from dataclasses import dataclass

import numpy as np

from ..array import Array
from .dense import BoundDense


@dataclass(frozen=True)
class Shortcut:
    """Adds a dense layer's input to what has become of its output: He et al. 2016, eq. 1 without the last activation.

    Where the widths differ the input is cut off or padded with zeros (their option A): no parameters.
    """

    n_in: int
    n_units: int

    def bind(self, dense: BoundDense, buffer: Array, training: bool) -> "BoundShortcut":
        """Tied to the layer that it passes by and to its output buffer (K, units + 1, rows)."""
        return BoundShortcut(self, dense, buffer, training)


class BoundShortcut:
    """A shortcut over arrays; see `BoundLayer`. It has its own output: the activation below is needed later."""

    def __init__(self, layer: Shortcut, dense: BoundDense, buffer: Array, training: bool) -> None:
        self._dense = dense
        self._n_shared, self._n_units = min(layer.n_in, layer.n_units), layer.n_units
        self.x = self.out = buffer
        self.input_grad: Array | None = None
        if training:
            self.delta = np.empty_like(buffer[:, : layer.n_units, :], order="C")
            dense.shortcut_grad = self.delta[:, : self._n_shared]

    def forward(self) -> None:
        n = self._n_shared
        np.add(self.x[:, :n], self._dense.x[..., :n, :], out=self.out[:, :n])
        np.copyto(self.out[:, n : self._n_units], self.x[:, n : self._n_units])

    def backward(self) -> None:
        assert self.input_grad is not None
        np.copyto(self.input_grad, self.delta)
