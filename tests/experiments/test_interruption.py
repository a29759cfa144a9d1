"""Ctrl-C: once ends in order, twice at once, and none is lost, wherever in the program it lands."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlptune
from mlptune.experiments.cli import main
from mlptune.experiments.errors import Interrupted
from mlptune.experiments.execution import interruption
from mlptune.experiments.progress import Observer
from mlptune.experiments.results import show
from mlptune.tracking import reader

SWEEP = {
    "name": "iris",
    "data": {"source": "sklearn:iris", "target": "target"},
    "model": {"epochs": 3},
    "space": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}},
    "search": {"trials": 12, "batch": 4},
}


@pytest.fixture(autouse=True)
def plain_handlers() -> Iterator[None]:
    """As in a terminal, also where the tests run in the background, which ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Swallow:
    """Presses Ctrl-C where Python drops whatever is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class _PressLost(Observer):
    def __init__(self) -> None:
        self.finished_trials = 0

    def trial_finished(self, trial) -> None:
        self.finished_trials += 1
        if self.finished_trials == 6:
            Swallow()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_that_python_drops_still_ends_the_sweep(store: str) -> None:
    observer = _PressLost()
    with pytest.raises(Interrupted, match="--resume continues 'iris'"):
        mlptune.run_sweep(SWEEP, workers=1, observer=observer)
    assert 6 <= observer.finished_trials < 12
    assert show("iris")["state"] == "interrupted"
    assert len(mlptune.run_sweep(SWEEP, workers=1, resume=True).trials) == 12
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stop_request_is_noted_before_it_is_raised() -> None:
    with interruption.catch_signals():
        interruption.check()
        Swallow()
        with pytest.raises(KeyboardInterrupt):
            interruption.check()
    interruption.check()
    with interruption.catch_signals(raising=False) as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.made
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_program_with_handlers_of_its_own_keeps_them() -> None:
    def own(*_: object) -> None: ...

    signal.signal(signal.SIGINT, own)
    with interruption.catch_signals():
        assert signal.getsignal(signal.SIGINT) is own
    found = []

    def elsewhere() -> None:
        with interruption.catch_signals() as stop:
            interruption.check()
            found.append(stop.made)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [False]


def start(folder: Path) -> "subprocess.Popen[str]":
    """The command in a process group of its own, as in a terminal: Ctrl-C reaches its workers too."""
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from mlptune.experiments.cli import main; print('imported', flush=True); main()"
    arguments = ["sweep", "digits", "--set", "search.trials=5000", "--workers", "2"]
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("seconds", [0.35, 0.7, 1.2])
def test_ctrl_c_while_everything_starts(seconds: float, tmp_path: Path) -> None:
    process = start(tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    told = err.splitlines()
    assert told[-1].endswith("--resume") or told == ["interrupted"]  # where loading took that long
    assert all(
        line.startswith(("left out", "auto: ", "digits: ", "[", "interrupted; ", "  mlptune sweep")) for line in told
    ), err


@pytest.mark.parametrize(
    ("module", "last"),
    [("typer", "interrupted"), ("pydantic", "interrupted"), ("loky", "  mlptune sweep digits --resume")],
)
def test_ctrl_c_while_the_command_is_loaded(module: str, last: str, tmp_path: Path) -> None:
    program = f"""
import signal, sys
class Presses:
    def find_spec(self, name, *_):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Presses())
signal.signal(signal.SIGINT, signal.default_int_handler)
from mlptune.experiments.cli import main
main()
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, "sweep", "digits"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 130, ran.stderr
    assert ran.stderr.splitlines()[-1] == last
    assert "Traceback" not in ran.stderr


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
    process = start(tmp_path)
    assert process.stderr is not None
    next(line for line in process.stderr if line.startswith("[3/"))
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
    assert reader.launch(store, "digits").state == "running"  # nobody could write that it has stopped
    assert show("digits")["state"] == "interrupted"  # the table of processes says so
