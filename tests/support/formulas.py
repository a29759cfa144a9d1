"""Activations as in a textbook, written independently of the engine's."""

import numpy as np
from scipy.special import expit

FORMULAS = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.1 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
    "softplus": lambda z: np.logaddexp(0.0, z),
    "gelu": lambda z: z * expit(np.sqrt(8 / np.pi) * (z + 0.044715 * z**3)),
    "silu": lambda z: z * expit(z),
    "mish": lambda z: z * np.tanh(np.logaddexp(0.0, z)),
    "maxout": lambda z: np.maximum(*np.split(z, 2, axis=1)),
}
