"""What lies where in theta (K, P), and how parameters and buffers start."""

import numpy as np

from .activations import ACTIVATIONS
from .array import Array
from .hyperparameters import Hyperparameters
from .initializers import initializer
from .layers.category import CategoryEmbedding
from .optimizers import OPTIMIZERS
from .structure import Structure


def weight_blocks(structure: Structure, theta: Array) -> list[Array]:
    """For each layer a view (K, in + 1, out) of theta (K, P); the last row holds the biases."""
    return [
        theta[:, start : start + layer.n_block].reshape(len(theta), layer.n_in + 1, layer.n_out)
        for layer, (start, _) in zip(structure.layers, structure.offsets, strict=True)
    ]


def learning_rate_groups(structure: Structure) -> list[tuple[int, int, float]]:
    """The param groups: columns of theta from start to end and the factor on their learning rate; they cover theta.

    The neural tangent parametrisation (Jacot et al. 2018) writes a layer as x W / sqrt(n_in) + b with W of the size of
    1. Steps on such a W are steps on the W / sqrt(n_in) that is stored here, shorter by sqrt(n_in) if the optimizer
    takes steps of the rate's length whatever the gradient's, and by n_in with plain gradients. RealMLP goes with it, in
    which biases and embeddings learn at a tenth of the rate, and the factors on features at six times the rate.
    """
    if structure.parametrization == "standard":
        return [(0, structure.n_parameters, 1.0)]
    power = -0.5 if OPTIMIZERS[structure.optimizer].is_adaptive else -1.0
    start = 0
    embedder, sizes = structure.embedder, []
    if embedder is not None:
        of_numbers = embedder.n_of_layer if isinstance(embedder, CategoryEmbedding) else embedder.n_parameters
        sizes = [(of_numbers, 0.1), (embedder.n_parameters - of_numbers, 1.0)]
    for layer in structure.layers:
        sizes += [(layer.n_in * layer.n_out, layer.n_in**power), (layer.n_out, 0.1), (layer.n_gains, 1.0)]
        sizes.append((layer.n_in if layer.scaled else 0, 6.0))
    groups = []
    for size, factor in sizes:
        if size:
            groups.append((start, start + size, factor))
            start += size
    return groups


def initial_parameters(structure: Structure, hp: Hyperparameters, generator: np.random.Generator) -> Array:
    """One network's parameters (P,) at the start; drawn in float64, so that both precisions start alike."""
    parts = []
    if structure.embedder is not None:
        parts.append(structure.embedder.initial(hp.embedding_sigma, generator))
    for layer in structure.layers:
        fill = initializer(hp.init, ACTIVATIONS[layer.activation].init)
        parts.append(fill(generator, layer.n_in, layer.n_out).ravel())
        parts.append(np.zeros(layer.n_out))
        parts.append(np.ones(layer.n_parameters - layer.n_block))
    return np.concatenate(parts).astype(structure.dtype)


def initial_buffers(structure: Structure) -> Array:
    """One network's buffers (R,) at the start: its scaling, then means and variances of each layer with batch norm.

    The scaling changes nothing until the first rows are seen (`fitting.fit`); one by quantiles makes all inputs 0.
    """
    n_inputs, n_targets = structure.n_scaling
    n_scaled = 0 if structure.scaling in ("none", "quantile") else structure.n_numeric
    parts = [np.repeat([0.0, 1.0], n_scaled), np.zeros(n_inputs - 2 * n_scaled)]
    parts.append(np.repeat([0.0, 1.0, -np.inf, np.inf], n_targets // 4))
    parts += [np.repeat([0.0, 1.0], layer.n_buffers // 2) for layer in structure.layers]
    return np.concatenate(parts).astype(structure.dtype)
