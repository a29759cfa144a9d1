"""Activation functions: what a unit does to its weighted sum, and the derivative that the backward pass needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Activation:
    """An activation over arrays (K, units, rows), in place.

    ``forward(z, t)`` turns the pre-activation buffer into the activation. ``backward(a, d, t)`` multiplies ``d``, the
    derivative of the loss by the activation, by the activation's derivative, written in terms of the activation ``a``.
    ``t`` is scratch space of the same shape that keeps what the forward pass wrote. With ``bits``, both get the arrays
    as integers of the same width. ``rectifier`` picks He's initialisation instead of Glorot's.
    """

    name: str
    forward: Callable[[Array, Array], None]
    backward: Callable[[Array, Array, Array], None]
    bits: bool = False
    rectifier: bool = False


def _identity(z: Array, t: Array) -> None:
    """a = z."""


def _identity_backward(a: Array, d: Array, t: Array) -> None:
    """a' = 1."""


def logistic(z: Array) -> None:
    """a = 1 / (1 + exp(-z)), computed as (1 + tanh(z / 2)) / 2, which cannot overflow."""
    np.multiply(z, 0.5, out=z)
    np.tanh(z, out=z)
    np.multiply(z, 0.5, out=z)
    np.add(z, 0.5, out=z)


def _logistic(z: Array, t: Array) -> None:
    logistic(z)


def _logistic_backward(a: Array, d: Array, t: Array) -> None:
    """a' = a (1 - a), at most 1/4."""
    np.subtract(1.0, a, out=t)
    np.multiply(t, a, out=t)
    np.multiply(d, t, out=d)


def _tanh(z: Array, t: Array) -> None:
    """a = tanh(z)."""
    np.tanh(z, out=z)


def _tanh_backward(a: Array, d: Array, t: Array) -> None:
    """a' = 1 - a^2."""
    np.multiply(a, a, out=t)
    np.subtract(1.0, t, out=t)
    np.multiply(d, t, out=d)


def _relu(z: Array, t: Array) -> None:
    """a = max(0, z) on the bits of z: -bits is below 0, and its sign spread over all bits keeps z, where z > 0.

    Three integer passes cost half of NumPy's maximum, and leave the mask that the backward pass needs.
    """
    np.negative(z, out=t)
    np.right_shift(t, 8 * t.itemsize - 1, out=t)
    np.bitwise_and(z, t, out=z)


def _relu_backward(a: Array, d: Array, t: Array) -> None:
    """a' = 1 where z > 0, else 0: the mask that the forward pass left."""
    np.bitwise_and(d, t, out=d)


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("identity", _identity, _identity_backward),
        Activation("logistic", _logistic, _logistic_backward),
        Activation("tanh", _tanh, _tanh_backward),
        Activation("relu", _relu, _relu_backward, bits=True, rectifier=True),
    )
}
