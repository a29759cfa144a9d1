"""Initialisers: where the weights start. Equal weights never separate and large ones saturate, so both are avoided."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Initializer = Callable[[np.random.Generator, int, int], Array]


def glorot(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Uniform in +-sqrt(6 / (n_in + n_out)): signals and gradients keep their size (Glorot & Bengio 2010, eq. 16)."""
    bound = np.sqrt(6.0 / (n_in + n_out))
    return generator.uniform(-bound, bound, size=(n_in, n_out))


def he(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Uniform in +-sqrt(6 / n_in): Glorot's idea for units that silence half their inputs (He et al. 2015, eq. 10)."""
    bound = np.sqrt(6.0 / n_in)
    return generator.uniform(-bound, bound, size=(n_in, n_out))


def uniform(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Uniform in +-0.05, whatever the layer's size: small random values."""
    return generator.uniform(-0.05, 0.05, size=(n_in, n_out))


def zeros(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """All zero: shows the symmetry that no gradient can break."""
    return np.zeros((n_in, n_out))


INITIALIZERS: dict[str, Initializer] = {"glorot": glorot, "he": he, "uniform": uniform, "zeros": zeros}


def initializer(name: str, rectifier: bool) -> Initializer:
    """The named initialiser; ``auto`` is He's before a rectifier, else Glorot's. Biases start at 0."""
    if name == "auto":
        return he if rectifier else glorot
    return INITIALIZERS[name]
