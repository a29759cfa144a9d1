"""Schedules: pure functions of the step that give the factor on the learning rate, or on what regularises.

Only `plateau` also looks at the losses: its factor is part of a network's state, and `training` moves it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .array import Array


@dataclass(frozen=True)
class Schedule:
    """`factor(t, total, decay)`: t counts the steps after the warm-up from 0 to total - 1; all three broadcast.

    `decay` is the default for the hyperparameter of that name.
    """

    name: str
    factor: Callable[[Array, Array, Array], Array]
    decay: float


def constant(t: Array, total: Array, decay: Array) -> Array:
    """1 at every step."""
    return np.ones(np.broadcast_shapes(t.shape, total.shape, decay.shape))


def step(t: Array, total: Array, decay: Array) -> Array:
    """decay ^ floor(3 t / total): the rate falls by the factor `decay` after each third of the training."""
    return np.power(decay, np.floor(3.0 * t / total))


def inverse_time(t: Array, total: Array, decay: Array) -> Array:
    """1 / (1 + decay t): `decay` is per step, whatever the length of the training."""
    return 1.0 / (1.0 + decay * t)


def exponential(t: Array, total: Array, decay: Array) -> Array:
    """decay ^ (t / total): the same share is lost in every step, down to `decay` at the end."""
    return np.power(decay, t / total)


def cosine(t: Array, total: Array, decay: Array) -> Array:
    """decay + (1 - decay) (1 + cos(pi t / total)) / 2: from 1 to `decay` (Loshchilov & Hutter 2017)."""
    return decay + (1.0 - decay) * 0.5 * (1.0 + np.cos(np.pi * t / total))


def one_cycle(t: Array, total: Array, decay: Array) -> Array:
    """From 1/25 up to 1 over the first 0.3 of the steps, then down to `decay`, both along half a cosine.

    Smith & Topin 2019, as torch's OneCycleLR does it by default; their maximal rate is `learning_rate`. The momentum
    stays as it is.
    """
    peak = np.maximum(0.3 * total - 1.0, 0.0)
    rising = np.clip(t / np.maximum(peak, 1.0), 0.0, 1.0)
    falling = np.clip((t - peak) / np.maximum(total - 1.0 - peak, 1.0), 0.0, 1.0)
    up = 1.0 + (1.0 / 25.0 - 1.0) * 0.5 * (1.0 + np.cos(np.pi * rising))
    down = decay + (1.0 - decay) * 0.5 * (1.0 + np.cos(np.pi * falling))
    return np.where(t < peak, up, down)


def coslog4(t: Array, total: Array, decay: Array) -> Array:
    """(1 - cos(2 pi log2(1 + 15 t / total))) / 2: four waves, each twice as long as the one before; no `decay`.

    Holzmüller et al. 2024, the schedule of RealMLP. The first step's factor is 0.
    """
    return 0.5 * (1.0 - np.cos(2.0 * np.pi * np.log2(1.0 + 15.0 * t / total))) + 0.0 * decay


SCHEDULES: dict[str, Schedule] = {
    schedule.name: schedule
    for schedule in (
        Schedule("constant", constant, decay=0.0),
        Schedule("step", step, decay=0.1),
        Schedule("inverse_time", inverse_time, decay=1e-4),
        Schedule("exponential", exponential, decay=0.01),
        Schedule("cosine", cosine, decay=0.0),
        Schedule("one_cycle", one_cycle, decay=4e-6),
        Schedule("coslog4", coslog4, decay=0.0),
        # Each time the loss has not fallen for `plateau_epochs`, the rate is multiplied by `decay`.
        Schedule("plateau", constant, decay=0.1),
    )
}


def multiplier(name: str, steps: Array, total: Array | float, decay: Array | float, warmup: Array | float) -> Array:
    """The factor on the learning rate at the given steps (counted from 0).

    With columns (K, 1) for `total` (all steps of the training), `decay` and `warmup` (a share of the steps), the
    result is (K, 1) for one step and (K, n) for n of them. The warm-up rises as 1/w, 2/w, ..., 1 over its w steps; the
    schedule begins where it ends. Steps beyond `total` get the last step's factor.
    """
    steps, total = np.asarray(steps, dtype=np.float64), np.asarray(total, dtype=np.float64)
    decay, warmup = np.asarray(decay, dtype=np.float64), np.asarray(warmup, dtype=np.float64)
    warm = np.floor(warmup * total)
    rest = np.maximum(total - warm, 1.0)
    t = np.clip(steps - warm, 0.0, rest - 1.0)
    rising = np.minimum((steps + 1.0) / np.maximum(warm, 1.0), 1.0)
    return SCHEDULES[name].factor(t, rest, decay) * rising


def anneal(t: Array, total: float) -> Array:
    """1 over the first half of the training, then a cosine's fall to 0: RealMLP's schedule for what regularises."""
    return 0.5 * (1.0 + np.cos(np.pi * np.clip(2.0 * t / total - 1.0, 0.0, 1.0)))


# The factor on the label smoothing in the steps t = 0, 1, ... of all of the training.
SMOOTHING_SCHEDULES: dict[str, Callable[[Array, float], Array]] = {
    "constant": lambda t, total: np.ones(np.shape(t)),
    "fade": anneal,
    "coslog4": lambda t, total: multiplier("coslog4", t, total, 0.0, 0.0),
}
