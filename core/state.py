"""The state of a stack: everything that training changes, so that any process can take the next stretch of epochs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from .array import Array

RUNNING, FINISHED, DIVERGED = 0, 1, 2
STATUS_NAMES = ("running", "finished", "diverged")


@dataclass
class State:
    """Everything of K networks that training changes, with leading axis K.

    theta (K, P) parameters; slots (K, S, P) of the optimizer; running (K, R) statistics of normalising layers;
    best_theta, best_running, best_loss (K,) and kept_epoch (K,): what early stopping keeps, or the last epoch;
    epoch (K,) epochs trained; step (K,) optimizer steps taken; status (K,) one of RUNNING, FINISHED, DIVERGED;
    rate_factor (K,) by which plateaus have changed the learning rate, and what the plateau schedule and the stop on
    tolerance remember: plateau, progress (K, 2), the loss that the next must be below and the epochs since it was seen.
    """

    theta: Array
    slots: Array
    running: Array
    best_theta: Array
    best_running: Array
    best_loss: Array
    kept_epoch: Array
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

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(int(getattr(self, field.name).nbytes) for field in fields(self))

    @property
    def status_names(self) -> list[str]:
        """The status of each network as running, finished or diverged."""
        return [STATUS_NAMES[code] for code in self.status]
