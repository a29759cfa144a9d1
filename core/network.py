"""One network of a stack: what it is trained with, and its own streams of random numbers."""

from dataclasses import dataclass

import numpy as np

from .hyperparameters import Hyperparameters

# What a network draws random numbers for. Each purpose has a stream of its own, so that none shifts another.
INITIALIZATION, DROPOUT, DATA_INITIALIZATION = 0, 1, 2


@dataclass(frozen=True)
class Network:
    """One network of a stack: its hyperparameters, the seed of its initialisation and dropout, and its fold's index."""

    hyperparameters: Hyperparameters
    seed: int
    fold: int = 0

    def stream(self, purpose: int, *tags: int) -> np.random.SFC64:
        """The random bits for one purpose: a function of the seed, the purpose and the tags alone."""
        return np.random.SFC64(np.random.SeedSequence((self.seed, purpose, *tags)))
