"""The line that says how a sweep goes: redrawn in a terminal, a few times in a file, and silent where that is wanted."""

import io
import sys
from datetime import datetime

import pytest

import mlptune
from mlptune.experiments.progress import Observer, SweepInfo
from mlptune.experiments.progress_line import ProgressLine, watching
from mlptune.tracking.records import CURVE, TrialRecord


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def noon() -> datetime:
    return datetime(2026, 3, 4, 12)


def sweep(redraws: bool, seconds: float = 6.0) -> str:
    """What a sweep of four trials writes, one of which fails."""
    stream, clock = io.StringIO(), Clock()
    with ProgressLine(stream, redraws, clock, noon) as line:
        line.started(SweepInfo("cars", "tpe", 4, 1, 20, "val_score", "maximize", ("a: left out",)))
        for number in range(4):
            clock.now += seconds
            state = "failed" if number == 2 else "complete"
            line.trial_advanced(number, 20, 0.5)
            line.trial_finished(
                TrialRecord(
                    number, state, None if number == 2 else number / 10, params={}, epochs=20, reason="out of memory"
                )
            )
        line.finished(None)
    return stream.getvalue()


HEAD = "a: left out\ncars: 4 trials by tpe, val_score (higher is better), 20 epochs, 1 worker\n"
LAST = "cars: 4/4 trials in 0:24, best val_score 0.30000 (trial 3)\n"


def test_a_terminal_has_one_line_that_is_redrawn() -> None:
    text = sweep(redraws=True)
    assert text.startswith(HEAD)
    screen = []  # a terminal's lines: a carriage return goes back to the first character
    for line in text.removeprefix(HEAD).split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        screen.append(shown.rstrip())
    assert screen == ["trial 2 failed: out of memory", LAST.strip(), ""]


def test_a_file_has_a_line_now_and_then_and_the_last() -> None:
    assert sweep(redraws=False).splitlines(keepends=True) == [
        *HEAD.splitlines(keepends=True),
        "1/4 trials in 0:12, 0:12 left, ends at 12:00, best val_score 0.0000 (trial 0), running #1 20/20 0.50000\n",
        "trial 2 failed: out of memory\n",
        "3/4 trials in 0:24, 0:00 left, ends at 12:00, best val_score 0.10000 (trial 1), running #3 20/20 0.50000\n",
        LAST,
    ]
    assert sweep(redraws=False, seconds=0.5).count("\n") == 4


def test_the_line_has_the_best_curve_and_as_many_running_trials_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    stream, clock = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), Clock()
    line = ProgressLine(stream, True, clock, noon)
    line.started(SweepInfo("cars", "tpe", 8, 2, 20, "val_score", "maximize"))
    clock.now += 3600
    curve = {CURVE: [0.1, 0.5, 0.8]}
    line.trial_finished(TrialRecord(0, "complete", 0.8, params={}, epochs=3, rebuild=curve))
    for number in range(1, 4):
        line.trial_advanced(number, 10, 0.5)
    start = "1/8 trials in 1:00:00, 2:12:00 left, ends at 14:12, best val_score 0.80000 (trial 0) ▁▅█, running "
    assert line.line() == f"{start}#1 10/20 0.50000  and 2 more"
    assert len(line.line()) < 140
    monkeypatch.setenv("COLUMNS", "80")
    line.message("left out: id")
    line.trial_advanced(1, 11, 0.5)
    stream.seek(0)
    assert all(len(drawn) < 80 for drawn in stream.read().split("left out: id")[-1].split("\r"))


def test_an_error_leaves_the_line_ended() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, True, Clock())
    line.started(SweepInfo("cars", "tpe", 4, 1, 20, "val_score", "maximize"))
    line.refitting(0)
    line.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert stream.getvalue().endswith("0/4 trials in 0:00\n")


def test_it_is_there_unless_an_observer_is_or_it_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(None, True) as line:
        assert isinstance(line, ProgressLine)
        assert line.stream is sys.stderr
    mine = Observer()
    for observer, verbose in ((mine, True), (None, False), (None, 0)):
        with watching(observer, verbose) as found:
            assert type(found) is Observer
            assert observer is None or found is mine
    assert capsys.readouterr() == ("", "")


def test_a_sweep_in_python_says_how_it_goes(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"search.trials": 2, "model.preset": "plain", "model.epochs": 2}
    mlptune.run_sweep({"name": "said", "data": {"source": "sklearn:iris"}}, overrides=settings, workers=1)
    out, err = capsys.readouterr()
    assert (out, "said: 2/2 trials in " in err) == ("", True)
