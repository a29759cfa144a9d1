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
    """In place: ``forward`` on the sums, ``backward`` on the loss's derivative, filling both parameters' gradients."""

    def forward(self, z: Array) -> None: ...

    def backward(self, delta: Array) -> None: ...


class _Bound:
    """What both kinds hold: ``gain`` and ``shift`` (K, u, 1), their gradients or None, and buffers (K, u, rows)."""

    def __init__(self, gain: Array, shift: Array, gradients: tuple[Array, Array] | None, rows: int) -> None:
        K, u, _ = gain.shape
        self.gain, self.shift, self.gradients = gain, shift, gradients
        self.rows = rows
        self.kept, self.work = (np.empty((K, u, rows), dtype=gain.dtype) for _ in range(2))
        self.ones = np.ones((rows, 1), dtype=gain.dtype)
        self.total = np.empty_like(gain, order="C")
        self.product = np.empty_like(gain, order="C")

    def _sum_gradients(self, delta: Array) -> None:
        """``total``: sums of delta over the rows, the shift's gradient. ``product``: of delta times ``kept``."""
        np.matmul(delta, self.ones, out=self.total)
        np.multiply(delta, self.kept, out=self.work)
        np.matmul(self.work, self.ones, out=self.product)


class BatchNorm(_Bound):
    """Over the rows of a batch (Ioffe & Szegedy 2015): their gamma is the gain, their beta the shift.

    In training the statistics are the batch's, and move the running ones (``statistics``: mean and variance (K, u, 1),
    the variance with n - 1 as in torch); at inference the running ones serve. A batch of one row has no spread: it is
    normalised by the running statistics and leaves them alone.
    """

    def __init__(
        self,
        gain: Array,
        shift: Array,
        gradients: tuple[Array, Array] | None,
        rows: int,
        statistics: tuple[Array, Array],
    ) -> None:
        super().__init__(gain, shift, gradients, rows)
        self.running_mean, self.running_variance = statistics
        self.of_batch = gradients is not None and rows > 1
        self.mean, self.variance, self.inverse, self.factor, self.step = (
            np.empty_like(gain, order="C") for _ in range(5)
        )

    def forward(self, z: Array) -> None:
        mean, variance = self.running_mean, self.running_variance
        if self.of_batch:
            mean, variance = self.mean, self.variance
            np.matmul(z, self.ones, out=mean)
            np.divide(mean, self.rows, out=mean)
            np.subtract(z, mean, out=self.kept)
            np.multiply(self.kept, self.kept, out=self.work)
            np.matmul(self.work, self.ones, out=variance)
            self._move(self.running_mean, mean, 1.0)
            self._move(self.running_variance, variance, 1.0 / (self.rows - 1))
            np.divide(variance, self.rows, out=variance)
        else:
            np.subtract(z, mean, out=self.kept)
        np.add(variance, EPSILON, out=self.inverse)
        np.sqrt(self.inverse, out=self.inverse)
        np.divide(1.0, self.inverse, out=self.inverse)
        np.multiply(self.inverse, self.gain, out=self.factor)
        np.multiply(self.kept, self.factor, out=self.work)
        np.add(self.work, self.shift, out=z)

    def _move(self, running: Array, new: Array, scale: float) -> None:
        np.multiply(new, scale, out=self.step)
        np.subtract(self.step, running, out=self.step)
        np.multiply(self.step, MOMENTUM, out=self.step)
        np.add(running, self.step, out=running)

    def backward(self, delta: Array) -> None:
        """dz = gain / s (delta - mean(delta) - c mean(delta c) / s^2), with c the centred sums and s their deviation."""
        assert self.gradients is not None
        self._sum_gradients(delta)
        np.multiply(self.product, self.inverse, out=self.product)
        np.copyto(self.gradients[0], self.product)
        np.copyto(self.gradients[1], self.total)
        if self.of_batch:
            np.multiply(self.product, self.inverse, out=self.product)
            np.divide(self.product, self.rows, out=self.product)
            np.multiply(self.kept, self.product, out=self.work)
            np.subtract(delta, self.work, out=delta)
            np.divide(self.total, self.rows, out=self.total)
            np.subtract(delta, self.total, out=delta)
        np.multiply(delta, self.factor, out=delta)


class LayerNorm(_Bound):
    """Over the units of each row (Ba, Kiros & Hinton 2016): the same in training and at inference."""

    def __init__(self, gain: Array, shift: Array, gradients: tuple[Array, Array] | None, rows: int) -> None:
        super().__init__(gain, shift, gradients, rows)
        K, u, _ = gain.shape
        self.share = np.full((1, u), 1.0 / u, dtype=gain.dtype)
        self.mean, self.inverse = (np.empty((K, 1, rows), dtype=gain.dtype) for _ in range(2))

    def forward(self, z: Array) -> None:
        np.matmul(self.share, z, out=self.mean)
        np.subtract(z, self.mean, out=self.kept)
        np.multiply(self.kept, self.kept, out=self.work)
        np.matmul(self.share, self.work, out=self.inverse)
        np.add(self.inverse, EPSILON, out=self.inverse)
        np.sqrt(self.inverse, out=self.inverse)
        np.divide(1.0, self.inverse, out=self.inverse)
        np.multiply(self.kept, self.inverse, out=self.kept)
        np.multiply(self.kept, self.gain, out=self.work)
        np.add(self.work, self.shift, out=z)

    def backward(self, delta: Array) -> None:
        """dz = (g - mean(g) - h mean(g h)) / s, with g = gain delta and h the normalised sums; means over the units."""
        assert self.gradients is not None
        self._sum_gradients(delta)
        np.copyto(self.gradients[0], self.product)
        np.copyto(self.gradients[1], self.total)
        np.multiply(delta, self.gain, out=delta)
        np.multiply(delta, self.kept, out=self.work)
        np.matmul(self.share, self.work, out=self.mean)
        np.multiply(self.kept, self.mean, out=self.work)
        np.matmul(self.share, delta, out=self.mean)
        np.subtract(delta, self.work, out=delta)
        np.subtract(delta, self.mean, out=delta)
        np.multiply(delta, self.inverse, out=delta)
