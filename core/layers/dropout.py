"""Dropout."""

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
    """Dropout over arrays; see `Bound`. It has its own output: the activation below is needed later."""

    def __init__(self, layer: Dropout, mask: Array, buffer: Array) -> None:
        self._mask = mask
        self._n_units = layer.n_units
        self.out = buffer
        self._units = buffer[:, : layer.n_units, :]
        self.delta = np.empty(mask.shape, dtype=buffer.dtype)
        self.below: Array | None = None
        self.x = buffer

    def forward(self) -> None:
        np.multiply(self.x[:, : self._n_units, :], self._mask, out=self._units)

    def backward(self) -> None:
        assert self.below is not None
        np.multiply(self.delta, self._mask, out=self.below)
