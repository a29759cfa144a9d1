"""Activation functions: what a unit does to its weighted sum, and the derivative that the backward pass needs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .array import Array


@dataclass(frozen=True)
class Activation:
    """An activation over arrays of any shape, in place.

    `forward(z, t)` turns the pre-activation buffer into the activation. `backward(a, d, t)` multiplies `d`, the
    derivative of the loss by the activation, by the activation's derivative, written in terms of the activation `a`.
    `t` is a cache of the same shape that keeps what the forward pass wrote; with `n_cache_arrays` 2 it is two of them,
    (2, ...). With `integer_view`, both get the arrays as integers of the same width. `preserves_bias_row`: it turns 1
    into 1, so that a layer's row of ones can pass through it with the units, in one piece. `init` names the initialiser
    that suits it. With `n_linear_pieces` 2 a unit has two weighted sums, which a layer of their own joins (`maxout`);
    `forward` and `backward` then leave the sums as they are.
    """

    name: str
    forward: Callable[[Array, Array], None]
    backward: Callable[[Array, Array, Array], None]
    integer_view: bool = False
    preserves_bias_row: bool = False
    n_cache_arrays: int = 1
    n_linear_pieces: int = 1
    init: str = "glorot"


_LONGEST: dict[tuple[float, np.dtype[Any]], Array] = {}


@lru_cache(maxsize=256)
def _constants(number: float, dtype: np.dtype[Any], size: int) -> Array:
    """The number `size` times: a view of the longest array asked for so far, which must not be written to."""
    longest = _LONGEST.get((number, dtype))
    if longest is None or longest.size < size:
        longest = _LONGEST[number, dtype] = np.full(size, number, dtype=dtype)
        longest.flags.writeable = False
    return longest[:size]


def _full_like(number: float, like: Array) -> Array:
    """The number in an array of that shape.

    NumPy's minimum and maximum of two arrays take a fifth of the time that they take with a scalar.
    """
    constants = _constants(number, like.dtype, like.size)
    return constants if like.ndim == 1 else constants.reshape(like.shape)


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
    """a = max(0, z) on the bits of z: those of negative numbers are a negative integer, those of 0 are 0."""
    np.maximum(z, _full_like(0, z), out=z)


def _relu_backward(a: Array, d: Array, t: Array) -> None:
    """a' = 1 where z > 0, else 0: the lesser of 1 and the bits of a. Bits times 0 or 1 are 0 or the number's."""
    np.minimum(a, _full_like(1, a), out=t)
    np.multiply(d, t, out=d)


NEGATIVE_SLOPE = 0.1


def _bits_of(number: float, like: Array) -> Any:
    """The number's bits as an integer scalar of the array's type; one of each, so that no array is made in a step."""
    return _BITS[like.itemsize, number]


_BITS = {
    (size, number): np.array(number, f"f{size}").view(f"i{size}")[()]
    for size in (4, 8)
    for number in (1.0, NEGATIVE_SLOPE)
}


def _leaky_relu(z: Array, t: Array) -> None:
    """a = max(z / 10, z), with the slope of each unit, 1 where z > 0 and 1/10 elsewhere, picked by its bits and kept.

    Integer passes, as in the ReLU, cost less than a comparison and a choice.
    """
    slope = _bits_of(NEGATIVE_SLOPE, t)
    np.negative(z, out=t)
    np.right_shift(t, 8 * t.itemsize - 1, out=t)
    np.bitwise_and(t, slope ^ _bits_of(1.0, t), out=t)
    np.bitwise_xor(t, slope, out=t)
    a = _as_float(z)
    np.multiply(a, _as_float(t), out=a)


def _leaky_relu_backward(a: Array, d: Array, t: Array) -> None:
    """a' = 1 where z > 0, else 1/10: the slope that the forward pass left."""
    d = _as_float(d)
    np.multiply(d, _as_float(t), out=d)


