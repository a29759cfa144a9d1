"""Normalisation between a layer's sums and its activation: over the rows of a batch, or over the units of a row.

Both end in gain * normalised + shift; the shift is the layer's bias, which would be lost before the normalisation.
Arrays are (K, units, rows). Sums over rows and units are matrix products: their order is the same alone and stacked.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

EPSILON = 1e-5  # added to the variance, as in torch
MOMENTUM = 0.1  # share of a batch's statistics in the new running ones, as in torch


class Normalization(Protocol):
    """``forward`` turns what the owner wrote into ``sums`` (K, u, rows) into the normalised sums ``z`` (K, u, rows).

    ``backward`` turns the loss's derivative by z, in place, into that by the sums, and fills the parameters' gradients.
    """

    sums: Array

    def forward(self, z: Array) -> None: ...

    def backward(self, delta: Array) -> None: ...


class _Bound:
    """What both kinds hold: ``gain`` and ``shift`` (K, u, 1), their gradients or None, and buffers (K, u, rows)."""

    def __init__(self, gain: Array, shift: Array, gradients: tuple[Array, Array] | None, rows: int) -> None:
        K, u, _ = gain.shape
        self.gain, self.shift, self.gradients = gain, shift, gradients
        self.rows = rows
        self.sums, self.work = (np.empty((K, u, rows), dtype=gain.dtype) for _ in range(2))
        self.share = np.full((rows, 1), 1.0 / rows, dtype=gain.dtype)
        self.average, self.product = (np.empty_like(gain, order="C") for _ in range(2))

    def _average(self, delta: Array) -> None:
        """``average``: means of delta over the rows. ``product``: of delta times what the forward pass left in sums."""
        np.matmul(delta, self.share, out=self.average)
        np.multiply(delta, self.sums, out=self.work)
        np.matmul(self.work, self.share, out=self.product)


class BatchNorm(_Bound):
    """Over the rows of a batch (Ioffe & Szegedy 2015): their gamma is the gain, their beta the shift.

    In training the statistics are the batch's, and move the running ones (``running``: means, then variances,
    (K, 2 u, 1), the variances with n - 1 as in torch); at inference the running ones serve. A batch of one row has no
    spread: it is normalised by the running statistics and leaves them alone.
    """

    def __init__(
        self, gain: Array, shift: Array, gradients: tuple[Array, Array] | None, rows: int, running: Array
    ) -> None:
        super().__init__(gain, shift, gradients, rows)
        K, u, _ = gain.shape
        self.running = running
        self.of_batch = gradients is not None and rows > 1
        self.statistics = np.empty((K, 2 * u, 1), dtype=gain.dtype) if self.of_batch else running
        self.mean, self.variance = self.statistics[:, :u], self.statistics[:, u:]
        unbiased = MOMENTUM * rows / max(rows - 1, 1)
        self.moved = np.repeat([MOMENTUM, unbiased], u).astype(gain.dtype).reshape(1, 2 * u, 1)
        self.movement = np.empty((K, 2 * u, 1), dtype=gain.dtype)
        self.inverse, self.factor = (np.empty_like(gain, order="C") for _ in range(2))

    def forward(self, z: Array) -> None:
        if self.of_batch:
            np.matmul(self.sums, self.share, out=self.mean)
        np.subtract(self.sums, self.mean, out=self.sums)
        if self.of_batch:
            np.multiply(self.sums, self.sums, out=self.work)
            np.matmul(self.work, self.share, out=self.variance)
            np.multiply(self.statistics, self.moved, out=self.movement)
            np.multiply(self.running, 1.0 - MOMENTUM, out=self.running)
            np.add(self.running, self.movement, out=self.running)
        np.add(self.variance, EPSILON, out=self.inverse)
        np.sqrt(self.inverse, out=self.inverse)
        np.divide(1.0, self.inverse, out=self.inverse)
        np.multiply(self.inverse, self.gain, out=self.factor)
        np.multiply(self.sums, self.factor, out=self.work)
        np.add(self.work, self.shift, out=z)

    def backward(self, delta: Array) -> None:
        """gain / s (delta - mean(delta) - c mean(delta c) / s^2), with c the centred sums and s their deviation."""
        assert self.gradients is not None
        self._average(delta)
        np.multiply(self.product, self.inverse, out=self.product)
        np.multiply(self.product, self.rows, out=self.gradients[0])
        np.multiply(self.average, self.rows, out=self.gradients[1])
        if self.of_batch:
            np.multiply(self.product, self.inverse, out=self.product)
            np.multiply(self.sums, self.product, out=self.work)
            np.subtract(delta, self.work, out=delta)
            np.subtract(delta, self.average, out=delta)
        np.multiply(delta, self.factor, out=delta)


class LayerNorm(_Bound):
    """Over the units of each row (Ba, Kiros & Hinton 2016): the same in training and at inference."""

    def __init__(self, gain: Array, shift: Array, gradients: tuple[Array, Array] | None, rows: int) -> None:
        super().__init__(gain, shift, gradients, rows)
        K, u, _ = gain.shape
        self.unit_share = np.full((1, u), 1.0 / u, dtype=gain.dtype)
        self.mean, self.inverse = (np.empty((K, 1, rows), dtype=gain.dtype) for _ in range(2))

    def forward(self, z: Array) -> None:
        np.matmul(self.unit_share, self.sums, out=self.mean)
        np.subtract(self.sums, self.mean, out=self.sums)
        np.multiply(self.sums, self.sums, out=self.work)
        np.matmul(self.unit_share, self.work, out=self.inverse)
        np.add(self.inverse, EPSILON, out=self.inverse)
        np.sqrt(self.inverse, out=self.inverse)
        np.divide(1.0, self.inverse, out=self.inverse)
        np.multiply(self.sums, self.inverse, out=self.sums)
        np.multiply(self.sums, self.gain, out=self.work)
        np.add(self.work, self.shift, out=z)

    def backward(self, delta: Array) -> None:
        """(g - mean(g) - h mean(g h)) / s, with g = gain delta and h the normalised sums; means over the units."""
        assert self.gradients is not None
        self._average(delta)
        np.multiply(self.product, self.rows, out=self.gradients[0])
        np.multiply(self.average, self.rows, out=self.gradients[1])
        np.multiply(delta, self.gain, out=delta)
        np.multiply(delta, self.sums, out=self.work)
        np.matmul(self.unit_share, self.work, out=self.mean)
        np.multiply(self.sums, self.mean, out=self.work)
        np.matmul(self.unit_share, delta, out=self.mean)
        np.subtract(delta, self.work, out=delta)
        np.subtract(delta, self.mean, out=delta)
        np.multiply(delta, self.inverse, out=delta)
