"""What the user sees while a sweep runs: a live table in a terminal, plain lines elsewhere, all on standard error."""

import math
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
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
from ..sparkline import BLOCKS, levels_for, sparkline
from ..view import MODEL_TEXT, View, headline, refit_text, running_text
from .leaders import cut, leaders_table
from .text import trial_text

LINES_IN_FULL = 200  # finished trials that get a line each; later there is one line a second
RUNNING = "running  "
CURVE_WIDTH = 60  # more characters say no more
LONG_SECONDS = 60.0  # from so much time left on a plain line says at what time of day the sweep ends
QUIET_SECONDS = 10.0  # after so long without a finished trial the plain view says that it is still alive


def view(stream: TextIO | None = None) -> View:
    """Return the view that fits `stream` (standard error): live in a terminal, else plain lines."""
    stream = sys.stderr if stream is None else stream
    console = Console(file=stream, highlight=False)
    return LiveView(console) if console.is_terminal and not console.is_dumb_terminal else PlainView(stream)


class PlainView(View):
    """One line for each finished trial, a few hundred times; then at most about one a second."""

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__(clock, now)
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
            self._print(f"{self._ahead()}  running: {running_text(self.running, self.info.max_epochs)}")

    def trial_finished(self, trial: TrialRecord) -> None:
        before = self.best
        super().trial_finished(trial)
        improved = self.best is not before
        total = self.info.total if self.info else self.done
        due = self.done <= LINES_IN_FULL or self.done >= total or self.clock() - self._last >= 1.0
        if not due:
            return
        facts = [f"({trial.reason})"] if trial.reason and trial.reason != trial.state else []
        if self.best is not None:
            facts.append(
                "the best so far" if improved else f"best {number_text(self.best.value)} (trial {self.best.number})"
            )
        if self.ensemble is not None:
            facts.append(f"ensemble {number_text(self.ensemble)}")
        text = f"{self._ahead()}  {self._columns(trial, total)}  {', '.join(facts)}"
        self._print(f"{text}: {trial_text(trial)}" if improved else text)

    def _ahead(self) -> str:
        """What each line begins with: how much is done, how long it took, how long the rest will take, and until when if long."""
        left = self.seconds_left()
        width = 2 * len(str(self.info.total)) + 3 if self.info and self.info.seconds is None else 0
        spent, to_go = time_text(self.clock() - self.began), "" if left is None else f"{time_text(left)} left"
        if left is not None and left >= LONG_SECONDS:
            to_go += f", {self.end_text(left)}"
        return f"{f'[{self.count}]':>{width}}  {spent:>5}  {to_go:>10}"

    def _columns(self, trial: TrialRecord, total: int) -> str:
        """A trial's number, state, value and epochs, each in its own column."""
        epochs = counted(trial.epochs, "epoch").rjust(len(f"{self.info.max_epochs if self.info else 0} epochs"))
        number = str(trial.number).rjust(len(str(total - 1)))
        return f"trial {number}  {trial.state:<8}  {number_text(trial.value):>10}  {epochs}"

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

    def __init__(
        self,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__(clock, now)
        self.console = console
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._refit: int | None = None
        self._levels = levels_for(console.encoding)
        self._ellipsis = "…" if self._levels is BLOCKS else "~"

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
            super().finished(result)
        self.close()

    def render(self) -> RenderableType:
        """Return the picture of this moment, no taller than the terminal: a taller one would scroll and be drawn twice."""
        with self._lock:
            if self.info is None:
                return Text("")
            parts: list[RenderableType] = [self._line(headline(self.info), "bold"), self._progress(self.info)]
            below = [line for line in (self._curve(), self._line(self._doing(self.info), "dim")) if line.plain]
            if self.leaders:
                room = self.console.height - 4  # two lines above, the table's heading, and where the cursor stands
                below = below[: max(room - 1, 0)]
                shown = self.leaders[: max(room - len(below), 1)]
                parts.append(leaders_table(shown, self.console.width, self._ellipsis))
            return Group(*parts, *below)

    def _curve(self) -> Text:
        """The best trial's curve; empty where there is none."""
        values = [value for value in (self.best.curve if self.best else ()) if math.isfinite(value)]
        if self.best is None or self.info is None or len(values) < 2:
            return Text("")
        name = f"{self.info.metric} of trial {self.best.number}  "
        ends = f"  {number_text(min(values))} to {number_text(max(values))}"
        width = min(self.console.width - len(name) - len(ends), CURVE_WIDTH)
        return self._line(name + sparkline(values, width, self._levels) + ends, "green")

    def _doing(self, info: SweepInfo) -> str:
        """What happens at this moment; "" where there is nothing to say of it."""
        if self.over:
            return ""
        if self._refit is not None:
            return refit_text(self._refit)
        if self.searched:
            return MODEL_TEXT
        running = running_text(self.running, info.max_epochs, self.console.width - len(RUNNING))
        return RUNNING + running if running else ""

    def _line(self, text: str, style: str = "") -> Text:
        cut_short = cut(escape_control_characters(text), self.console.width, self._ellipsis)
        return Text(cut_short, style=style, no_wrap=True, overflow="crop")

    def _progress(self, info: SweepInfo) -> RenderableType:
        counts = [self.count]
        counts += [f"{self.states[state]} {state}" for state in ("pruned", "failed") if self.states.get(state)]
        if self.ensemble is not None:
            counts.append(f"ensemble {number_text(self.ensemble)}")
        grid = Table.grid(padding=(0, 1), expand=False)
        grid.add_column(width=max(min(self.console.width // 4, 24), 6))
        grid.add_column(no_wrap=True, overflow="crop")
        grid.add_row(
            ProgressBar(total=1.0, completed=self.share),
            Text(f"{', '.join(counts)}  {self.times()}"),
        )
        return grid
