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

    ``forward(z)`` turns the pre-activation buffer into the activation. ``backward(a, d, t)`` multiplies ``d``, the
    derivative of the loss by the activation, by the activation's derivative, written in terms of the activation ``a``;
    ``t`` is scratch space of the same shape. ``rectifier`` picks He's initialisation instead of Glorot's.
    """

    name: str
    forward: Callable[[Array], None]
    backward: Callable[[Array, Array, Array], None]
    rectifier: bool = False


def _nothing(z: Array) -> None:
    """Identity: a = z."""


def _identity_backward(a: Array, d: Array, t: Array) -> None:
    """The identity's derivative is 1."""


def logistic(z: Array) -> None:
    """a = 1 / (1 + exp(-z)), computed as (1 + tanh(z / 2)) / 2, which cannot overflow."""
    np.multiply(z, 0.5, out=z)
    np.tanh(z, out=z)
    np.multiply(z, 0.5, out=z)
    np.add(z, 0.5, out=z)


def _logistic_backward(a: Array, d: Array, t: Array) -> None:
    """a' = a (1 - a), at most 1/4."""
    np.subtract(1.0, a, out=t)
    np.multiply(t, a, out=t)
    np.multiply(d, t, out=d)


def _tanh(z: Array) -> None:
    """a = tanh(z)."""
    np.tanh(z, out=z)


def _tanh_backward(a: Array, d: Array, t: Array) -> None:
    """a' = 1 - a^2."""
    np.multiply(a, a, out=t)
    np.subtract(1.0, t, out=t)
    np.multiply(d, t, out=d)


def _relu(z: Array) -> None:
    """a = max(0, z)."""
    np.maximum(z, 0.0, out=z)


def _relu_backward(a: Array, d: Array, t: Array) -> None:
    """a' = 1 where z > 0, else 0: the sign of a, which is never negative."""
    np.sign(a, out=t)
    np.multiply(d, t, out=d)


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("identity", _nothing, _identity_backward),
        Activation("logistic", logistic, _logistic_backward),
        Activation("tanh", _tanh, _tanh_backward),
        Activation("relu", _relu, _relu_backward, rectifier=True),
    )
}
