"""Optimizers: in-place updates of one flat array of parameters by its gradient, in as few passes as the maths allows.

Conventions are torch's: the learning rate stands outside the momentum buffer, and epsilon outside the square root.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from .array import Array


class Settings(Protocol):
    """The numbers of one network that update rules read; `Hyperparameters` has them."""

    @property
    def momentum(self) -> float: ...

    @property
    def beta_1(self) -> float: ...

    @property
    def effective_beta_2(self) -> float: ...

    @property
    def epsilon(self) -> float: ...


Coefficients = Callable[[Settings, Array, Array], Sequence[Array | float]]
SlotUnits = Callable[[Settings], Sequence[float]]
Update = Callable[[Array, Array, Sequence[Array], Sequence[Array], Array], None]


@dataclass(frozen=True)
class UpdateRule:
    """An update rule over `theta` (K, P).

    `coefficients(settings, rate, t)` gives one network's scalars for the steps t = 1, 2, ... (n,), whose learning rates
    are `rate` (n,): a list of arrays (n,), or of numbers that hold for all of them, in float64.
    `update(theta, gradient, slots, scalars, scratch)` changes theta and the slots, arrays (K, P) that start at zero,
    and may overwrite the gradient and the scratch; its scalars are columns (K, 1), or one number () where they are the
    same for all. `loop`, where there is one, does the same in Python's own loops, for a compiler
    (`compiled`). `slot_units(settings)` gives for each slot the factor that makes it the moment of the literature: where
    it changes, the slot must change too, for the moment to stay.

    `iterate` is the slot of what takes the steps, and shrinks by weight decay, where that is not theta; `average` the
    slot of what is evaluated in theta's place. Both start at theta. `sums_rates`: the scalars of a step depend on the
    rates of all steps so far, so that `coefficients` is always called from t = 1 on.
    """

    n_slots: int
    coefficients: Coefficients
    update: Update
    slot_units: SlotUnits
    iterate: int | None = None
    average: int | None = None
    sums_rates: bool = False
    loop: Callable[..., None] | None = None


@dataclass(frozen=True)
class Optimizer:
    """What the hyperparameter `optimizer` names: an update rule, torch's defaults, and facts that others need.

    `momentum` is the rule where the hyperparameter of that name is above 0, and `nesterov` the one for Nesterov's
    variant of it; None where the optimizer does not use them. `is_adaptive`: its steps have the length of the learning
    rate whatever the gradient's.
    """

    name: str
    plain: UpdateRule
    momentum: UpdateRule | None = None
    nesterov: UpdateRule | None = None
    is_adaptive: bool = True
    default_learning_rate: float = 0.001
    default_beta_2: float = 0.999
    default_weight_decay: float = 0.0

    def rule(self, with_momentum: bool = False, with_nesterov: bool = False) -> UpdateRule:
        """The update rule, those of momentum and of Nesterov's variant included."""
        if with_momentum and with_nesterov and self.nesterov is not None:
            return self.nesterov
        return self.momentum if with_momentum and self.momentum is not None else self.plain


def _unscaled(settings: Settings) -> Sequence[float]:
    return [1.0]


def _sgd_coefficients(settings: Settings, rate: Array, t: Array) -> Sequence[Array | float]:
    return [rate]


