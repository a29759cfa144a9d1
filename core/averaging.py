"""Averages of the parameters: what is trained, theta, need not be what is evaluated.

An average is a slot beside the optimizer's. It starts at the initial theta, is moved in every step, and takes theta's
place in validation, in the checkpoint and so in predictions; training goes on with theta. Statistics of batch
normalisation stay those of the passes of training.
"""

import numpy as np

from .array import Array


def ema_decay(ema: float, number: Array) -> Array:
    """The decay of an exponential moving average in the steps of these numbers, counted from 0.

    min(ema, (1 + t) / (10 + t)), the warm-up of TensorFlow's ExponentialMovingAverage: the first steps, which are far
    from the last ones, are forgotten soon.
    """
    return np.minimum(ema, (1.0 + number) / (10.0 + number))


def move_average(average: Array, theta: Array, share: Array, scratch: Array) -> None:
    """average = decay average + (1 - decay) theta, as average += share (theta - average), whose fixed point is exact.

    `average` and `theta` are (K, P), `share`, 1 - decay, is a column (K, 1).
    """
    np.subtract(theta, average, out=scratch)
    np.multiply(scratch, share, out=scratch)
    np.add(average, scratch, out=average)
