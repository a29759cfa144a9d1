"""What a running sweep reports to an observer: the live view, plain lines, or nothing."""

import warnings
from dataclasses import dataclass
from typing import Any

from ..tracking.records import TrialRecord


@dataclass(frozen=True)
class SweepInfo:
    """The facts of a sweep that are known before its first trial.

    `total` is the number of trials that the sweep will count, at most if it has `seconds` or `epochs_total`, a budget in epochs;
    `direction` is "maximize" or "minimize". `expected_seconds` is how long it takes by the count of its operations, where that is
    known, and `model_seconds` how long, by the same count, the training that makes the model of them.
    """

    name: str
    method: str
    total: int
    workers: int
    max_epochs: int
    metric: str
    direction: str
    messages: tuple[str, ...] = ()
    seconds: float | None = None
    expected_seconds: float | None = None
    epochs_total: int | None = None
    model_seconds: float = 0.0

    @property
    def counts_trials(self) -> bool:
        """Whether the number of trials says how much of the sweep is done."""
        return self.seconds is None and self.epochs_total is None


class Observer:
    """Base class of the views; every method may be left as it is. All are called from the coordinator's thread."""

    def started(self, info: SweepInfo) -> None:
        """The data is read and the first trials are about to train."""

    def trained(self, expected: float, seconds: float, processor_seconds: float) -> None:
        """A job (a stack, some epochs) has returned after `seconds`, where the count of its operations says `expected`.

        It had a processor for `processor_seconds` of them.
        """

    def trial_advanced(self, number: int, epoch: int, value: float | None) -> None:
        """A segment of a trial has returned: it has trained `epoch` epochs and its objective now stands at `value`."""

    def trial_finished(self, trial: TrialRecord) -> None:
        """A trial is complete, pruned or failed."""

    def ensemble_advanced(self, value: float) -> None:
        """A batch has ended: what the ensemble of the trials so far scores on the rows that it is selected on."""

    def message(self, text: str) -> None:
        """Something worth a line: columns left out, a store that is slow, where to look."""

    def refitting(self, number: int) -> None:
        """The search is over, and its model is the best trial's configuration alone, which is being trained for it."""

    def finished(self, result: Any) -> None:
        """Everything is stored. `result` is the `SweepResult`."""


def __getattr__(name: str) -> Any:
    if name == "TrialSummary":
        warnings.warn(
            "mlptune.experiments.progress.TrialSummary is now mlptune.tracking.records.TrialRecord; the old name goes in the "
            "next minor version",
            DeprecationWarning,
            stacklevel=2,
        )
        return TrialRecord
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
