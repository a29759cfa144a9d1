"""Optimizers: in-place updates of one flat array of parameters by its gradient, in as few passes as the maths allows.

Conventions are torch's: the learning rate stands outside the momentum buffer, and epsilon outside the square root.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from .array import Array

if TYPE_CHECKING:
    from .hyperparameters import Hyperparameters

Coefficients = Callable[["Hyperparameters", Array, Array], Sequence[Array | float]]
Units = Callable[["Hyperparameters"], Sequence[float]]
Update = Callable[[Array, Array, Sequence[Array], Sequence[Array], Array], None]

OPTIMIZERS = ("sgd", "rmsprop", "adagrad", "adam", "adamw", "nadam")

# Defaults of the hyperparameters that differ from optimizer to optimizer: torch's.
RATES = {"sgd": 0.01, "adagrad": 0.01, "nadam": 0.002}
OTHER_RATE = 0.001


@dataclass(frozen=True)
class Optimizer:
    """An update rule over `theta` (K, P).

    `coefficients(hyperparameters, rate, t)` gives one network's scalars for the steps t = 1, 2, ... (n,), whose
    learning rates are `rate` (n,): a list of arrays (n,), or of numbers that hold for all of them, in float64.
    `update(theta, gradient, slots, scalars, scratch)` changes theta and the slots, arrays (K, P) that start at zero,
    and may overwrite the gradient and the scratch; its scalars are columns (K, 1), or (1, 1) where they are the same for
    all. `units(hyperparameters)` gives for each slot the factor that makes it the moment of the literature: where it
    changes, the slot must change too, for the moment to stay.
    """

    name: str
    n_slots: int
    coefficients: Coefficients
    update: Update
    units: Units


def _plain_units(hp: "Hyperparameters") -> Sequence[float]:
    return [1.0]


def _sgd_coefficients(hp: "Hyperparameters", rate: Array, t: Array) -> Sequence[Array | float]:
    return [rate]


def sgd(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """theta -= rate g."""
    np.multiply(g, scalars[0], out=g)
    np.subtract(theta, g, out=theta)


def _momentum_coefficients(hp: "Hyperparameters", rate: Array, t: Array) -> Sequence[Array | float]:
    return [rate, hp.momentum]


def momentum(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """b = mu b + g; theta -= rate b."""
    rate, mu = scalars
    b = slots[0]
    np.multiply(b, mu, out=b)
    np.add(b, g, out=b)
    np.multiply(b, rate, out=g)
    np.subtract(theta, g, out=theta)


def nesterov(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """b = mu b + g; theta -= rate (g + mu b) (Sutskever et al. 2013, as torch writes it)."""
    rate, mu = scalars
    b = slots[0]
    np.multiply(b, mu, out=b)
    np.add(b, g, out=b)
    np.multiply(b, mu, out=s)
    np.add(g, s, out=g)
    np.multiply(g, rate, out=g)
    np.subtract(theta, g, out=theta)


def _rmsprop_coefficients(hp: "Hyperparameters", rate: Array, t: Array) -> Sequence[Array | float]:
    # The slot holds v / (1 - alpha), so that the squared gradient needs no factor of its own.
    alpha = hp.second_decay
    root = float(1.0 / np.sqrt(1.0 - alpha))
    return [rate * root, alpha, hp.epsilon * root, hp.momentum]


def _rmsprop_units(hp: "Hyperparameters") -> Sequence[float]:
    return [1.0 - hp.second_decay, 1.0 / np.sqrt(1.0 - hp.second_decay)]


def rmsprop(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """v = alpha v + (1 - alpha) g^2; theta -= rate g / (sqrt(v) + epsilon) (Hinton 2012); alpha is `beta_2`."""
    rate, alpha, epsilon, _ = scalars
    _scaled_gradient(g, slots[0], alpha, epsilon, s)
    np.multiply(g, rate, out=g)
    np.subtract(theta, g, out=theta)


def rmsprop_momentum(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """v as in RMSprop; b = mu b + g / (sqrt(v) + epsilon); theta -= rate b."""
    rate, alpha, epsilon, mu = scalars
    _scaled_gradient(g, slots[0], alpha, epsilon, s)
    b = slots[1]
    np.multiply(b, mu, out=b)
    np.add(b, g, out=b)
    np.multiply(b, rate, out=g)
    np.subtract(theta, g, out=theta)


def _scaled_gradient(g: Array, v: Array, alpha: Array, epsilon: Array, s: Array) -> None:
    """g / (sqrt(v) + epsilon) in place of g, after v has taken g in."""
    np.multiply(v, alpha, out=v)
    np.multiply(g, g, out=s)
    np.add(v, s, out=v)
    np.sqrt(v, out=s)
    np.add(s, epsilon, out=s)
    np.divide(g, s, out=g)


@lru_cache(maxsize=8)
def _one_minus_powers(beta: float, first: float, n: int) -> Array:
    """1 - beta^t for t = first, first + 1, ... (n,): the same for most networks of a stack."""
    return 1.0 - np.power(beta, first + np.arange(n, dtype=np.float64))


def _adam_coefficients(hp: "Hyperparameters", rate: Array, t: Array) -> Sequence[Array | float]:
    # The slots hold m / (1 - beta_1) and v / (1 - beta_2): then the moments need no factor on the gradient, and the
    # corrections of both biases merge into the step's length and its epsilon.
    beta_1, beta_2 = hp.beta_1, hp.second_decay
    root = np.sqrt(_one_minus_powers(beta_2, t[0], len(t)) / (1.0 - beta_2))
    length = rate * (1.0 - beta_1) / _one_minus_powers(beta_1, t[0], len(t)) * root
    return [length, beta_1, beta_2, hp.epsilon * root]


def _adam_units(hp: "Hyperparameters") -> Sequence[float]:
    return [1.0 - hp.beta_1, 1.0 - hp.second_decay]


def adam(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """Kingma & Ba 2015, algorithm 1; their alpha is the rate.

    m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g^2;
    theta -= rate (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon).
    """
    length, beta_1, beta_2, epsilon = scalars
    m, v = slots
    np.multiply(m, beta_1, out=m)
    np.add(m, g, out=m)
    np.multiply(v, beta_2, out=v)
    np.multiply(g, g, out=g)
    np.add(v, g, out=v)
    np.sqrt(v, out=s)
    np.add(s, epsilon, out=s)
    np.divide(m, s, out=s)
    np.multiply(s, length, out=s)
    np.subtract(theta, s, out=theta)


def _adagrad_coefficients(hp: "Hyperparameters", rate: Array, t: Array) -> Sequence[Array | float]:
    return [rate, hp.epsilon]


def adagrad(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """G = G + g^2; theta -= rate g / (sqrt(G) + epsilon) (Duchi et al. 2011)."""
    rate, epsilon = scalars
    G = slots[0]
    np.multiply(g, g, out=s)
    np.add(G, s, out=G)
    np.sqrt(G, out=s)
    np.add(s, epsilon, out=s)
    np.divide(g, s, out=g)
    np.multiply(g, rate, out=g)
    np.subtract(theta, g, out=theta)


MOMENTUM_DECAY = 0.004


def _nadam_coefficients(hp: "Hyperparameters", rate: Array, t: Array) -> Sequence[Array | float]:
    # The slots and the merged corrections are Adam's. The products of all momenta up to t are multiplied up from the
    # first step in every call, so that they do not depend on where training is cut; once below 1e-18 they are nothing
    # beside 1, and beta_1 bounds the steps that takes.
    beta_1, beta_2 = hp.beta_1, hp.second_decay
    root = np.sqrt(_one_minus_powers(beta_2, t[0], len(t)) / (1.0 - beta_2))
    vanished = int(np.log(1e-18) / np.log(max(beta_1, 1e-18))) + 1

    def mu(step: Array) -> Array:
        return beta_1 * (1.0 - 0.5 * np.power(0.96, step * MOMENTUM_DECAY))

    last = min(int(t[-1]) + 1, vanished)
    products = np.cumprod(mu(np.arange(1.0, last + 1.0)))

    def product(step: Array) -> Array:
        return np.where(step <= last, products[np.minimum(step, last).astype(np.intp) - 1], 0.0)

    length = rate * root
    return [
        length * (1.0 - mu(t)) / (1.0 - product(t)),
        length * mu(t + 1.0) * (1.0 - beta_1) / (1.0 - product(t + 1.0)),
        beta_1,
        beta_2,
        hp.epsilon * root,
    ]


def nadam(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """Dozat 2016, algorithm 2, as torch writes it, with the momentum's schedule and its decay psi = 0.004.

    mu_t = beta_1 (1 - 0.96^(t psi) / 2); m, v and the root's denominator r as in Adam, epsilon included;
    theta -= rate ((1 - mu_t) g / (1 - mu_1 ... mu_t) + mu_(t+1) m / (1 - mu_1 ... mu_(t+1))) / r.
    """
    of_gradient, of_moment, beta_1, beta_2, epsilon = scalars
    m, v = slots
    np.multiply(m, beta_1, out=m)
    np.add(m, g, out=m)
    np.multiply(v, beta_2, out=v)
    np.multiply(g, g, out=s)
    np.add(v, s, out=v)
    np.multiply(g, of_gradient, out=g)
    np.multiply(m, of_moment, out=s)
    np.add(g, s, out=g)
    np.sqrt(v, out=s)
    np.add(s, epsilon, out=s)
    np.divide(g, s, out=g)
    np.subtract(theta, g, out=theta)


_RULES = {
    rule.name: rule
    for rule in (
        Optimizer("sgd", 0, _sgd_coefficients, sgd, _plain_units),
        Optimizer("momentum", 1, _momentum_coefficients, momentum, _plain_units),
        Optimizer("nesterov", 1, _momentum_coefficients, nesterov, _plain_units),
        Optimizer("rmsprop", 1, _rmsprop_coefficients, rmsprop, _rmsprop_units),
        Optimizer("rmsprop_momentum", 2, _rmsprop_coefficients, rmsprop_momentum, _rmsprop_units),
        Optimizer("adagrad", 1, _adagrad_coefficients, adagrad, _plain_units),
        Optimizer("adam", 2, _adam_coefficients, adam, _adam_units),
        # AdamW (Loshchilov & Hutter 2019) is Adam after theta has shrunk by rate * weight_decay, which training does
        # for every optimizer; what sets it apart is the default of that decay.
        Optimizer("adamw", 2, _adam_coefficients, adam, _adam_units),
        Optimizer("nadam", 2, _nadam_coefficients, nadam, _adam_units),
    )
}


def rule(name: str, with_momentum: bool = False, with_nesterov: bool = False) -> Optimizer:
    """The update rule behind a hyperparameter's name, momentum and Nesterov's variant included."""
    if name == "sgd" and with_momentum:
        return _RULES["nesterov" if with_nesterov else "momentum"]
    if name == "rmsprop" and with_momentum:
        return _RULES["rmsprop_momentum"]
    return _RULES[name]
