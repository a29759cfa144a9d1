"""What the user sees of a sweep: in a terminal of any width, and in a log file."""

import io
import math
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from rich.console import Console

from mlptune.experiments.cli.live import LINES_IN_FULL, LiveView, PlainView, view
from mlptune.experiments.progress import SweepInfo
from mlptune.experiments.view import MODEL_TEXT, View, headline, refit_text, running_text
from mlptune.tracking.records import CURVE, TrialRecord


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def info(total: int = 8, direction: str = "maximize", **changes: Any) -> SweepInfo:
    facts = {"name": "digits", "method": "tpe", "workers": 2, "max_epochs": 20, "metric": "val_score", **changes}
    return SweepInfo(total=total, direction=direction, **facts)


def trial(number: int, value: float | None, state: str = "complete", **changes: Any) -> TrialRecord:
    return TrialRecord(
        number, state, value, **{"params": {"hidden": [64, 32], "l2": 1.23456e-5}, "epochs": 20, **changes}
    )


def test_one_of_each() -> None:
    line = headline(info(1, workers=1, max_epochs=1))
    assert line == "digits: 1 trial by tpe, val_score (higher is better), 1 epoch, 1 worker"


def drawn(live: LiveView) -> str:
    screen = io.TextIOWrapper(io.BytesIO(), encoding=live.console.encoding)
    console = Console(file=screen, width=live.console.width, height=live.console.height, color_system=None)
    console.print(live.render())
    screen.seek(0)
    return screen.read()


def noon() -> datetime:
    return datetime(2026, 3, 4, 12)


def terminal(width: int, height: int = 24, encoding: str = "utf-8") -> tuple[LiveView, Clock]:
    clock = Clock()
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return LiveView(Console(file=screen, width=width, height=height, force_terminal=True), clock, noon), clock


def written(live: LiveView) -> str:
    live.console.file.seek(0)
    return live.console.file.read()


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_picture_fits_every_width(width: int) -> None:
    live, clock = terminal(width)
    with live:
        live.started(info())
        for number in range(6):
            clock.now += 1
            live.trial_advanced(number, 10, 0.5)
            live.trial_finished(trial(number, 0.9 + number / 100))
        live.trial_advanced(6, 5, 0.5)
        picture = drawn(live)
    assert all(len(line) <= width for line in picture.splitlines())
    if width >= 80:
        assert "6/8" in picture
        assert "running  #6 5/20 0.50000" in picture
        assert "0:06, 0:02 left, ends at 12:00" in picture  # 6.25 trials in 6 seconds, 1.75 to go
        heading, first_leader = next(pairwise(line for line in picture.splitlines() if "hidden" in line or "[" in line))
        assert heading.split() == ["best", "trial", "epochs", "hidden", "l2"]
        assert first_leader.split() == ["0.95000", "5", "20", "[64,32]", "1.235e-05"]


@pytest.mark.parametrize(("direction", "best"), [("maximize", 3), ("minimize", 1)])
def test_the_best_follows_the_direction_and_only_complete_trials_lead(direction: str, best: int) -> None:
    watcher = View(Clock())
    watcher.started(info(direction=direction))
    for number, value in enumerate([0.5, 0.1, 0.5, 0.9, 0.9, 0.1]):
        watcher.trial_finished(trial(number, value))
    watcher.trial_finished(trial(6, 99.0 if direction == "maximize" else -99.0, "pruned"))
    watcher.trial_finished(trial(7, None, "failed"))
    assert watcher.best is not None
    assert watcher.best.number == best
    assert (watcher.done, watcher.states) == (8, {"complete": 6, "pruned": 1, "failed": 1})


def test_markup_and_control_characters_in_names_do_nothing() -> None:
    live, _ = terminal(120)
    with live:
        live.started(info(messages=("left out: [red]id[/red] \x1b[31m\n",)))
        live.trial_finished(trial(0, 0.5, params={"activation": "[bold]x[/bold]\x1b[2J"}))
        live.trial_finished(trial(1, None, "failed", reason="[/] \x07 killed"))
        picture = drawn(live)
        printed = written(live)
    assert "[bold]x[/bold]\\x1b[2J" in picture
    assert "[red]id[/red] \\x1b[31m\\n" in printed
    assert "trial 1 failed: [/] \\x07 killed" in printed
    assert "\x1b[2J" not in printed + picture


def test_a_short_terminal_keeps_the_best_trial() -> None:
    live, _ = terminal(80, height=6)
    live.started(info())
    for number in range(5):
        live.trial_finished(trial(number, number / 10))
    picture = drawn(live)
    live.close()
    assert "0.40000" in picture
    assert len(picture.splitlines()) <= 6


def swept(live: LiveView, clock: Clock, params: dict[str, Any] | None = None) -> str:
    """The picture of a sweep whose best trial has learned from 0.1 to 0.9."""
    live.started(info())
    clock.now += 2
    curve = [0.1 + 0.8 * epoch / 19 for epoch in range(20)]
    live.trial_finished(trial(0, 0.9, rebuild={CURVE: curve}, **({} if params is None else {"params": params})))
    live.trial_advanced(1, 10, 0.25)
    picture = drawn(live)
    live.close()
    return picture


def test_the_best_curve_is_blocks_or_ascii_where_the_terminal_has_no_others() -> None:
    assert "val_score of trial 0  ▁▁▂▂▂▃▃▄▄▄▅▅▅▆▆▇▇▇██  0.10000 to 0.90000" in swept(*terminal(80)).splitlines()
    assert "val_score of trial 0  ▁▂▄▅▇█  0.10000 to 0.90000" in swept(*terminal(48)).splitlines()
    many = {f"a_long_name_{number}": number for number in range(9)}
    picture = swept(*terminal(80, encoding="ascii"), params=many)
    assert picture.isascii()
    assert "val_score of trial 0  __...--~~~===++***##  0.1" in picture
    assert "a_long~" in picture


