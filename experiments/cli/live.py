"""What the user sees while a sweep runs: a live table in a terminal, plain lines elsewhere, all on standard error."""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..._text import counted, escape_control_characters
from ...tracking.records import TrialRecord
from ..progress import SweepInfo
from ..short import number_text, time_text
from ..view import View, headline
from .text import refit_text, running_text, trial_text

LINES_IN_FULL = 200  # finished trials that get a line each; later there is one line a second
QUIET_SECONDS = 10.0  # after so long without a finished trial the plain view says that it is still alive


def view(stream: TextIO | None = None) -> View:
    """Return the view that fits `stream` (standard error): live in a terminal, else plain lines."""
    stream = sys.stderr if stream is None else stream
    console = Console(file=stream, highlight=False)
    return LiveView(console) if console.is_terminal and not console.is_dumb_terminal else PlainView(stream)


class PlainView(View):
    """One line for each finished trial, a few hundred times; then at most about one a second."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self.stream = stream
        self._last = self.began
        self._gone = False

    def started(self, info: SweepInfo) -> None:
        super().started(info)
        for text in info.messages:
            self._print(text)
        self._print(headline(info))

    def trial_advanced(self, number: int, epoch: int, value: float | None) -> None:
        super().trial_advanced(number, epoch, value)
        if self.info is not None and self.clock() - self._last >= QUIET_SECONDS:
            self._print(f"[{self.count}] running: {running_text(self.running, self.info.max_epochs)}")

    def trial_finished(self, trial: TrialRecord) -> None:
        before = self.best
        super().trial_finished(trial)
        improved = self.best is not before
        total = self.info.total if self.info else self.done
        due = self.done <= LINES_IN_FULL or self.done >= total or self.clock() - self._last >= 1.0
        if not due:
            return
        parts = [f"[{self.count}] trial {trial.number} {trial.state}"]
        if trial.reason and trial.reason != trial.state:
            parts.append(f"({trial.reason})")
        if trial.value is not None:
            parts.append(number_text(trial.value))
        facts = [" ".join([*parts, f"after {counted(trial.epochs, 'epoch')}"])]
        if self.best is not None:
            facts.append(
                "the best so far" if improved else f"best {number_text(self.best.value)} (trial {self.best.number})"
            )
        if self.ensemble is not None:
            facts.append(f"ensemble {number_text(self.ensemble)}")
        left = self.seconds_left()
        if left is not None and left >= 1:
            facts.append(f"{time_text(left)} left")
        self._print(", ".join(facts) + (f": {trial_text(trial)}" if improved else ""))

    def message(self, text: str) -> None:
        self._print(text)

    def refitting(self, number: int) -> None:
        self._print(refit_text(number))

    def _print(self, text: str) -> None:
        self._last = self.clock()
        if self._gone:
            return
        try:
            print(escape_control_characters(text), file=self.stream, flush=True)
        except BrokenPipeError:  # the reader has left; the sweep goes on, its results are in the store
            self._gone = True


class LiveView(View):
    """A picture of the sweep that rich redraws four times a second, in a thread of its own."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self.console = console
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._refit: int | None = None
        self._over = False

    def started(self, info: SweepInfo) -> None:
        with self._lock:
            super().started(info)
        for text in info.messages:
            self.message(text)
        # Standard output stays untouched: it may be a pipe that expects JSON.
        self._live = Live(console=self.console, get_renderable=self.render, refresh_per_second=4, redirect_stdout=False)
        self._live.start(refresh=True)

    def close(self) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()

    def trial_advanced(self, number: int, epoch: int, value: float | None) -> None:
        with self._lock:
            super().trial_advanced(number, epoch, value)

    def trial_finished(self, trial: TrialRecord) -> None:
        with self._lock:
            super().trial_finished(trial)
        if trial.state == "failed":
            self.message(f"trial {trial.number} failed: {trial.reason or 'no reason given'}")

    def message(self, text: str) -> None:
        self.console.print(Text(escape_control_characters(text)))

    def refitting(self, number: int) -> None:
        with self._lock:
            self._refit = number

    def finished(self, result: Any) -> None:
        with self._lock:
            self._over = True
        self.close()

    def render(self) -> RenderableType:
        """Return the picture of this moment."""
        with self._lock:
            if self.info is None:
                return Text("")
            parts: list[RenderableType] = [_line(headline(self.info), "bold"), self._progress(self.info)]
            if self.leaders:
                parts.append(self._table())
            if self._over:
                return Group(*parts)
            if self._refit is not None:
                parts.append(_line(refit_text(self._refit)))
            elif self.running:
                parts.append(_line("running  " + running_text(self.running, self.info.max_epochs), "dim"))
            return Group(*parts)

    def _progress(self, info: SweepInfo) -> RenderableType:
        counts = [self.count]
        counts += [f"{self.states[state]} {state}" for state in ("pruned", "failed") if self.states.get(state)]
        if self.ensemble is not None:
            counts.append(f"ensemble {number_text(self.ensemble)}")
        spent = time_text(self.clock() - self.began)
        left = self.seconds_left()
        times = spent if self._over or self._refit is not None or left is None else f"{spent}, {time_text(left)} left"
        grid = Table.grid(padding=(0, 1), expand=False)
        grid.add_column(width=max(min(self.console.width // 4, 24), 6))
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(
            ProgressBar(total=1.0, completed=self.share),
            Text(f"{', '.join(counts)}  {times}"),
        )
        return grid

    def _table(self) -> RenderableType:
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
        table.add_column("best", justify="right", no_wrap=True)
        table.add_column("trial", justify="right", no_wrap=True)
        wide = self.console.width >= 60
        if wide:
            table.add_column("epochs", justify="right", no_wrap=True)
        table.add_column("parameters", overflow="fold")
        room = self.console.height - 5  # a picture taller than the terminal would scroll and be drawn twice
        for trial in self.leaders:
            text = escape_control_characters(trial_text(trial))
            room -= 1 + len(text) // max(self.console.width - (22 if wide else 15), 8)
            if room < 0 and trial is not self.best:
                break
            cells = [number_text(trial.value), str(trial.number), *([str(trial.epochs)] if wide else [])]
            table.add_row(*cells, Text(text), style="green" if trial is self.best else "")
        return table


def _line(text: str, style: str = "") -> Text:
    return Text(escape_control_characters(text), style=style, no_wrap=True, overflow="ellipsis")
