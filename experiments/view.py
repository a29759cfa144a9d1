"""What every view of a running sweep knows: the counts, the leaders, the running trials and the time left."""

import time
from collections import deque
from collections.abc import Callable
from types import TracebackType

from .._text import counted
from ..tracking.records import TrialRecord
from .progress import Observer, SweepInfo
from .ranking import ranked
from .short import time_text

LEADERS = 5
RATE_WINDOW = 32
"""Finished trials that the time left is estimated from: recent ones, since a resume brings many at once."""


def headline(info: SweepInfo) -> str:
    """Return the line that says what is being swept."""
    better = "higher is better" if info.direction == "maximize" else "lower is better"
    many = counted(info.total, "trial") if info.seconds is None else f"{time_text(info.seconds)} of trials"
    trials = f"{many} by {info.method}"
    size = f"{counted(info.max_epochs, 'epoch')}, {counted(info.workers, 'worker')}"
    return f"{info.name}: {trials}, {info.metric} ({better}), {size}"


class View(Observer):
    """The state that views share, kept up to date by what the sweep reports. It is a context manager."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.info: SweepInfo | None = None
        self.done = 0
        self.states: dict[str, int] = {}
        self.leaders: list[TrialRecord] = []
        self.running: dict[int, tuple[int, float | None]] = {}
        self.ensemble: float | None = None
        self.began = clock()
        self._finishes: deque[float] = deque([self.began], maxlen=RATE_WINDOW + 1)

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
        self._finishes = deque([self.began], maxlen=RATE_WINDOW + 1)

    def trial_advanced(self, number: int, epoch: int, value: float | None) -> None:
        self.running[number] = (epoch, value)

    def trial_finished(self, trial: TrialRecord) -> None:
        self.running.pop(trial.number, None)
        self.done += 1
        self.states[trial.state] = self.states.get(trial.state, 0) + 1
        self._finishes.append(self.clock())
        direction = self.info.direction if self.info else "maximize"
        self.leaders = ranked([*self.leaders, trial], direction)[:LEADERS]

    def ensemble_advanced(self, value: float) -> None:
        self.ensemble = value

    @property
    def count(self) -> str:
        """How many trials are done, of how many where that is known."""
        return f"{self.done}/{self.info.total}" if self.info and self.info.seconds is None else str(self.done)

    @property
    def share(self) -> float:
        """How much of the sweep is done, from 0 to 1."""
        if self.info is None:
            return 0.0
        if self.info.seconds is not None:
            return min((self.clock() - self.began) / self.info.seconds, 1.0)
        return min((self.done + self.part()) / max(self.info.total, 1), 1.0)

    @property
    def best(self) -> TrialRecord | None:
        """The best complete trial so far."""
        return self.leaders[0] if self.leaders else None

    def seconds_left(self) -> float | None:
        """Estimate the seconds until the last trial ends; None before there is anything to estimate from."""
        if self.info is not None and self.info.seconds is not None:
            return max(self.info.seconds - (self.clock() - self.began), 0.0)
        part = self.part()
        if self.info is None or not (self.done or part >= 1.0):
            return None
        rate = (len(self._finishes) - 1 + part) / max(self.clock() - self._finishes[0], 1e-3)
        left = max(self.info.total - self.done - part, 0.0)
        return self._tempered(left, left / rate)

    def _tempered(self, left: float, by_rate: float) -> float:
        """The seconds for the `left` trials: at first by the count of their operations, where there is one, then by their rate.

        A stack brings its trials all at once, after none for long: of the first ones the rate says little.
        """
        if self.info is None or self.info.expected_seconds is None:
            return by_rate
        weight = min(4.0 * (self.info.total - left) / self.info.total, 1.0) ** 2
        whole = self.info.expected_seconds
        of_left = left / self.info.total * whole
        by_count = min(max(whole - (self.clock() - self.began), 0.5 * of_left), of_left)
        return weight * by_rate + (1.0 - weight) * by_count

    def part(self) -> float:
        """How much of the running trials is done, in trials: they may all run at once, as a population does."""
        most = max(self.info.max_epochs, 1) if self.info else 1
        return sum(min(epoch / most, 1.0) for epoch, _ in self.running.values())
