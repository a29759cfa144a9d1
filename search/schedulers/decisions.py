"""The interface of schedulers: at each rung a scheduler decides what every live trial does next.

The coordinator asks a batch, trains all live trials to the epochs that the scheduler named, reports their curves to Optuna, and
asks the scheduler again, in trial order, once all of them have arrived. A paused trial stays live; once all live trials are
paused the next batch is asked, and the scheduler then sees the paused trials beside the new ones.
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
    """Train until the end of this epoch, counted from 1."""

    until: int


@dataclass(frozen=True)
class Pause(Decision):
    """Keep the state; the trial stays live, and the scheduler is asked again at every later rung."""


@dataclass(frozen=True)
class Stop(Decision):
    """End the trial as pruned, for this reason."""

    reason: str = "pruned"


@dataclass(frozen=True)
class Copy(Decision):
    """Replace network and configuration by those of trial `source`, change `params`, and train until the end of this epoch.

    `source` is a live trial at the same epoch (itself, to change only its own hyperparameters); its state at this rung is
    copied, whatever is decided for it. `params` are hyperparameters that may change during training.
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
        epoch: epochs trained, 0 before the first rung.
        values: the objective's value after epoch 1, 2, ... `epoch`; None where there was none.
        configuration: its hyperparameters, with its `changes` (`[epoch, values from this epoch on]`).
    """

    number: int
    trial: Trial
    epoch: int
    values: tuple[float | None, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)


def refuse_ended(live: Sequence[Progress], max_epochs: int) -> None:
    """ValueError if one of the trials has trained all its epochs: it has ended, and nothing is left to decide."""
    for progress in live:
        if progress.epoch >= max_epochs:
            raise ValueError(
                f"trial {progress.number}: has ended, it has trained {progress.epoch} of {max_epochs} epochs"
            )


class Scheduler(ABC):
    """The rule that decides how long each trial trains.

    `changing` are the hyperparameters that its copies may change.
    """

    changing: tuple[str, ...] = ()

    @abstractmethod
    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        """One decision for each live trial, in the order given (trial order).

        Called at epoch 0 and whenever all live trials have reached their rungs. A trial that has ended, because it has
        trained all its epochs, stopped early or diverged, is no longer live and is not passed in. Raises ValueError for a
        trial that is past the last epoch.
        """

    def finish(self, live: Sequence[Progress]) -> list[Decision]:
        """Decide as `decide` does, after the last batch, when all live trials are paused and no others will follow.

        Called until no trial continues; those still paused are then stopped.
        """
        return [Pause()] * len(live)

    def batch(self, first: int) -> int | None:
        """The size of the batch that begins with trial `first`; None leaves it to the sweep."""
        return None

    def describe(self, total: int) -> list[str]:
        """Lines for the user, before the start: how `total` trials will be trained."""
        return []

    def notices(self) -> list[str]:
        """Lines for the user, each given once: what has been decided since."""
        return []