def sgd(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """theta -= rate g."""
    np.multiply(g, scalars[0], out=g)
    np.subtract(theta, g, out=theta)


def _momentum_coefficients(settings: Settings, rate: Array, t: Array) -> Sequence[Array | float]:
    return [rate, settings.momentum]


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


def _rmsprop_coefficients(settings: Settings, rate: Array, t: Array) -> Sequence[Array | float]:
    # The slot holds v / (1 - alpha), so that the squared gradient needs no factor of its own.
    alpha = settings.effective_beta_2
    root = float(1.0 / np.sqrt(1.0 - alpha))
    return [rate * root, alpha, settings.epsilon * root, settings.momentum]


def _rmsprop_slot_units(settings: Settings) -> Sequence[float]:
    return [1.0 - settings.effective_beta_2, 1.0 / np.sqrt(1.0 - settings.effective_beta_2)]


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
    t = first + np.arange(n, dtype=np.float64)
    # From there on 1 is the nearest number; smaller and smaller powers would take ten times as long.
    last = np.log(1e-17) / np.log(beta) if beta > 0.0 else 1.0
    return 1.0 - np.power(beta, np.minimum(t, max(1.0, last)))


def _adam_coefficients(settings: Settings, rate: Array, t: Array) -> Sequence[Array | float]:
    # The slots hold m / (1 - beta_1) and v / (1 - beta_2): then the moments need no factor on the gradient, and the
    # corrections of both biases merge into the step's length and its epsilon.
    beta_1, beta_2 = settings.beta_1, settings.effective_beta_2
    root = np.sqrt(_one_minus_powers(beta_2, t[0], len(t)) / (1.0 - beta_2))
    length = rate * (1.0 - beta_1) / _one_minus_powers(beta_1, t[0], len(t)) * root
    return [length, beta_1, beta_2, settings.epsilon * root]


def _adam_slot_units(settings: Settings) -> Sequence[float]:
    return [1.0 - settings.beta_1, 1.0 - settings.effective_beta_2]


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


def _adam_loop(
    theta: Array, g: Array, slots: tuple[Array, ...], scalars: Array, step: int, begin: int, end: int
) -> None:
    """`adam`, one parameter after the other: the same operations in the same order, so the same bits.

    Slices, whose indices cannot be negative, are what a compiler finds out how to take eight or sixteen at a time.
    """
    m, v = slots
    for k in range(theta.shape[0]):
        length, beta_1 = scalars[0, step, k], scalars[1, step, k]
        beta_2, epsilon = scalars[2, step, k], scalars[3, step, k]
        theta_k, g_k, m_k, v_k = theta[k, begin:end], g[k, begin:end], m[k, begin:end], v[k, begin:end]
        for i in range(theta_k.size):
            moment = m_k[i] * beta_1 + g_k[i]
            square = v_k[i] * beta_2 + g_k[i] * g_k[i]
            m_k[i] = moment
            v_k[i] = square
            theta_k[i] -= moment / (np.sqrt(square) + epsilon) * length


def _adagrad_coefficients(settings: Settings, rate: Array, t: Array) -> Sequence[Array | float]:
    return [rate, settings.epsilon]


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


def _nadam_coefficients(settings: Settings, rate: Array, t: Array) -> Sequence[Array | float]:
    # The slots and the merged corrections are Adam's. The products of all momenta up to t are multiplied up from the
    # first step in every call, so that they do not depend on where training is cut; once below 1e-18 they vanish
    # beside 1, and beta_1 bounds the steps that takes.
    beta_1, beta_2 = settings.beta_1, settings.effective_beta_2
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
        settings.epsilon * root,
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


def _schedule_free_coefficients(settings: Settings, rate: Array, t: Array) -> Sequence[Array | float]:
    # The slot of v and its merged correction are Adam's. The sum of squared rates is that of all steps from the first
    # on, in units of the highest, so that it neither overflows nor depends on where training is cut.
    beta_2 = settings.effective_beta_2
    root = np.sqrt(_one_minus_powers(beta_2, t[0], len(t)) / (1.0 - beta_2))
    highest = rate.max()
    weight = np.square(rate / (highest if highest > 0.0 else 1.0))
    total = np.cumsum(weight)
    share = np.divide(weight, total, out=np.ones_like(total), where=total > 0.0)
    return [rate * root, beta_2, settings.epsilon * root, share, 1.0 - settings.beta_1]


def _schedule_free_slot_units(settings: Settings) -> Sequence[float]:
    return [1.0 - settings.effective_beta_2, 1.0, 1.0]


def schedule_free(theta: Array, g: Array, slots: Sequence[Array], scalars: Sequence[Array], s: Array) -> None:
    """Schedule-free AdamW (Defazio et al. 2024, algorithm 1); theta is their y, gamma_t the rate, x is evaluated.

    v = beta_2 v + (1 - beta_2) g^2; z -= gamma_t (g / (sqrt(v / (1 - beta_2^t)) + epsilon) + weight_decay y);
    c = gamma_t^2 / (gamma_1^2 + ... + gamma_t^2); x = (1 - c) x + c z; y = (1 - beta_1) z + beta_1 x.
    The decay is made before. Their warm-up is the hyperparameter of that name, and the gamma_i are those of the values
    in force now; a schedule multiplies them. A change of beta_1 acts on y from the end of the next step on.
    """
    length, beta_2, epsilon, share, of_iterate = scalars
    v, z, x = slots
    np.multiply(v, beta_2, out=v)
    np.multiply(g, g, out=s)
    np.add(v, s, out=v)
    np.sqrt(v, out=s)
    np.add(s, epsilon, out=s)
    np.divide(g, s, out=g)
    np.multiply(g, length, out=g)
    np.subtract(z, g, out=z)
    np.subtract(z, x, out=s)
    np.multiply(s, share, out=s)
    np.add(x, s, out=x)
    np.subtract(z, x, out=s)
    np.multiply(s, of_iterate, out=s)
    np.add(x, s, out=theta)


_ADAM = UpdateRule(2, _adam_coefficients, adam, _adam_slot_units, loop=_adam_loop)

OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.name: optimizer
    for optimizer in (
        Optimizer(
            "sgd",
            UpdateRule(0, _sgd_coefficients, sgd, _unscaled),
            momentum=UpdateRule(1, _momentum_coefficients, momentum, _unscaled),
            nesterov=UpdateRule(1, _momentum_coefficients, nesterov, _unscaled),
            is_adaptive=False,
            default_learning_rate=0.01,
        ),
        Optimizer(
            "rmsprop",
            UpdateRule(1, _rmsprop_coefficients, rmsprop, _rmsprop_slot_units),
            momentum=UpdateRule(2, _rmsprop_coefficients, rmsprop_momentum, _rmsprop_slot_units),
            default_beta_2=0.99,
        ),
        Optimizer("adagrad", UpdateRule(1, _adagrad_coefficients, adagrad, _unscaled), default_learning_rate=0.01),
        Optimizer("adam", _ADAM),
        # AdamW (Loshchilov & Hutter 2019) is Adam after theta has shrunk by rate * weight_decay, which training does
        # for every optimizer; what sets it apart is the default of that decay.
        Optimizer("adamw", _ADAM, default_weight_decay=0.01),
        Optimizer("nadam", UpdateRule(2, _nadam_coefficients, nadam, _adam_slot_units), default_learning_rate=0.002),
        # The rate is the authors' default.
        Optimizer(
            "schedule_free",
            UpdateRule(
                3,
                _schedule_free_coefficients,
                schedule_free,
                _schedule_free_slot_units,
                iterate=1,
                average=2,
                sums_rates=True,
            ),
            default_learning_rate=0.0025,
        ),
    )
}
