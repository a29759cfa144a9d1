"""The commands as users run them: a real sweep in a real store, exit statuses and both output streams."""

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import Run, environment, start, wait_until
from tests.support.processes import run as run_command
from tests.support.sweeps import LONG, ROWS

COMMANDS = ["sweep", "init", "list", "show", "best", "predict", "ui"]
HEAVY = ["numpy", "optuna", "mlflow", "pandas", "sklearn", "rich"]


# Python imports this first in every process; whoever asks for a name or a connection is written down.
LISTENER = """
import os, sys

def heard(event, arguments, file=os.environ["HEARD"]):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"):
        with open(file, "a") as log:
            log.write(f"{event} {arguments[1:] if event in ('socket.connect', 'socket.sendto') else arguments}\\n")

sys.addaudithook(heard)
"""


@dataclass(frozen=True)
class Overheard:
    """A sweep and then `show`, as commands in processes of their own, and what these asked of the network."""

    swept: "subprocess.CompletedProcess[str]"
    shown: "subprocess.CompletedProcess[str]"
    heard: list[str]


@pytest.fixture(scope="module")
def overheard(tmp_path_factory: pytest.TempPathFactory) -> Overheard:
    folder = tmp_path_factory.mktemp("overheard")
    (folder / "listener").mkdir()
    (folder / "listener/sitecustomize.py").write_text(LISTENER)
    heard = folder / "heard"
    paths = [str(folder / "listener"), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {key: value for key, value in environment().items() if key != "MLFLOW_DISABLE_TELEMETRY"}
    env |= {"PYTHONPATH": os.pathsep.join(paths), "HEARD": str(heard)}
    probe = "import socket; socket.create_connection(('127.0.0.1', 9))"
    subprocess.run([sys.executable, "-c", probe], env=env, capture_output=True, check=False)
    assert "127.0.0.1" in heard.read_text(), "the listener hears nothing"
    heard.write_text("")
    small = ["--set", "search.trials=6", "--set", "search.batch=3", "--set", "model.epochs=4", "--workers", "1"]
    data = ["--data", "sklearn:iris", "--target", "target"]
    swept = run_command(folder, "sweep", *data, *small, "--json", env=env)
    assert swept.returncode == 0, swept.stderr
    shown = run_command(folder, "show", "iris", "--json", env=env)
    assert shown.returncode == 0, shown.stderr
    return Overheard(swept, shown, heard.read_text().splitlines())


def test_a_sweep_prints_json_on_one_stream_and_progress_on_the_other(overheard: Overheard) -> None:
    printed = json.loads(overheard.swept.stdout)
    assert set(printed) >= {"name", "run_id", "state", "method", "trials", "best"}
    assert [trial["number"] for trial in printed["trials"]] == list(range(6))
    assert "iris: 6 trials by auto" in overheard.swept.stderr
    assert "[6/6]" in overheard.swept.stderr
    assert json.loads(overheard.shown.stdout) == printed


def test_nothing_leaves_the_machine_by_itself(overheard: Overheard) -> None:
    """Of all processes: the sweep's, its workers', its writer's and the one that shows it."""
    assert [line for line in overheard.heard if not line.startswith("socket.connect ('/")] == []


def test_best_is_a_configuration_and_a_sweep_file_that_trains_it(folder: Path, there: Run) -> None:
    best = there("best", "cars", "--json")
    document = json.loads(best.stdout)
    assert document == json.loads(there("show", "cars", "--json").stdout)["best"]
    assert set(document) >= {"name", "run_id", "number", "params", "metric", "value", "test_score", "configuration"}
    assert {"epochs": 4, **document["params"]}.items() <= document["configuration"].items()
    written = there("best", "cars", "--format", "toml")
    tables = tomllib.loads(written.stdout)
    assert tables["space"] == {}
    assert tables["model"] == document["configuration"]
    (folder / "winner.toml").write_text(written.stdout)
    again = there("sweep", "winner.toml", "--set", "name=winner", "--json")
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout)["best"]["value"] == document["value"]
    assert json.loads(again.stdout)["best"]["test_score"] == document["test_score"]


def test_short_options_are_keys_of_the_sweep_file(there: Run) -> None:
    table = ["--data", "cars.csv", "--target", "kind"]
    short = ["--name", "2024", "--trials", "2", "--method", "random", "--metric", "roc_auc", "--epochs", "3"]
    swept = there("sweep", *table, *short, "--folds", "2", "--seed", "7", "--json")
    assert swept.exit_code == 0, swept.stderr
    document = json.loads(swept.stdout)
    assert (document["name"], document["method"], len(document["trials"])) == ("2024", "random", 2)
    assert document["best"]["metric"] == "val_roc_auc"
    assert document["best"]["configuration"]["epochs"] == 3
    refused = there("sweep", *table, "--trials", "many")
    assert refused.exit_code == 2
    assert "[search] trials: must be a whole number" in refused.stderr


