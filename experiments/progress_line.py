"""How a sweep goes, for scripts and notebooks: one line that is written anew, and what there is to say above it."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, TextIO

from .._text import escape_control_characters
from ..tracking.records import TrialRecord
from .progress import Observer, SweepInfo
from .short import number_text
from .sparkline import levels_for, sparkline
from .view import View, headline, running_text

CURVE_WIDTH = 12
RUNNING = ", running "
LEAST_ROOM = 20
"""Characters below which the line says nothing of the running trials."""

REDRAWN, WRITTEN = 0.1, 10.0
"""Seconds between two lines at least: where one takes the other's place, and where each stays."""


@contextmanager
def watching(observer: Observer | None, verbose: bool | int) -> Iterator[Observer]:
    """The observer that a sweep reports to: the caller's, or unless that is given a progress line, if `verbose`."""
    if observer is not None or not verbose:
        yield observer or Observer()
        return
    with ProgressLine() as line:
        yield line


class ProgressLine(View):
    """One line on standard error. In a terminal and in a notebook it is redrawn; a file gets one now and then, and the last."""

    def __init__(
        self,
        stream: TextIO | None = None,
        redraws: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__(clock, now)
        self.stream = sys.stderr if stream is None else stream
        self._redraws = _can_redraw(self.stream) if redraws is None else redraws
        self._levels = levels_for(getattr(self.stream, "encoding", None))
        self._last = self.began
        self._drawn = 0  # characters of the line that the next one overwrites

    def started(self, info: SweepInfo) -> None:
        super().started(info)
        for text in (*info.messages, headline(info)):
            self.message(text)
        self._last = self.clock()

    def trial_advanced(self, number: int, epoch: int, value: float | None) -> None:
        super().trial_advanced(number, epoch, value)
        self._draw()

    def trial_finished(self, trial: TrialRecord) -> None:
        super().trial_finished(trial)
        if trial.state == "failed":
            self.message(f"trial {trial.number} failed: {trial.reason or 'no reason given'}")
        self._draw()

    def message(self, text: str) -> None:
        self._write(self._over(escape_control_characters(text), len(text)) + "\n")
        self._drawn = 0

    def refitting(self, number: int) -> None:
        self._draw(now=self._redraws)

    def finished(self, result: Any) -> None:
        super().finished(result)
        if self.info is not None:
            self.message(f"{self.info.name}: {self.line()}")

    def close(self) -> None:
        if self._drawn:
            self._write("\n")
            self._drawn = 0

    def line(self) -> str:
        """What there is to say at this moment."""
        parts = [f"{self.count} trials in {self.times()}"]
        if self.best is not None and self.info is not None:
            parts.append(f"best {self.info.metric} {number_text(self.best.value)} (trial {self.best.number})")
            if self._redraws and self.running and (curve := sparkline(self.best.curve, CURVE_WIDTH, self._levels)):
                parts[-1] += f" {curve}"
        text = ", ".join(parts)
        if not self.running or self.info is None:
            return text
        room = self._room() - len(text) - len(RUNNING) if self._redraws else None
        if room is not None and room < LEAST_ROOM:
            return text
        return f"{text}{RUNNING}{running_text(self.running, self.info.max_epochs, room)}"

    def _room(self) -> int:
        """Characters of a line that can be redrawn: one that goes on below itself could not."""
        return shutil.get_terminal_size().columns - 1

    def _draw(self, now: bool = False) -> None:
        if not now and self.clock() - self._last < (REDRAWN if self._redraws else WRITTEN):
            return
        self._last = self.clock()
        if not self._redraws:
            self._write(f"{self.line()}\n")
            return
        text = self.line()[: self._room()]
        self._write(self._over(text, len(text)))
        self._drawn = len(text)

    def _over(self, text: str, width: int) -> str:
        """The text in place of the line that stands there."""
        return f"\r{text}{' ' * (self._drawn - width)}" if self._drawn else text

    def _write(self, text: str) -> None:
        with suppress(BrokenPipeError):  # the reader has left; the sweep goes on
            print(text, end="", file=self.stream, flush=True)


def _can_redraw(stream: TextIO) -> bool:
    """Say whether a carriage return takes back a line: in a terminal, and in a notebook, whose stream is the kernel's own."""
    return stream.isatty() or type(stream).__module__.startswith("ipykernel")
