"""What a running sweep reports to an observer: the live view, plain lines, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SweepInfo:
    """The facts of a sweep that are known before its first trial.

    `total` is the number of trials that the sweep will count; `direction` is "maximize" or "minimize".
    """

    name: str
    method: str
    total: int
    workers: int
    max_epochs: int
    metric: str
    direction: str
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrialSummary:
    """One trial as users see it, in `show`, in the live view and in `SweepResult.trials`.

    `state` is running, complete, pruned or failed; `value` is the objective, None where there is none; `epochs` counts those
    trained; `spread` is the standard deviation over the trial's networks (seeds and folds), None for a single network.
    A trial that has copied others, `copied` as (epoch, trial), has a `configuration` other than its `params` say: training
    that one from the start gives its network.
    """

    number: int
    state: str
    value: float | None
    params: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 0
    run_id: str | None = None
    reason: str | None = None
    spread: float | None = None
    configuration: Mapping[str, Any] | None = None
    copied: tuple[tuple[int, int], ...] = ()


class Observer:
    """Base class of the views; every method may be left as it is. All are called from the coordinator's thread."""

    def started(self, info: SweepInfo) -> None:
        """The data is read and the first trials are about to train."""

    def trial_advanced(self, number: int, epoch: int, value: float | None) -> None:
        """A segment of a trial has returned: it has trained `epoch` epochs and its objective now stands at `value`."""

    def trial_finished(self, trial: TrialSummary) -> None:
        """A trial is complete, pruned or failed."""

    def message(self, text: str) -> None:
        """Something worth a line: columns left out, a store that is slow, where to look."""

    def refitting(self, number: int) -> None:
        """The search is over; the best trial's configuration is being trained on all rows that are not test."""

    def finished(self, result: Any) -> None:
        """Everything is stored. `result` is the `SweepResult`."""
