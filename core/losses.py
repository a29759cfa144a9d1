"""Losses: they take the output units' weighted sums and own the output activation, so the two cannot be mismatched.

Arrays are feature-major: (..., units, rows). A batch's loss is the weighted mean over its rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .activations import logistic

Array = NDArray[Any]


@dataclass(frozen=True)
class Loss:
    """A loss over output sums ``z`` (..., o, b) and targets (..., o, b): one-hot, 0/1 or real numbers.

    ``gradient(z, target, scale, delta, row)`` writes the derivative of the batch's loss by z into ``delta``: ``scale``
    (..., 1, b) is each row's share of the batch (1/b without weights), ``target`` the target times that share, ``row``
    scratch space (..., 1, b). ``values(z, target)`` gives the loss of each row (..., b), in the precision of z.
    ``outputs(z)`` gives what the network predicts: probabilities or values, of the shape of z.
    """

    name: str
    task: Literal["classification", "regression"]
    gradient: Callable[[Array, Array, Array, Array, Array], None]
    values: Callable[[Array, Array], Array]
    outputs: Callable[[Array], Array]


def _cross_entropy_gradient(z: Array, target: Array, scale: Array, delta: Array, row: Array) -> None:
    """scale (softmax(z) - y)."""
    np.maximum.reduce(z, axis=-2, out=row, keepdims=True)
    np.subtract(z, row, out=delta)
    np.exp(delta, out=delta)
    np.add.reduce(delta, axis=-2, out=row, keepdims=True)
    np.divide(scale, row, out=row)
    np.multiply(delta, row, out=delta)
    np.subtract(delta, target, out=delta)


def _cross_entropy_values(z: Array, target: Array) -> Array:
    """log sum_j exp(z_j) - z_y."""
    highest = np.max(z, axis=-2, keepdims=True)
    shifted = z - highest
    wanted = np.sum(shifted * target, axis=-2)
    np.exp(shifted, out=shifted)
    return np.log(np.sum(shifted, axis=-2)) - wanted


def softmax(z: Array) -> Array:
    """exp(z_i) / sum_j exp(z_j) over the units."""
    p = z - np.max(z, axis=-2, keepdims=True)
    np.exp(p, out=p)
    p /= np.sum(p, axis=-2, keepdims=True)
    return p


def _probability(z: Array) -> Array:
    p = np.array(z, order="C")
    logistic(p)
    return p


def _log_loss_gradient(z: Array, target: Array, scale: Array, delta: Array, row: Array) -> None:
    """scale (a - y), a = logistic(z)."""
    np.copyto(delta, z)
    logistic(delta)
    np.multiply(delta, scale, out=delta)
    np.subtract(delta, target, out=delta)


def _log_loss_values(z: Array, target: Array) -> Array:
    """-y log a - (1 - y) log(1 - a) = log(1 + exp(z)) - y z."""
    return np.sum(np.logaddexp(0.0, z).astype(z.dtype, copy=False) - target * z, axis=-2)


def _squared_error_gradient(z: Array, target: Array, scale: Array, delta: Array, row: Array) -> None:
    """scale 2 (z - y) / o."""
    np.multiply(z, scale, out=delta)
    np.subtract(delta, target, out=delta)
    np.multiply(delta, 2.0 / z.shape[-2], out=delta)


def _squared_error_values(z: Array, target: Array) -> Array:
    """(z - y)^2, the mean over the output units; without the factor 1/2."""
    error = z - target
    error *= error
    return np.sum(error, axis=-2) / z.shape[-2]


def _identity(z: Array) -> Array:
    return z


def _brier_gradient(z: Array, target: Array, scale: Array, delta: Array, row: Array) -> None:
    """scale 2 (a - y) a (1 - a), a = logistic(z)."""
    a = _probability(z)
    np.multiply(a, scale, out=delta)
    np.subtract(delta, target, out=delta)
    np.multiply(delta, 2.0 * a * (1.0 - a), out=delta)


def _brier_values(z: Array, target: Array) -> Array:
    """(a - y)^2, a = logistic(z)."""
    error = _probability(z) - target
    return np.sum(error * error, axis=-2)


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("cross_entropy", "classification", _cross_entropy_gradient, _cross_entropy_values, softmax),
        Loss("log_loss", "classification", _log_loss_gradient, _log_loss_values, _probability),
        Loss("brier", "classification", _brier_gradient, _brier_values, _probability),
        Loss("squared_error", "regression", _squared_error_gradient, _squared_error_values, _identity),
    )
}