def test_tables_in_the_terminal(folder: Path, there: Run) -> None:
    listed = there("list")
    assert listed.exit_code == 0
    assert re.search(r"^cars +finished +auto +6/6 ", listed.stdout, re.MULTILINE)
    shown = there("show", "cars", "--top", "2").stdout.splitlines()
    assert shown[0].startswith("cars: finished, method auto, 6 trials")
    assert shown[2].lstrip().startswith("*")
    assert len(shown) == 5
    assert 'mlptune.load_model("cars")' in there("best", "cars").stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["predict", "cars", "cars.csv", "-o", "cars.csv"], "-o cars.csv: is the input itself; give another name"),
        (["predict", "cars", "cars.csv", "-o", "./cars.CSV/x.csv"], "there is no folder"),
        (["predict", "cars", "cars.csv", "-o", "out.xlsx"], "-o out.xlsx: predictions are written as .csv or .parquet"),
        (["predict", "cars", "none.csv", "-o", "x.csv"], "none.csv: there is no such file"),
        (["predict", "cars", "other.csv", "-o", "x.csv"], "other.csv: the rows lack the column 'power'"),
        (["predict", "care", "cars.csv", "-o", "x.csv"], "there is no sweep 'care'; did you mean 'cars'"),
        (["show", "care"], "there is no sweep 'care'; did you mean 'cars'"),
        (["best", "cars", "--run", "nope"], "has no run 'nope'"),
    ],
)
def test_wrong_names_and_files_are_told_in_one_line(folder: Path, there: Run, arguments: list[str], line: str) -> None:
    (folder / "other.csv").write_text("colour\nred\n")
    before = (folder / "cars.csv").read_bytes()
    ran = there(*arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert line in ran.stderr
    assert ran.stderr.startswith("mlptune: ")
    assert len(ran.stderr.splitlines()) == 1
    assert (folder / "cars.csv").read_bytes() == before
    assert not (folder / "x.csv").exists()


@pytest.mark.parametrize(
    "command", [["list"], ["show", "a"], ["best", "a"], ["predict", "a", "t.csv", "-o", "o.csv"], ["ui"]]
)
def test_reading_never_creates_a_store(tmp_path: Path, run: Run, command: list[str]) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    ran = run(*command)
    assert ran.exit_code == 2
    assert "there is no store at" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_a_sweep_that_was_killed_is_listed_as_interrupted(tmp_path: Path, run: Run) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    process = start(tmp_path, *LONG, "1")

    def states() -> list[str]:
        listed = run("list", "--json")
        return [sweep["state"] for sweep in json.loads(listed.stdout)] if listed.exit_code == 0 else []

    wait_until(states, process, seconds=60)
    assert states() == ["running"]
    process.kill()
    process.communicate(timeout=60)
    assert states() == ["interrupted"]
    assert run("show", "rows").stdout.startswith("rows: interrupted, ")


# What needs neither store nor sweep.


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sweep", "digits", "--tracking-uri", "mlruns"], "is a folder; MLflow"),
        (["list", "--tracking-uri", "file://me:secret@host/x"], "me:***@host"),
        (["init", "--data", "none.csv", "--target", "a"], "none.csv: there is no such file"),
        (["init", "--data", "a.csv", "--target", "z"], "[data] target: the table has no column 'z'"),
    ],
)
def test_wrong_arguments_end_with_status_2_and_one_line(
    tmp_path: Path, run: Run, arguments: list[str], line: str
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n")
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert line in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["swep"], ["sweep", "digits", "--trail", "3"], ["sweep", "digits", "--workers", "0"], ["best"], ["init"]],
)
def test_a_wrong_command_line_ends_with_status_2_and_a_hint(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: mlptune" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", [[], *([command] for command in COMMANDS)])
def test_help_teaches_and_loads_nothing_heavy(command: list[str]) -> None:
    program = "import sys\nfrom mlptune.experiments.cli import commands\n"
    program += f"try: commands.app({[*command, '--help']!r})\nexcept SystemExit: pass\n"
    program += f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    began = time.perf_counter()
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.stderr.strip() == ""
    assert "Usage:" in ran.stdout
    if command not in (["list"], ["ui"]):
        assert "  mlptune " in ran.stdout  # an example
    assert time.perf_counter() - began < 5  # half a second on a quiet machine; this is for what takes far longer