def _as_float(bits: Array) -> Array:
    return bits.view(f"f{bits.itemsize}")


def _elu(z: Array, t: Array) -> None:
    """a = z where z > 0, else exp(z) - 1 (Clevert et al. 2016, alpha = 1): the larger of the two, z <= 0 in exp."""
    np.minimum(z, _full_like(0.0, z), out=t)
    np.exp(t, out=t)
    np.subtract(t, 1.0, out=t)
    np.maximum(z, t, out=z)


def _elu_backward(a: Array, d: Array, t: Array) -> None:
    """a' = 1 where z > 0, else exp(z)."""
    np.add(t, 1.0, out=t)
    np.multiply(d, t, out=d)


# Klambauer et al. 2017, eq. 14: the pair that keeps mean 0 and variance 1 from layer to layer.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _selu(z: Array, t: Array) -> None:
    """a = lambda z where z > 0, else lambda alpha (exp(z) - 1) (Klambauer et al. 2017, eq. 2)."""
    t = t[0]
    np.minimum(z, _full_like(0.0, z), out=t)
    np.exp(t, out=t)
    np.subtract(t, 1.0, out=t)
    np.multiply(t, SELU_SCALE * SELU_ALPHA, out=t)
    np.maximum(z, _full_like(0.0, z), out=z)
    np.multiply(z, SELU_SCALE, out=z)
    np.add(z, t, out=z)


def _selu_backward(a: Array, d: Array, t: Array) -> None:
    """a' = lambda where z > 0, else lambda alpha exp(z), which is what is kept + lambda alpha."""
    t, positive = t
    np.add(t, SELU_SCALE * SELU_ALPHA, out=t)
    np.greater(a, 0.0, out=positive)
    np.multiply(positive, SELU_SCALE * (SELU_ALPHA - 1.0), out=positive)
    np.subtract(t, positive, out=t)
    np.multiply(d, t, out=d)


def _softplus(z: Array, t: Array) -> None:
    """a = log(1 + exp(z)), computed as max(z, 0) + log(1 + exp(-|z|)), which cannot overflow."""
    np.abs(z, out=t)
    np.negative(t, out=t)
    np.exp(t, out=t)
    np.log1p(t, out=t)
    np.maximum(z, _full_like(0.0, z), out=z)
    np.add(z, t, out=z)


def _softplus_backward(a: Array, d: Array, t: Array) -> None:
    """a' = logistic(z) = 1 - exp(-a)."""
    np.negative(a, out=t)
    np.exp(t, out=t)
    np.subtract(1.0, t, out=t)
    np.multiply(d, t, out=d)


def _gelu(z: Array, t: Array) -> None:
    """a = z h, h = (1 + tanh(c (z + k z^3))) / 2, c = sqrt(2 / pi), k = 0.044715: z times the normal distribution.

    It is the tanh form of Hendrycks & Gimpel 2016, sect. 2, within 0.0005 of the exact one. The exact one is not
    offered: NumPy has no error function, and SciPy's takes twenty times as long as the hyperbolic tangent. Kept are h
    and s = 2 c z (1 + 3 k z^2), with z^2 cut at 100, where h is long 0 or 1.
    """
    h, s = t
    c, k = np.sqrt(2.0 / np.pi).item(), 0.044715
    np.abs(z, out=s)
    np.minimum(s, _full_like(10.0, s), out=s)
    np.multiply(s, s, out=s)
    np.multiply(s, c * k, out=h)
    np.add(h, c, out=h)
    np.multiply(h, z, out=h)
    np.tanh(h, out=h)
    np.multiply(h, 0.5, out=h)
    np.add(h, 0.5, out=h)
    np.multiply(s, 6.0 * c * k, out=s)
    np.add(s, 2.0 * c, out=s)
    np.multiply(s, z, out=s)
    np.multiply(z, h, out=z)


