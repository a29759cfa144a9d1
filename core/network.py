"""One network of a stack: what it is trained with, and its own streams of random numbers."""

from dataclasses import dataclass

import numpy as np

from .hyperparameters import Hyperparameters

# What a network draws random numbers for. Each purpose has a stream of its own, so that none shifts another.
INITIALIZATION, DROPOUT, DATA_INITIALIZATION = 0, 1, 2


# NumPy's SeedSequence takes a larger number for several words of 32 bits: seed 2**32 with purpose 2 would be seed 0 with 1 and 2.
SEEDS = 2**32


def check_seed(name: str, seed: int) -> None:
    """ValueError unless the seed is one of the `SEEDS` from 0 up whose streams all differ."""
    if not 0 <= seed < SEEDS:
        raise ValueError(f"{name} must be from 0 to {SEEDS - 1}, got {seed}")


@dataclass(frozen=True)
class Network:
    """One network of a stack: its hyperparameters, the seed of its initialisation and dropout, and its fold's index.

    The seed is a whole number from 0 to 2**32 - 1; ValueError for another one.
    """

    hyperparameters: Hyperparameters
    seed: int
    fold: int = 0

    def __post_init__(self) -> None:
        check_seed("seed", self.seed)

    def stream(self, purpose: int, *tags: int) -> np.random.SFC64:
        """The random bits for one purpose: a function of the seed, the purpose and the tags alone."""
        return np.random.SFC64(np.random.SeedSequence((self.seed, purpose, *tags)))