def test_a_trial_without_a_curve_has_no_line_for_it() -> None:
    live, _ = terminal(80)
    live.started(info())
    live.trial_finished(trial(0, 0.5, rebuild={CURVE: [0.5]}))
    live.trial_finished(trial(1, 0.6, rebuild={CURVE: [math.nan, math.inf]}))
    assert "of trial" not in drawn(live)
    live.close()


def test_after_the_last_trial_no_time_is_left_and_the_model_is_made() -> None:
    live, clock = terminal(80)
    live.started(info(1))
    clock.now += 3
    live.trial_finished(trial(0, 0.5))
    clock.now += 3
    picture = drawn(live)
    assert "1/1  0:06\n" in picture.replace("  \n", "\n").replace(" \n", "\n")
    assert MODEL_TEXT in picture
    live.refitting(0)
    assert refit_text(0) in drawn(live)
    live.finished(None)
    assert "training" not in drawn(live)
    assert MODEL_TEXT not in drawn(live)


def test_the_running_trials_that_have_no_room_are_counted() -> None:
    running = dict.fromkeys(range(20), (5, 0.5))
    assert running_text(running, 20).endswith("#7 5/20 0.50000  and 12 more")
    assert running_text(running, 20, 50) == "#0 5/20 0.50000  #1 5/20 0.50000  and 18 more"
    assert running_text({3: (1, None)}, 20, 5) == "#3 1/20"
    assert running_text({}, 20) == ""


def test_the_terminal_is_given_back_after_an_error() -> None:
    live, _ = terminal(80)

    def fail() -> None:
        with live:
            live.started(info())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert written(live).count("\x1b[?25l") == written(live).count("\x1b[?25h") == 1


def test_a_log_file_gets_one_line_a_trial_and_then_one_a_second() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = PlainView(stream, clock)
    total = LINES_IN_FULL + 1000
    lines.started(info(total))
    for number in range(total):
        clock.now += 0.01
        lines.trial_finished(trial(number, 0.5))
    printed = stream.getvalue().splitlines()
    assert printed[0] == "digits: 1200 trials by tpe, val_score (higher is better), 20 epochs, 2 workers"
    assert printed[1] == (
        "   [1/1200]   0:00   0:12 left  trial    0  complete     0.50000  20 epochs  "
        "the best so far: hidden=[64,32]  l2=1.235e-05"
    )
    assert printed[2] == (
        "   [2/1200]   0:00   0:12 left  trial    1  complete     0.50000  20 epochs  best 0.50000 (trial 0)"
    )
    assert printed[-1].startswith("[1200/1200]   0:12   0:00 left  trial 1199  complete  ")
    assert LINES_IN_FULL + 9 <= len(printed) <= LINES_IN_FULL + 12


def test_the_time_left_is_known_while_all_trials_of_a_population_run() -> None:
    clock = Clock()
    lines = PlainView(io.StringIO(), clock)
    lines.started(info(8))
    clock.now += 3
    lines.trial_advanced(0, 10, 0.5)
    assert lines.seconds_left() is None, "half a trial is too little to go by"
    clock.now += 3
    for number in range(8):
        lines.trial_advanced(number, 10, 0.5)
    assert lines.part() == 4.0
    assert lines.seconds_left() == pytest.approx(6.0)


@pytest.mark.parametrize("at_once", [1, 4, 8])
@pytest.mark.parametrize("speed", [0.7, 1.0, 1.5])
def test_the_first_time_left_is_right_within_a_factor_of_two(at_once: int, speed: float) -> None:
    """Two workers train stacks, whose trials end together: of the first alone nobody could tell how long all take."""
    clock, total, a_trial = Clock(), 64, 6.5
    began = clock.now
    lines = PlainView(io.StringIO(), clock)
    took = total * a_trial / speed
    lines.started(info(total, expected_seconds=total * a_trial))
    clock.now += 2 * at_once * a_trial / speed
    for number in range(2 * at_once):
        lines.trial_finished(trial(number, 0.5))
        left = lines.seconds_left()
        assert left is not None
        assert 0.5 < left / (took - (clock.now - began)) < 2.0
    lines.started(info(total))  # of whose operations nothing is known
    lines.trial_finished(trial(0, 0.5))
    assert lines.seconds_left() is not None


def test_a_trial_that_has_copied_says_which_others() -> None:
    stream = io.StringIO()
    lines = PlainView(stream, Clock())
    lines.started(info())
    lines.trial_finished(trial(3, 0.5, copied=((3, 7), (9, 1))))
    assert stream.getvalue().endswith("the best so far: copied trial 7 at epoch 3, trial 1 at epoch 9\n")


def test_a_log_file_shows_that_long_trials_live() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = PlainView(stream, clock, lambda: datetime(2025, 1, 1, 12, 0))
    lines.started(info())
    for epoch in range(1, 21):
        clock.now += 1
        lines.trial_advanced(3, epoch, 0.5)
    assert stream.getvalue().splitlines()[1:] == [
        "[0/8]   0:10              running: #3 10/20 0.50000",
        "[0/8]   0:20  2:20 left, ends at 12:02  running: #3 20/20 0.50000",
    ]


def test_a_reader_who_has_left_does_not_end_the_sweep() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    lines = PlainView(Gone(), Clock())
    lines.started(info())
    lines.trial_finished(trial(0, 0.5))
    assert lines.done == 1


def test_the_view_fits_the_stream() -> None:
    assert isinstance(view(io.StringIO()), PlainView)
