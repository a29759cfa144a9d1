"""Normalisation between a layer's sums and its activation: over the rows of a batch, or over the units of a row.

Both end in gain * normalised + shift; the shift is the layer's bias, which would be lost before the normalisation.
Arrays are (K, units, rows). Sums over rows and units are matrix products: their order is the same alone and stacked.
"""

from typing import Protocol

import numpy as np

from ..array import Array

EPSILON = 1e-5  # added to the variance, as in torch
MOMENTUM = 0.1  # weight of a batch's statistics in the new running ones, as in torch


class Normalization(Protocol):
    """`forward` turns what the owner wrote into `sums` (K, u, rows) into the normalised sums `z` (K, n, rows).

    `backward` takes the loss's derivative by z, leaves that by the sums in `slope` (K, u, rows), and fills the
    parameters' gradients.
    """

    sums: Array
    slope: Array

    def forward(self, z: Array) -> None: ...

    def backward(self, delta: Array) -> None: ...


class _BoundNorm:
    """What both kinds hold: `gain` and `shift` (K, u, 1), their gradients or None, and buffers (K, n, rows).

    n is u, or u + 1 where `z` has a row of ones: then all passes take that row along, in one piece, as a unit whose
    sums are 0, with the gain 0 and the shift 1. A number for each unit meets its 32 or so rows in a pass of short inner
    loops, which costs three times a pass over two whole arrays; so the formulas are arranged to have few of those.
    """

    def __init__(self, gain: Array, shift: Array, gradients: tuple[Array, Array] | None, z: Array) -> None:
        K, n, rows = z.shape
        u = gain.shape[1]
        self.gain, self.shift, self.gradients = gain, shift, gradients
        self.u, self.rows = u, rows
        self.centred, self.work = (np.zeros(z.shape, dtype=gain.dtype) for _ in range(2))
        self.sums, self.slope = self.centred[:, :u], self.work[:, :u]
        self.all_shifts = np.ones((K, n, 1), dtype=gain.dtype)
        self.shifts = self.all_shifts[:, :u]
        self.ones = np.ones((rows, 1), dtype=gain.dtype)


class BatchNorm(_BoundNorm):
    """Over the rows of a batch (Ioffe & Szegedy 2015): their gamma is the gain, their beta the shift.

    In training the statistics are the batch's, and move the running ones (`running`: means, then variances,
    (K, 2 u, 1), the variances with n - 1 as in torch); at inference the running ones serve. A batch of one row has no
    variance: it is normalised by the running statistics and leaves them alone. The running ones are moved by all batches
    since the last time at once (`flush_running_statistics`).

    In the lowest layer (`centre`) it is cheaper to centre the inputs than the sums: networks of one fold share them,
    and by centred inputs the gradient of the weights needs no centred derivative.
    """

    def __init__(
        self, gain: Array, shift: Array, gradients: tuple[Array, Array] | None, z: Array, running: Array
    ) -> None:
        super().__init__(gain, shift, gradients, z)
        K, n, rows = z.shape
        self.uses_batch_stats = gradients is not None and rows > 1
        self.running = running.reshape(K, 2, self.u, 1)
        statistics = np.zeros((K, 2, n, 1), dtype=gain.dtype)
        self.mean, self.variance, self.statistics = statistics[:, 0], statistics[:, 1], statistics[:, :, : self.u]
        self.mean_weights = np.full((rows, 1), 1.0 / rows, dtype=gain.dtype)
        # What a batch's mean and variance count in the running ones.
        factors = [MOMENTUM, MOMENTUM * rows / max(rows - 1, 1)]
        self.batch_factors = np.array(factors, dtype=gain.dtype).reshape(2, 1, 1)
        self.pending_batch_stats: list[Array] = []
        self.is_lowest = False
        self.factors = np.empty(z.shape, dtype=gain.dtype)
        self.shifted_variance, self.deviation, self.factor, self.average, self.product = (
            np.zeros((K, n, 1), dtype=gain.dtype) for _ in range(5)
        )

    def centre(self, x: Array, W_transposed: Array) -> Array:
        """The inputs (..., in, rows) minus their means; these become the sums' means through the weights (K, u, in)."""
        self.is_lowest = True
        means = np.matmul(x, self.mean_weights)
        np.matmul(W_transposed, means, out=self.mean[:, : self.u])
        return x - means

    def flush_running_statistics(self) -> None:
        """r = 0.9 r + 0.1 s for each pending batch's statistics s, the oldest first, in one product."""
        if self.pending_batch_stats:
            m, pending = len(self.pending_batch_stats), np.stack(self.pending_batch_stats, axis=1)
            weights = np.power(1.0 - MOMENTUM, np.arange(m - 1.0, -1.0, -1.0)).astype(pending.dtype)
            sums = np.matmul(weights[None], pending.reshape(len(pending), m, -1)).reshape(self.running.shape)
            np.multiply(self.running, (1.0 - MOMENTUM) ** m, out=self.running)
            np.add(self.running, sums * self.batch_factors, out=self.running)
            self.pending_batch_stats.clear()

    def forward(self, z: Array) -> None:
        # Mean and centred sums, unless `centre` has done both for the inputs.
        if not self.uses_batch_stats:
            np.copyto(self.statistics, self.running)
        elif not self.is_lowest:
            np.matmul(self.centred, self.mean_weights, out=self.mean)
        if not self.is_lowest:
            np.subtract(self.centred, self.mean, out=self.centred)
        # The variance; the running statistics take the batch's in later.
        if self.uses_batch_stats:
            np.multiply(self.centred, self.centred, out=self.work)
            np.matmul(self.work, self.mean_weights, out=self.variance)
            self.pending_batch_stats.append(self.statistics.copy())
        # gain / s for each unit, repeated over the rows: a pass over two whole arrays.
        np.add(self.variance, EPSILON, out=self.shifted_variance)
        np.sqrt(self.shifted_variance, out=self.deviation)
        np.divide(self.gain, self.deviation[:, : self.u], out=self.factor[:, : self.u])
        np.copyto(self.shifts, self.shift)
        np.copyto(self.factors, self.factor)
        np.multiply(self.centred, self.factors, out=z)
        np.add(z, self.all_shifts, out=z)

    def backward(self, delta: Array) -> None:
        """gain / s (delta - mean(delta) - c mean(delta c) / s^2), with c the centred sums and s their deviation."""
        assert self.gradients is not None
        gain_grad, shift_grad = self.gradients
        np.matmul(delta, self.mean_weights, out=self.average)
        np.multiply(self.average[:, : self.u], self.rows, out=shift_grad)
        np.multiply(delta, self.centred, out=self.work)
        np.matmul(self.work, self.mean_weights, out=self.product)
        np.divide(self.product, self.deviation, out=self.product)
        np.multiply(self.product[:, : self.u], self.rows, out=gain_grad)
        if not self.uses_batch_stats:
            np.multiply(delta, self.factors, out=self.work)
            return
        np.divide(self.product, self.deviation, out=self.product)
        np.multiply(self.centred, self.product, out=self.work)
        np.subtract(delta, self.work, out=self.work)
        if not self.is_lowest:
            np.subtract(self.work, self.average, out=self.work)
        np.multiply(self.work, self.factors, out=self.work)


