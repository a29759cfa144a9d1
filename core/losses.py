"""Losses: they take the output units' weighted sums and own the output activation, so the two cannot be mismatched.

Arrays are feature-major: (..., units, rows). A batch's loss is the weighted mean over its rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .activations import logistic
from .array import Array


@dataclass(frozen=True)
class Loss:
    """A loss over output sums `z` (..., o, b) and targets (..., o, b): one-hot, 0/1 or real numbers.

    `gradient(z, target, scale, delta, cache)` writes the derivative of the batch's loss by z into `delta`: `scale`
    (..., 1, b) is each row's share of the batch (1/b without weights), `target` the target times that share, `cache`
    scratch space (3, ..., 1, b). `values(z, target)` gives the loss of each row (..., b), in the precision of z.
    `outputs(z)` gives what the network predicts: probabilities or values, of the shape of z.
    `values_from_cache(z, target, cache)`, where there is one, gives the same losses as `values` and whether each row's
    likeliest class is its own, cheaply, from what the gradient has left. `from_outputs(outputs, y, unit)` gives the loss
    of each row (n,) from predictions (n, o) and y, class indices (n,) or numbers (n, o) whose standard deviation in
    training was `unit`; None where predictions do not determine the loss.
    """

    name: str
    task: Literal["classification", "regression"]
    gradient: Callable[[Array, Array, Array, Array, Array], None]
    values: Callable[[Array, Array], Array]
    outputs: Callable[[Array], Array]
    from_outputs: Callable[[Array, Array, float], Array] | None = None
    values_from_cache: Callable[[Array, Array, Array], tuple[Array, Array]] | None = None


def _cross_entropy_gradient(z: Array, target: Array, scale: Array, delta: Array, cache: Array) -> None:
    """scale (softmax(z) - y)."""
    highest, total, row = cache
    np.maximum.reduce(z, axis=-2, out=highest, keepdims=True)
    np.subtract(z, highest, out=delta)
    np.exp(delta, out=delta)
    np.add.reduce(delta, axis=-2, out=total, keepdims=True)
    np.divide(scale, total, out=row)
    np.multiply(delta, row, out=delta)
    np.subtract(delta, target, out=delta)


def _cross_entropy_values(z: Array, target: Array) -> Array:
    """log sum_j exp(z_j) - z_y."""
    highest = np.max(z, axis=-2, keepdims=True)
    shifted = z - highest
    wanted = np.sum(shifted * target, axis=-2)
    np.exp(shifted, out=shifted)
    return np.log(np.sum(shifted, axis=-2)) - wanted


def _cross_entropy_values_from_cache(z: Array, target: Array, cache: Array) -> tuple[Array, Array]:
    """log sum_j exp(z_j) - z_y by what the gradient has kept, and where z_y is the highest; of equals, the first."""
    highest, total = cache[0, ..., 0, :], cache[1, ..., 0, :]
    own = np.einsum("...or,...or->...r", z, target)
    own -= highest
    is_right = own == 0.0
    is_highest = z == highest[..., None, :]
    for k, found in enumerate(is_highest):
        if np.count_nonzero(found) != is_right[k].size:  # two of a row are equal, or none is a number
            is_right[k] = np.argmax(z[k], axis=-2) == np.argmax(np.broadcast_to(target, z.shape)[k], axis=-2)
    return np.log(total) - own, is_right


def log_loss_from_outputs(outputs: Array, y: Array, unit: float) -> Array:
    """-log p_y; a probability that float32 rounds to 0 counts as its least number above 0."""
    own = _by_class(outputs)[np.arange(len(y)), y]
    return -np.log(np.maximum(own, np.finfo(np.float32).tiny))


def _by_class(outputs: Array) -> Array:
    """Probabilities (n, classes) from predictions (n, o), where o = 1 means the probability of class 1."""
    return np.hstack([1.0 - outputs, outputs]) if outputs.shape[1] == 1 else outputs


def softmax(z: Array) -> Array:
    """exp(z_i) / sum_j exp(z_j) over the units."""
    p = z - np.max(z, axis=-2, keepdims=True)
    np.exp(p, out=p)
    p /= np.sum(p, axis=-2, keepdims=True)
    return p


def likeliest_classes(z: Array) -> Array:
    """Class indices (..., b) from output sums (..., o, b); of equals, the first."""
    if z.shape[-2] == 1:
        return (z[..., 0, :] > 0).astype(np.int64)
    return np.argmax(z, axis=-2)


def _logistic_probability(z: Array) -> Array:
    p = np.array(z, order="C")
    logistic(p)
    return p


def _log_loss_gradient(z: Array, target: Array, scale: Array, delta: Array, cache: Array) -> None:
    """scale (a - y), a = logistic(z)."""
    np.copyto(delta, z)
    logistic(delta)
    np.multiply(delta, scale, out=delta)
    np.subtract(delta, target, out=delta)


def _log_loss_values(z: Array, target: Array) -> Array:
    """-y log a - (1 - y) log(1 - a) = log(1 + exp(z)) - y z, with log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|))."""
    loss = np.abs(z)
    np.negative(loss, out=loss)
    np.exp(loss, out=loss)
    np.log1p(loss, out=loss)
    loss += np.maximum(z, 0.0)
    loss -= target * z
    return np.sum(loss, axis=-2)


def _squared_error_gradient(z: Array, target: Array, scale: Array, delta: Array, cache: Array) -> None:
    """scale 2 (z - y) / o."""
    np.multiply(z, scale, out=delta)
    np.subtract(delta, target, out=delta)
    np.multiply(delta, 2.0 / z.shape[-2], out=delta)


def _squared_error_values(z: Array, target: Array) -> Array:
    """(z - y)^2, the mean over the output units; without the factor 1/2."""
    error = z - target
    error *= error
    return np.sum(error, axis=-2) / z.shape[-2]


def _squared_error_from_outputs(outputs: Array, y: Array, unit: float) -> Array:
    """((y - prediction) / unit)^2, the mean over the output units: that of standardised targets."""
    return np.mean(((y - outputs) / unit) ** 2, axis=1)


def _identity(z: Array) -> Array:
    return z


def _probabilities(z: Array) -> Array:
    """Probabilities: of one logistic unit, or of the softmax over several."""
    return _logistic_probability(z) if z.shape[-2] == 1 else softmax(z)


def _brier_gradient(z: Array, target: Array, scale: Array, delta: Array, cache: Array) -> None:
    """scale 2 (a - y) a (1 - a), a = logistic(z); with several units scale 2 a_i (e_i - sum_j a_j e_j), e = a - y."""
    a = _probabilities(z)
    np.multiply(a, scale, out=delta)
    np.subtract(delta, target, out=delta)
    if z.shape[-2] == 1:
        np.multiply(delta, 2.0 * a * (1.0 - a), out=delta)
        return
    np.add.reduce(a * delta, axis=-2, out=cache[0], keepdims=True)
    np.subtract(delta, cache[0], out=delta)
    np.multiply(delta, 2.0 * a, out=delta)


def _brier_values(z: Array, target: Array) -> Array:
    """(a - y)^2, a = logistic(z); with several units the sum over them, a = softmax(z) (Brier 1950)."""
    error = _probabilities(z) - target
    return np.sum(error * error, axis=-2)


def brier_from_outputs(outputs: Array, y: Array, unit: float) -> Array:
    """(p - y)^2, summed over the classes, or of class 1 alone with one output unit."""
    p = _by_class(outputs)
    errors = ((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1)
    return errors / (2 if outputs.shape[1] == 1 else 1)


def _perceptron_gradient(z: Array, target: Array, scale: Array, delta: Array, cache: Array) -> None:
    """scale (a - y), a = 1 where z > 0, else 0: by SGD and batches of one this is Rosenblatt's rule."""
    np.greater(z, 0.0, out=delta)
    np.multiply(delta, scale, out=delta)
    np.subtract(delta, target, out=delta)


