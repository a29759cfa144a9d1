"""The costs of a prediction that are counted and never clocked: functions of a network's structure, the same on every machine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .structure import Structure


@dataclass(frozen=True)
class CountedCost:
    """A cost of one network.

    Attributes:
        count: The cost of a network of this structure.
        about: What is counted.
    """

    count: Callable[[Structure], int]
    about: str


def prediction_operations(structure: Structure) -> int:
    """Multiply-adds of one network's prediction for one row.

    A dense layer uses each of its parameters once. An embedding takes half of what it takes in training, where each product
    has its derivative. Activations and the scaling of the inputs are not counted.
    """
    embedder = structure.embedder
    below = 0 if embedder is None else embedder.n_operations // 2
    return below + sum(layer.n_parameters for layer in structure.layers)


def parameter_bytes(structure: Structure) -> int:
    """Bytes of one network's parameters, as they are trained and stored."""
    return int(np.dtype(structure.dtype).itemsize) * structure.n_parameters


COUNTED: dict[str, CountedCost] = {
    "operations": CountedCost(prediction_operations, "multiply-adds of a prediction for one row"),
    "parameters": CountedCost(lambda structure: structure.n_parameters, "weights, biases and embeddings"),
    "bytes": CountedCost(parameter_bytes, "bytes of the stored parameters"),
}