class LayerNorm(_BoundNorm):
    """Over the units of each row (Ba, Kiros & Hinton 2016): the same in training and at inference.

    What both passes multiply by, gain / s, is a product of a column and a row; with a second column of zeros it is one
    that the matrix library takes up, at half the cost of NumPy's own.
    """

    def __init__(self, gain: Array, shift: Array, gradients: tuple[Array, Array] | None, z: Array) -> None:
        super().__init__(gain, shift, gradients, z)
        K, n, rows = z.shape
        # What is written into sums must not touch the row of ones: it is centred into an array of its own.
        self.all_sums = np.zeros(z.shape, dtype=gain.dtype)
        self.sums = self.all_sums[:, : self.u]
        self.unit_mean_weights = np.zeros((1, n), dtype=gain.dtype)
        self.unit_mean_weights[:, : self.u] = 1.0 / self.u
        self.factor = np.empty(z.shape, dtype=gain.dtype)
        self.columns, self.lines = np.zeros((K, n, 2), gain.dtype), np.zeros((K, 2, rows), gain.dtype)
        self.column, self.inverse = self.columns[:, :, :1], self.lines[:, :1]
        self.inverse_column = self.inverse.transpose(0, 2, 1)
        self.row, self.means = np.empty((K, 1, rows), gain.dtype), np.empty((K, 2, rows), gain.dtype)
        self.of_ones, self.of_sums = self.means[:, :1], self.means[:, 1:]
        self.gains = np.zeros((K, n, 1), dtype=gain.dtype)
        self.gains_row = self.gains.transpose(0, 2, 1)

    def forward(self, z: Array) -> None:
        np.matmul(self.unit_mean_weights, self.all_sums, out=self.row)
        np.subtract(self.all_sums, self.row, out=self.centred)
        np.multiply(self.centred, self.centred, out=self.work)
        np.matmul(self.unit_mean_weights, self.work, out=self.row)
        np.add(self.row, EPSILON, out=self.row)
        np.sqrt(self.row, out=self.row)
        np.divide(1.0, self.row, out=self.inverse)
        np.copyto(self.gains[:, : self.u], self.gain)
        np.copyto(self.column, self.gains)
        np.copyto(self.shifts, self.shift)
        np.matmul(self.columns, self.lines, out=self.factor)
        np.multiply(self.centred, self.factor, out=z)
        np.add(z, self.all_shifts, out=z)

    def backward(self, delta: Array) -> None:
        """g delta / s - mean(g delta) / s - c mean(g delta c) / s^3, with c the centred sums; means over the units."""
        assert self.gradients is not None
        gain_grad, shift_grad = self.gradients
        np.matmul(delta[:, : self.u], self.ones, out=shift_grad)
        np.multiply(delta, self.centred, out=self.work)
        np.matmul(self.slope, self.inverse_column, out=gain_grad)
        np.matmul(self.gains_row, delta, out=self.of_ones)
        np.matmul(self.gains_row, self.work, out=self.of_sums)
        np.multiply(self.inverse, self.inverse, out=self.row)
        np.multiply(self.of_sums, self.row, out=self.of_sums)
        np.multiply(self.inverse, 1.0 / self.u, out=self.row)
        np.multiply(self.means, self.row, out=self.means)
        np.multiply(self.centred, self.of_sums, out=self.work)
        np.add(self.work, self.of_ones, out=self.work)
        np.multiply(delta, self.factor, out=self.centred)
        np.subtract(self.centred, self.work, out=self.work)
