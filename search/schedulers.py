"""A scheduler says, at each rung, what every live trial does next; a pruner is its continue-or-stop case.

The coordinator trains all live trials of a batch to the epochs the scheduler named, reports their curves to Optuna,
and asks again, in trial order, once every one of them has arrived.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import Study
    from optuna.trial import Trial


class Decision:
    """What a live trial does next: one of :class:`Continue`, :class:`Pause`, :class:`Stop`, :class:`Copy`."""


@dataclass(frozen=True)
class Continue(Decision):
    """Train on until this epoch (counted from 1, included)."""

    until: int


@dataclass(frozen=True)
class Pause(Decision):
    """Keep the state and wait; the trial stays live and is asked again at the next rung."""


@dataclass(frozen=True)
class Stop(Decision):
    """Train no further; the trial ends as pruned, for this reason."""

    reason: str = "pruned"


@dataclass(frozen=True)
class Copy(Decision):
    """Take over the state of trial ``source``, with hyperparameters ``params``, and train on until this epoch."""

    source: int
    params: Mapping[str, Any]
    until: int


@dataclass(frozen=True)
class Progress:
    """A live trial at a rung.

    Attributes:
        number: the trial's number in the study.
        trial: Optuna's trial; everything up to ``epoch`` has been reported to it.
        epoch: epochs trained, 0 before the first stretch.
        values: the objective's value after epoch 1, 2, ... ``epoch``; None where there was none.
    """

    number: int
    trial: Trial
    epoch: int
    values: tuple[float | None, ...] = ()


class Scheduler(ABC):
    """The rule by which epochs are given to trials."""

    @abstractmethod
    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        """One decision for each live trial, in the order given (trial order).

        Asked at epoch 0 and whenever every live trial has reached its rung. A trial that has ended, because it has
        trained all its epochs, stopped early or diverged, is no longer live and is not passed in: it is complete (or
        diverged) whatever the scheduler would have said. Raises ValueError for one that is past the last epoch.
        """


class PrunerScheduler(Scheduler):
    """Continue or stop, as an Optuna pruner says; all trials share the same rungs, so that they stay stacked.

    The pruner is asked only at epochs at which its answer could be yes, which gives the same decisions as asking
    after every epoch. ``pruner`` must be the study's own, since ``trial.should_prune()`` asks that one.
    """

    def __init__(self, pruner: BasePruner, study: Study, max_epochs: int) -> None:
        if study.pruner is not pruner:
            raise ValueError("pruner: must be the study's own; pass it to create_study(pruner=...)")
        if max_epochs < 1:
            raise ValueError(f"max_epochs: {max_epochs!r} must be at least 1")
        self.pruner = pruner
        self.max_epochs = max_epochs
        self._is_rung = _rungs(pruner)

    @property
    def rungs(self) -> list[int]:
        """The epochs at which trials are judged, ascending; the last epoch is not one of them."""
        return [epoch for epoch in range(1, self.max_epochs) if self._is_rung(epoch)]

    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        return [self._decide(progress) for progress in live]

    def _decide(self, progress: Progress) -> Decision:
        epoch = progress.epoch
        if epoch >= self.max_epochs:
            raise ValueError(f"trial {progress.number}: has ended, it has trained {epoch} of {self.max_epochs} epochs")
        if epoch > 0 and progress.trial.should_prune():
            return Stop(f"stopped at epoch {epoch}, short of the others")
        return Continue(next((e for e in range(epoch + 1, self.max_epochs) if self._is_rung(e)), self.max_epochs))


def scheduler(pruner: BasePruner, study: Study, max_epochs: int) -> Scheduler:
    """The scheduler for a study's pruner and trials of at most ``max_epochs`` epochs."""
    return PrunerScheduler(pruner, study, max_epochs)


def _rungs(pruner: BasePruner) -> Callable[[int], bool]:
    """Whether a pruner may stop a trial at an epoch, given that every epoch is reported.

    Exact types only: a subclass may prune when it likes. A pruner we do not know, or one whose rungs are not settled
    yet (``min_resource="auto"``), is asked at every epoch.
    """
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner, PercentilePruner, SuccessiveHalvingPruner

    if type(pruner) is NopPruner:
        return lambda epoch: False
    if isinstance(pruner, PercentilePruner) and type(pruner) in (MedianPruner, PercentilePruner):
        warmup, interval = pruner._n_warmup_steps, pruner._interval_steps

        def first_in_interval(epoch: int) -> bool:
            # Steps are judged once an interval, at its first report: with every epoch reported that is its first
            # epoch, or epoch 1 where the first interval begins at step 0.
            return epoch >= warmup and (epoch == 1 or (epoch - warmup) % interval == 0)

        return first_in_interval
    if type(pruner) is SuccessiveHalvingPruner and pruner._min_resource is not None:
        return _powers(
            pruner._min_resource * pruner._reduction_factor**pruner._min_early_stopping_rate, pruner._reduction_factor
        )
    if type(pruner) is HyperbandPruner:
        # The rungs of bracket 0 hold those of all brackets.
        return _powers(pruner._min_resource, pruner._reduction_factor)
    return lambda epoch: True


def _powers(first: int, factor: int) -> Callable[[int], bool]:
    """Whether an epoch is one of first, first * factor, first * factor ** 2, ..."""

    def is_rung(epoch: int) -> bool:
        while epoch > first and epoch % factor == 0:
            epoch //= factor
        return epoch == first

    return is_rung
