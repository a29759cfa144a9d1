"""Observers of sweeps: what was said, and something that happens after some trials."""

from collections.abc import Callable
from typing import Any

from mlptune.experiments.progress import Observer, SweepInfo


class Listener(Observer):
    """Keeps what the user is told: `announced` before the first trial, `messages` from then on."""

    def __init__(self) -> None:
        self.announced: list[str] = []
        self.messages: list[str] = []

    def started(self, info: SweepInfo) -> None:
        self.announced.extend(info.messages)

    def message(self, text: str) -> None:
        self.messages.append(text)


class AfterTrials(Listener):
    """Calls `act` once, when the trial number `count` of those that finish has finished; `finished_trials` counts them."""

    def __init__(self, count: int, act: Callable[[], object]) -> None:
        super().__init__()
        self.finished_trials = 0
        self._count = count
        self._act = act

    def trial_finished(self, trial: Any) -> None:
        self.finished_trials += 1
        if self.finished_trials == self._count:
            self._act()


def press_ctrl_c() -> None:
    """Ctrl-C, as the exception that it is."""
    raise KeyboardInterrupt
