"""What every view of a running sweep knows: the counts, the leaders, the running trials and the time left."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from .._text import counted
from ..tracking.records import TrialRecord
from .progress import Observer, SweepInfo
from .ranking import ranked
from .short import clock_text, number_text, time_text
from .time_left import TimeLeft

LEADERS = 5


def headline(info: SweepInfo) -> str:
    """Return the line that says what is being swept."""
    better = "higher is better" if info.direction == "maximize" else "lower is better"
    many = counted(info.total, "trial")
    if info.epochs_total is not None:
        many = f"{counted(info.epochs_total, 'epoch')} of trials"
    if info.seconds is not None:
        many = f"{time_text(info.seconds)} of trials"
    trials = f"{many} by {info.method}"
    size = f"{counted(info.max_epochs, 'epoch')}, {counted(info.workers, 'worker')}"
    return f"{info.name}: {trials}, {info.metric} ({better}), {size}"


MODEL_TEXT = "all trials have ended; making the model of the best ones, and scoring it"


def refit_text(number: int) -> str:
    """Return the line that says what happens after the last trial, where the model is that of one trial alone."""
    return f"training the configuration of trial {number} on all rows that are not test"


def running_text(running: Mapping[int, tuple[int, float | None]], max_epochs: int, width: int | None = None) -> str:
    """Return the running trials, each with the epochs that it has trained and the value that it stands at.

    It is the first eight of them, or as many as fit in `width` characters.
    """
    each = [
        " ".join([f"#{number}", f"{epoch}/{max_epochs}", *([] if value is None else [number_text(value)])])
        for number, (epoch, value) in sorted(running.items())
    ]
    count = min(len(each), 8)
    while width is not None and count > 1 and len(_first(each, count)) > width:
        count -= 1
    return _first(each, count)


def _first(texts: Sequence[str], count: int) -> str:
    return "  ".join([*texts[:count], *([f"and {len(texts) - count} more"] if len(texts) > count else [])])


class View(Observer):
    """The state that views share, kept up to date by what the sweep reports. It is a context manager.

    `clock` counts seconds, `now` is the time of day, in which a time to come is told.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = datetime.now) -> None:
        self.clock = clock
        self.now = now
        self.info: SweepInfo | None = None
        self.done = self.epochs = 0
        self.states: dict[str, int] = {}
        self.leaders: list[TrialRecord] = []
        self.running: dict[int, tuple[int, float | None]] = {}
        self.ensemble: float | None = None
        self.over = False
        self.began = clock()
        self._left = TimeLeft(self.began, 0)

    def __enter__(self) -> "View":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the terminal back; called at the end, also after an error or Ctrl-C."""

    def started(self, info: SweepInfo) -> None:
        self.info = info
        self.began = self.clock()
        self._left = TimeLeft(
            self.began, info.total, info.expected_seconds, workers=info.workers, model=info.model_seconds
        )

    def trained(self, expected: float, seconds: float, processor_seconds: float) -> None:
        self._left.trained(self.clock(), expected, seconds, processor_seconds)

    def trial_advanced(self, number: int, epoch: int, value: float | None) -> None:
        self.running[number] = (epoch, value)
        self._left.advance(self.clock(), self.done + self.part())

    def trial_finished(self, trial: TrialRecord) -> None:
        self.running.pop(trial.number, None)
        self.done += 1
        self.epochs += trial.epochs
        self.states[trial.state] = self.states.get(trial.state, 0) + 1
        self._left.advance(self.clock(), self.done + self.part())
        direction = self.info.direction if self.info else "maximize"
        self.leaders = ranked([*self.leaders, trial], direction)[:LEADERS]

    def finished(self, result: Any) -> None:
        self.running.clear()
        self.over = True

    def ensemble_advanced(self, value: float) -> None:
        self.ensemble = value

    @property
    def count(self) -> str:
        """How many trials are done, of how many where that is known."""
        return f"{self.done}/{self.info.total}" if self.info and self.info.counts_trials else str(self.done)

    @property
    def share(self) -> float:
        """How much of the sweep is done, from 0 to 1."""
        if self.info is None:
            return 0.0
        if self.info.seconds is not None:
            return min((self.clock() - self.began) / self.info.seconds, 1.0)
        of_trials = min((self.done + self.part()) / max(self.info.total, 1), 1.0)
        if self.info.epochs_total is None:
            return of_trials
        spent = self.epochs + sum(epoch for epoch, _ in self.running.values())
        return max(min(spent / self.info.epochs_total, 1.0), of_trials)

    @property
    def best(self) -> TrialRecord | None:
        """The best complete trial so far."""
        return self.leaders[0] if self.leaders else None

    @property
    def searched(self) -> bool:
        """Whether all trials have ended: what follows is making the model of them."""
        return self.info is not None and self.info.counts_trials and self.done >= self.info.total

    def times(self) -> str:
        """How long the sweep has run, how long it will, and at what time of day that ends."""
        spent, left = time_text(self.clock() - self.began), self.seconds_left()
        if left is None or self.searched or self.over:
            return spent
        return f"{spent}, {time_text(left)} left, {self.end_text(left)}"

    def end_text(self, left: float) -> str:
        """Return the time of day at which what takes `left` more seconds ends."""
        now = self.now()
        return f"ends at {clock_text(now + timedelta(seconds=left), now)}"

    def seconds_left(self) -> float | None:
        """Estimate the seconds until the model is made; None before there is anything to estimate from."""
        if self.info is not None and self.info.seconds is not None:
            return max(self.info.seconds - (self.clock() - self.began), 0.0)
        if self.info is not None and self.info.epochs_total is not None:
            spent, share = self.clock() - self.began, self.share
            return spent * (1 - share) / share if share > 0 else None
        return self._left.seconds(self.clock())

    def part(self) -> float:
        """How much of the running trials is done, in trials: they may all run at once, as a population does."""
        most = max(self.info.max_epochs, 1) if self.info else 1
        return sum(min(epoch / most, 1.0) for epoch, _ in self.running.values())
