"""What a network costs: multiply-adds and bytes."""

from .parameters import n_parameters
from .structure import Structure


def operations(structure: Structure) -> int:
    """Multiply-adds of one training epoch of one network: the layers' products and the optimizer's passes."""
    embedder = structure.embedder
    below = 0 if embedder is None else 1
    products = sum((3 if i + below else 2) * layer.n_parameters for i, layer in enumerate(structure.layers))
    if embedder is not None:
        products += embedder.n_operations
    passes = 2 + 4 * structure.rule.n_slots
    return structure.n_rows * products + structure.steps * passes * n_parameters(structure)
