"""Initialisers: where the weights start. Equal weights never separate and large ones saturate, so both are avoided."""

from collections.abc import Callable

import numpy as np

from .array import Array

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


def lecun(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Uniform in +-sqrt(3 / n_in): sums of inputs of variance 1 have variance 1 (LeCun et al. 1998, eq. 16)."""
    bound = np.sqrt(3.0 / n_in)
    return generator.uniform(-bound, bound, size=(n_in, n_out))


def orthogonal(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """A random matrix of orthonormal columns, or rows if they are fewer: no length is lost (Saxe et al. 2014).

    It is the Q of a normal matrix's QR decomposition, with the signs that make R's diagonal positive, so that every
    orthogonal matrix is as likely (Mezzadri 2007).
    """
    normal = generator.normal(size=(max(n_in, n_out), min(n_in, n_out)))
    q, r = np.linalg.qr(normal)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)
    return q if n_in >= n_out else q.T


def zeros(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """All zero: shows the symmetry that no gradient can break."""
    return np.zeros((n_in, n_out))


def data(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Normal with variance 1 / n_in, until the first training rows scale each unit's sums and set its bias.

    What the rows do is in `fitting`.
    """
    return generator.normal(0.0, n_in**-0.5, size=(n_in, n_out))


INITIALIZERS: dict[str, Initializer] = {
    "data": data,
    "glorot": glorot,
    "he": he,
    "lecun": lecun,
    "orthogonal": orthogonal,
    "uniform": uniform,
    "zeros": zeros,
}


def initializer(name: str, suited: str) -> Initializer:
    """The named initialiser; `auto` is the one that suits the layer's activation. Biases start at 0.

    He's suits what silences half its inputs (relu, leaky_relu, elu, gelu, silu, mish), LeCun's selu and maxout,
    Glorot's the rest and the output.
    """
    return INITIALIZERS[suited if name == "auto" else name]
