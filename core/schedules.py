"""Learning-rate schedules: pure functions of the step that give the factor on the learning rate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Schedule:
    """``factor(t, total, decay)``: t counts the steps after the warm-up from 0 to total - 1; all three broadcast.

    ``decay`` is the default for the hyperparameter of that name.
    """

    name: str
    factor: Callable[[Array, Array, Array], Array]
    decay: float


def constant(t: Array, total: Array, decay: Array) -> Array:
    """1 at every step."""
    return np.ones(np.broadcast_shapes(t.shape, total.shape, decay.shape))


def step(t: Array, total: Array, decay: Array) -> Array:
    """decay ^ floor(3 t / total): the rate falls by the factor ``decay`` after each third of the training."""
    return np.power(decay, np.floor(3.0 * t / total))


def inverse_time(t: Array, total: Array, decay: Array) -> Array:
    """1 / (1 + decay t): ``decay`` is per step, whatever the length of the training."""
    return 1.0 / (1.0 + decay * t)


def cosine(t: Array, total: Array, decay: Array) -> Array:
    """decay + (1 - decay) (1 + cos(pi t / total)) / 2: from 1 to ``decay`` (Loshchilov & Hutter 2017)."""
    return decay + (1.0 - decay) * 0.5 * (1.0 + np.cos(np.pi * t / total))


SCHEDULES: dict[str, Schedule] = {
    schedule.name: schedule
    for schedule in (
        Schedule("constant", constant, decay=0.0),
        Schedule("step", step, decay=0.1),
        Schedule("inverse_time", inverse_time, decay=1e-4),
        Schedule("cosine", cosine, decay=0.0),
    )
}


def multiplier(name: str, steps: Array, total: Array | float, decay: Array | float, warmup: Array | float) -> Array:
    """The factor on the learning rate at the given steps (counted from 0).

    With columns (K, 1) for ``total`` (all steps of the training), ``decay`` and ``warmup`` (a share of the steps), the
    result is (K, 1) for one step and (K, n) for n of them. The warm-up rises as 1/w, 2/w, ..., 1 over its w steps; the
    schedule begins where it ends. Steps beyond ``total`` get the last step's factor.
    """
    steps, total = np.asarray(steps, dtype=np.float64), np.asarray(total, dtype=np.float64)
    decay, warmup = np.asarray(decay, dtype=np.float64), np.asarray(warmup, dtype=np.float64)
    warm = np.floor(warmup * total)
    rest = np.maximum(total - warm, 1.0)
    t = np.clip(steps - warm, 0.0, rest - 1.0)
    rising = np.minimum((steps + 1.0) / np.maximum(warm, 1.0), 1.0)
    return SCHEDULES[name].factor(t, rest, decay) * rising
