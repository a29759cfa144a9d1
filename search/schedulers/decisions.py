"""What a scheduler is: at each rung it says what every live trial does next.

The coordinator asks a batch, trains all live trials to the epochs the scheduler named, reports their curves to Optuna, and asks
the scheduler again, in trial order, once every one of them has arrived. A paused trial stays live and waits; once all that live
are paused the next batch is asked, and the scheduler then sees the paused trials beside the new ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.trial import Trial


class Decision:
    """What a live trial does next: one of `Continue`, `Pause`, `Stop`, `Copy`."""


@dataclass(frozen=True)
class Continue(Decision):
    """Train on until this epoch (counted from 1, included)."""

    until: int


@dataclass(frozen=True)
class Pause(Decision):
    """Keep the state and wait; the trial stays live, and its scheduler is asked again at every rung to come."""


@dataclass(frozen=True)
class Stop(Decision):
    """Train no further; the trial ends as pruned, for this reason."""

    reason: str = "pruned"


@dataclass(frozen=True)
class Copy(Decision):
    """Take over network and configuration of trial `source`, change `params` in it, and train on until this epoch.

    `source` is a live trial at the same epoch (itself, to change only its own hyperparameters); it counts as it stands
    at this rung, whatever is decided for it. `params` are hyperparameters that may change during training.
    """

    source: int
    params: Mapping[str, Any]
    until: int


@dataclass(frozen=True)
class Progress:
    """A live trial at a rung.

    Attributes:
        number: the trial's number in the study.
        trial: Optuna's trial; everything up to `epoch` has been reported to it.
        epoch: epochs trained, 0 before the first stretch.
        values: the objective's value after epoch 1, 2, ... `epoch`; None where there was none.
        configuration: what it trains with, its `changes` (`[epoch, values in force from it on]`) included.
    """

    number: int
    trial: Trial
    epoch: int
    values: tuple[float | None, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)


class Scheduler(ABC):
    """The rule by which epochs are given to trials.

    `changing` are the hyperparameters that its copies may change.
    """

    changing: tuple[str, ...] = ()

    @abstractmethod
    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        """One decision for each live trial, in the order given (trial order).

        Asked at epoch 0 and whenever every live trial has reached its rung. A trial that has ended, because it has
        trained all its epochs, stopped early or diverged, is no longer live and is not passed in: it is complete (or
        diverged) whatever the scheduler would have said. Raises ValueError for one that is past the last epoch.
        """

    def finish(self, live: Sequence[Progress]) -> list[Decision]:
        """Decide as `decide` does, after the last batch, when all that live are paused: no trials will be added.

        Asked until nobody trains any more; who is paused then is stopped.
        """
        return [Pause()] * len(live)

    def batch(self, first: int) -> int | None:
        """How many trials the batch beginning with trial `first` holds; None leaves it to the sweep."""
        return None

    def describe(self, total: int) -> list[str]:
        """Lines that tell a person, before it starts, how `total` trials will be trained."""
        return []
