"""Ctrl-C: once ends in order, twice at once, and none is lost, wherever in the program it lands."""

import os
import re
import signal
import sqlite3
import sys
import time
from pathlib import Path

import pytest

import mlptune
from mlptune.experiments.cli import main
from mlptune.experiments.errors import Interrupted
from mlptune.experiments.queries import list_sweeps, show
from mlptune.tracking import reader
from tests.support.observers import AfterTrials
from tests.support.processes import SwallowedCtrlC, start
from tests.support.sweeps import LONG, ROWS, iris

SWEEP = iris(model={"epochs": 3})
DIGITS = ["sweep", "digits", "--set", "search.trials=5000", "--workers", "2"]


pytestmark = pytest.mark.usefixtures("plain_handlers")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_that_python_drops_still_ends_the_sweep(store: str) -> None:
    observer = AfterTrials(6, SwallowedCtrlC)
    with pytest.raises(Interrupted, match="--resume continues 'iris'"):
        mlptune.run_sweep(SWEEP, workers=1, observer=observer)
    assert 6 <= observer.finished_trials < 12
    assert show("iris")["state"] == "interrupted"
    assert len(mlptune.run_sweep(SWEEP, workers=1, resume=True).trials) == 12
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("seconds", [0.35, 0.7, 1.2])
def test_ctrl_c_while_everything_starts(seconds: float, tmp_path: Path) -> None:
    process = start(tmp_path, *DIGITS, announce=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    lines = err.splitlines()
    assert lines[-1].endswith("--resume") or lines == ["interrupted"]  # where loading took that long
    # A trial's line begins with its number, which is aligned to the right: a fast machine has some by then.
    known = re.compile(r"left out|auto: |about |digits: | *\[\d+/|interrupted|  mlptune sweep")
    assert all(known.match(line) for line in lines), err


def test_a_ctrl_c_that_lands_where_a_class_is_being_made_is_one(monkeypatch, capsys) -> None:
    class Presses:
        def __set_name__(self, owner: type, name: str) -> None:
            signal.raise_signal(signal.SIGINT)

    def importing(*_: object, **__: object) -> None:
        type("Made", (), {"part": Presses()})

    monkeypatch.setattr("mlptune.experiments.run.run_sweep", importing)
    monkeypatch.setattr(sys, "argv", ["mlptune", "sweep", "digits"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130
    assert capsys.readouterr().err.splitlines()[-1] == "  mlptune sweep digits --resume"


def test_ctrl_c_once_writes_what_is_finished_and_twice_leaves_at_once(store: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    process = start(tmp_path, *LONG, "2")
    assert process.stderr is not None
    next(line for line in process.stderr if line.lstrip().startswith("[3/"))
    with sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None, timeout=60) as database:
        database.execute("BEGIN EXCLUSIVE")
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(1)
        assert process.poll() is None  # there is something left to write
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
    database.close()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert reader.launch(store, "rows").state == "running"  # nobody could write that it has stopped
    assert show("rows")["state"] == "interrupted"  # the table of processes says so
    assert [sweep["state"] for sweep in list_sweeps()] == ["interrupted"]