def _perceptron_values(z: Array, target: Array) -> Array:
    """(a - y) z = max(z, 0) - y z, summed over the units: how far on the wrong side the sums of wrong units are."""
    return np.sum(np.maximum(z, 0.0) - target * z, axis=-2)


def _decision(z: Array) -> Array:
    """1 for a single unit where z > 0; of several, for the one of the largest sum. All else is 0."""
    if z.shape[-2] == 1:
        return (z > 0).astype(z.dtype)
    return (np.arange(z.shape[-2])[:, None] == np.argmax(z, axis=-2)[..., None, :]).astype(z.dtype)


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss(
            "cross_entropy",
            "classification",
            _cross_entropy_gradient,
            _cross_entropy_values,
            softmax,
            log_loss_from_outputs,
            _cross_entropy_values_from_cache,
        ),
        Loss(
            "log_loss",
            "classification",
            _log_loss_gradient,
            _log_loss_values,
            _logistic_probability,
            log_loss_from_outputs,
        ),
        Loss("brier", "classification", _brier_gradient, _brier_values, _probabilities, brier_from_outputs),
        Loss("perceptron", "classification", _perceptron_gradient, _perceptron_values, _decision),
        Loss(
            "squared_error",
            "regression",
            _squared_error_gradient,
            _squared_error_values,
            _identity,
            _squared_error_from_outputs,
        ),
    )
}


def loss_for(n_classes: int | None) -> str:
    """The loss of the data themselves: of two classes over one output unit, of more over one each, of numbers (None) the square."""
    if n_classes is None:
        return "squared_error"
    return "log_loss" if n_classes <= 2 else "cross_entropy"


def resolve(wanted: str, default: str, n_outputs: int) -> str:
    """The loss that a hyperparameter's value stands for, where the data's own is `default` (a name of LOSSES).

    `auto` is the data's own. For classes `cross_entropy` and `log_loss` are two names of one loss, over several
    output units and over one; `squared_error` is that of the probabilities, the Brier score. ValueError for a loss
    of classes in regression.
    """
    if wanted == "auto":
        return default
    if LOSSES[default].task == "regression":
        if wanted != default:
            raise ValueError(f"loss must be auto or squared_error in regression, got {wanted!r}")
        return default
    if wanted in ("cross_entropy", "log_loss"):
        return "log_loss" if n_outputs == 1 else "cross_entropy"
    return "brier" if wanted == "squared_error" else wanted