def _gelu_backward(a: Array, d: Array, t: Array) -> None:
    """a' = h (1 + s (1 - h))."""
    h, s = t
    np.multiply(d, h, out=d)
    np.subtract(1.0, h, out=h)
    np.multiply(s, h, out=s)
    np.add(s, 1.0, out=s)
    np.multiply(d, s, out=d)


def _silu(z: Array, t: Array) -> None:
    """a = z s, s = logistic(z), which is kept (Elfwing et al. 2018; also called swish)."""
    np.multiply(z, 0.5, out=t)
    np.tanh(t, out=t)
    np.multiply(t, 0.5, out=t)
    np.add(t, 0.5, out=t)
    np.multiply(z, t, out=z)


def _silu_backward(a: Array, d: Array, t: Array) -> None:
    """a' = s + a (1 - s): d' = s d + a (d - s d)."""
    _blend(a, d, t)


def _blend(x: Array, d: Array, w: Array) -> None:
    """d = w d + x (1 - w) d without another array; w is overwritten."""
    np.multiply(w, d, out=w)
    np.subtract(d, w, out=d)
    np.multiply(d, x, out=d)
    np.add(d, w, out=d)


def _mish(z: Array, t: Array) -> None:
    """a = z w, w = tanh(softplus(z)) = n / (n + 2) with n = e (e + 2), e = exp(z) (Misra 2020); w is kept.

    From z = 20 on w is 1 in either precision, so exp sees no more than that.
    """
    w, s = t
    np.minimum(z, _full_like(20.0, z), out=w)
    np.exp(w, out=w)
    np.add(w, 2.0, out=s)
    np.multiply(w, s, out=w)
    np.add(w, 2.0, out=s)
    np.divide(w, s, out=w)
    np.multiply(z, w, out=z)


def _mish_backward(a: Array, d: Array, t: Array) -> None:
    """a' = w + z (1 - w^2) logistic(z) = w + (1 - w) 2 a / (1 + r), r = exp(-softplus(z)) = sqrt(2 / (1 + w) - 1)."""
    w, s = t
    np.add(w, 1.0, out=s)
    np.divide(2.0, s, out=s)
    np.subtract(s, 1.0, out=s)
    np.sqrt(s, out=s)
    np.add(s, 1.0, out=s)
    np.divide(a, s, out=s)
    np.multiply(s, 2.0, out=s)
    _blend(s, d, w)


def _threshold(z: Array, t: Array) -> None:
    """a = 1 where z > 0, else 0: the perceptron's unit (Rosenblatt 1958)."""
    np.greater(z, 0.0, out=z)


def _threshold_backward(a: Array, d: Array, t: Array) -> None:
    """a' = 0: nothing is learned through it, which is why hidden units may not have it."""
    d.fill(0.0)


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("identity", _identity, _identity_backward),
        Activation("logistic", _logistic, _logistic_backward),
        Activation("tanh", _tanh, _tanh_backward),
        Activation("relu", _relu, _relu_backward, integer_view=True, preserves_bias_row=True, init="he"),
        Activation(
            "leaky_relu", _leaky_relu, _leaky_relu_backward, integer_view=True, preserves_bias_row=True, init="he"
        ),
        Activation("elu", _elu, _elu_backward, preserves_bias_row=True, init="he"),
        Activation("selu", _selu, _selu_backward, n_cache_arrays=2, init="lecun"),
        Activation("softplus", _softplus, _softplus_backward),
        Activation("gelu", _gelu, _gelu_backward, n_cache_arrays=2, init="he"),
        Activation("silu", _silu, _silu_backward, init="he"),
        Activation("mish", _mish, _mish_backward, n_cache_arrays=2, init="he"),
        # Of two equal sums the larger has the mean square of either, so variance is kept where LeCun's rule keeps it.
        Activation("maxout", _identity, _identity_backward, n_linear_pieces=2, init="lecun"),
        Activation("threshold", _threshold, _threshold_backward),
    )
}
