"""Continue or stop, as an Optuna pruner decides: the scheduler of every method that has none of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .decisions import Continue, Decision, Progress, Scheduler, Stop, refuse_ended

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.study import Study


class PrunerScheduler(Scheduler):
    """Continue or stop, as an Optuna pruner decides; all trials share the same rungs, so that they stay stacked.

    The pruner is asked only at epochs at which it could stop a trial, which gives the same decisions as asking it after
    every epoch.
    """

    def __init__(self, study: Study, max_epochs: int) -> None:
        self.max_epochs = max_epochs
        self._is_rung = _rungs(study.pruner)

    @property
    def rungs(self) -> list[int]:
        """The epochs at which trials are judged, ascending; the last epoch is not one of them."""
        return [epoch for epoch in range(1, self.max_epochs) if self._is_rung(epoch)]

    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        refuse_ended(live, self.max_epochs)
        return [self._decide(progress) for progress in live]

    def _decide(self, progress: Progress) -> Decision:
        epoch = progress.epoch
        if epoch > 0 and progress.trial.should_prune():
            return Stop(f"stopped at epoch {epoch}, below the cut-off")
        return Continue(next((e for e in range(epoch + 1, self.max_epochs) if self._is_rung(e)), self.max_epochs))


def _rungs(pruner: BasePruner) -> Callable[[int], bool]:
    """Whether a pruner may stop a trial at an epoch, given that every epoch is reported.

    Exact types only: a subclass may prune at any epoch. An unknown pruner, or one whose rungs are not determined yet
    (`min_resource="auto"`), is asked at every epoch, unless it has a method `asks` that says at which.
    """
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner, PercentilePruner, SuccessiveHalvingPruner

    if type(pruner) is NopPruner:
        return lambda epoch: False
    if isinstance(pruner, PercentilePruner) and type(pruner) in (MedianPruner, PercentilePruner):
        warmup, interval = pruner._n_warmup_steps, pruner._interval_steps

        def first_in_interval(epoch: int) -> bool:
            # A trial is judged once an interval, at its first report: with every epoch reported that is the interval's
            # first epoch, or epoch 1 if the first interval begins at step 0.
            return epoch >= warmup and (epoch == 1 or (epoch - warmup) % interval == 0)

        return first_in_interval
    if type(pruner) is SuccessiveHalvingPruner and pruner._min_resource is not None:
        return _powers(
            pruner._min_resource * pruner._reduction_factor**pruner._min_early_stopping_rate, pruner._reduction_factor
        )
    if type(pruner) is HyperbandPruner:
        # The rungs of bracket 0 include those of all brackets.
        return _powers(pruner._min_resource, pruner._reduction_factor)
    asks: Callable[[int], bool] | None = getattr(pruner, "asks", None)
    return asks or (lambda epoch: True)


def _powers(first: int, factor: int) -> Callable[[int], bool]:
    """Whether an epoch is one of first, first * factor, first * factor ** 2, ..."""

    def is_rung(epoch: int) -> bool:
        while epoch > first and epoch % factor == 0:
            epoch //= factor
        return epoch == first

    return is_rung
