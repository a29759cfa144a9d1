"""The state of a stack: everything that training changes, so that any process can take the next stretch of epochs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from .array import Array

RUNNING, FINISHED, DIVERGED = 0, 1, 2


@dataclass
class State:
    """Everything of K networks that training changes, with leading axis K.

    theta (K, P) parameters in training; slots (K, S, P) of the optimizer, and of an average of theta; buffers (K, R),
    numbers that a network keeps beside its parameters: the scaling of its inputs and targets, the edges of its bins, the
    running statistics of batch norm; best_theta (theta, or the average that is evaluated in its place), best_buffers,
    best_loss (K,) and best_epoch (K,): the checkpoint of early stopping, or the last epoch;
    epoch (K,) epochs trained; step (K,) optimizer steps taken; status (K,) one of RUNNING, FINISHED, DIVERGED;
    rate_factor (K,) by which plateaus have changed the learning rate, and what the plateau schedule and the stop on
    tolerance remember: plateau, progress (K, 2), the loss that the next must be below and the epochs since it was seen.
    """

    theta: Array
    slots: Array
    buffers: Array
    best_theta: Array
    best_buffers: Array
    best_loss: Array
    best_epoch: Array
    epoch: Array
    step: Array
    status: Array
    rate_factor: Array
    plateau: Array
    progress: Array

    def __len__(self) -> int:
        return len(self.theta)

    def take(self, indices: Sequence[int] | Array) -> "State":
        """A copy that holds the networks at these positions, in this order."""
        rows = np.asarray(indices, dtype=np.intp)
        return State(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def put(self, indices: Sequence[int] | Array, other: "State") -> None:
        """Write the networks of `other` to these positions."""
        rows = np.asarray(indices, dtype=np.intp)
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)

    @staticmethod
    def concatenate(states: Sequence["State"]) -> "State":
        """One state that holds the networks of all, which must be of one structure, in order."""
        return State(
            **{field.name: np.concatenate([getattr(state, field.name) for state in states]) for field in fields(State)}
        )
