"""What a network costs: multiply-adds and bytes, and how many networks may therefore train together.

All limits decide the speed alone: a network's numbers do not depend on its neighbours.
"""

import numpy as np

from .structure import Structure

# A step passes over all that its networks work on, once for each operation. What a core's cache does not hold makes each
# pass wait for memory, so a stack with a larger working set is trained in parts, one after the other.
CACHE_BYTES = 4 << 20

# Beyond the cache stacking no longer pays, so the networks of one job have at most this much state, and the rest go to
# other workers; but sixteen may always be in one job, which prepares its rows once for all of them (a tenth of the time
# of a job of four) and takes those that do not fit the cache one part after the other.
STACK_BYTES, LEAST_STACK = 3 << 20, 16

# A job's state travels to its worker and back, and both ends hold a copy.
JOB_BYTES = 256 << 20

# Multiply-adds that a core does in a second in stacks of twelve networks of 128 and 256 units (19e9 to 28e9 were measured on shared
# machines with an AMD EPYC), and what each step of a network costs beside them, in the same measure.
OPERATIONS_A_SECOND, OPERATIONS_A_STEP = 24e9, 5e6


def operations(structure: Structure) -> int:
    """Multiply-adds of one training epoch of one network: the layers' products and the optimizer's passes."""
    embedder = structure.embedder
    # The lowest layer needs no gradient by its inputs: two products instead of three.
    first = 0 if embedder is None else 1
    products = sum((3 if i + first else 2) * layer.n_parameters for i, layer in enumerate(structure.layers))
    if embedder is not None:
        products += embedder.n_operations
    passes = 2 + 4 * structure.n_slots
    return structure.n_rows * products + structure.steps * passes * structure.n_parameters


def epoch_cost(structure: Structure) -> float:
    """What a training epoch of one network costs beside others in a stack, in multiply-adds: times are predicted by it."""
    return operations(structure) + structure.steps * OPERATIONS_A_STEP


def state_bytes(structure: Structure) -> int:
    """Bytes of one network's state in float32: parameters, checkpoint and slots, of which Adam has two; so many at least."""
    return 4 * (2 + max(2, structure.n_slots)) * structure.n_parameters


def working_set_bytes(structure: Structure) -> int:
    """Bytes that a step of one network touches: parameters, gradient, slots, scratch, activations and deltas."""
    flat = structure.n_parameters * (3 + structure.n_slots)
    skips = structure.by_layer(structure.skip)
    units = sum(2 * size if skip else size for size, skip in zip(structure.hidden, skips, strict=True))
    if structure.embedder is not None:
        units += structure.embedder.n_inner
    return int(np.dtype(structure.dtype).itemsize) * (flat + 3 * units * structure.batch_size)


def networks_per_part(structure: Structure) -> int:
    """How many networks take their steps together."""
    return max(1, CACHE_BYTES // working_set_bytes(structure))


def networks_per_job(structure: Structure) -> int:
    """How many networks one job may train."""
    network = state_bytes(structure)
    return min(max(LEAST_STACK, STACK_BYTES // network), max(1, JOB_BYTES // network))
