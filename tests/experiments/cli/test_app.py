"""What holds for every command: help, exit statuses, and errors in one line."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import Run

COMMANDS = [
    "sweep",
    "init",
    "continue",
    "try",
    "stop",
    "columns",
    "check",
    "list",
    "show",
    "best",
    "report",
    "diagnose",
    "curves",
    "predict",
    "export",
    "compare",
    "delete",
    "rename",
    "params",
    "methods",
    "metrics",
    "ui",
    "gallery",
]
HEAVY = ["numpy", "optuna", "mlflow", "pandas", "sklearn", "rich"]


@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["list", "a"],
        ["show", "a"],
        ["best", "a"],
        ["curves", "a"],
        ["predict", "a", "t.csv", "-o", "o.csv"],
        ["export", "a", "-o", "o"],
        ["compare", "a", "b"],
        ["delete", "a", "--yes"],
        ["rename", "a", "b"],
        ["ui"],
        ["continue", "a"],
        ["try", "a", "dropout=0"],
        ["stop", "a"],
    ],
)
def test_reading_never_creates_a_store(tmp_path: Path, run: Run, command: list[str]) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    ran = run(*command)
    assert ran.exit_code == 2
    assert "there is no store at" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


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


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sweep", "digits", "--workers", "0"], "Invalid value for '--workers'"),
        (["swep"], "No such command 'swep'. Did you mean 'sweep'?"),
        (["--trail"], "No such option: --trail"),
        (["predict", "cars"], "Missing argument 'FILE'"),
    ],
)
def test_what_is_wrong_with_a_command_line_comes_first(run: Run, arguments: list[str], line: str) -> None:
    said = run(*arguments).stderr.splitlines()
    assert len(said) == 2
    assert said[0].startswith(f"mlptune: {line}")
    assert said[1].startswith("Usage: mlptune")


# In one process all of a kind: what one of them loads stays loaded, so that the first to have loaded too much names itself.
HELPING = f"""
import contextlib, io, json, sys, time
for command in [[], *([command] for command in {COMMANDS!r})]:
    began = time.perf_counter()
    from mlptune.experiments.cli import commands
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        commands.app([*command, "--help"])
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    print(json.dumps([" ".join(command), out.getvalue(), loaded, time.perf_counter() - began]))
"""


@pytest.fixture(scope="module")
def helps() -> dict[str, tuple[str, list[str], float]]:
    """By command its help, what is loaded then, and the seconds that it took."""
    ran = subprocess.run([sys.executable, "-c", HELPING], capture_output=True, text=True, timeout=120)
    assert ran.stderr == ""
    return {name: tuple(rest) for name, *rest in map(json.loads, ran.stdout.splitlines())}


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_teaches_and_loads_nothing_heavy(helps: dict[str, tuple[str, list[str], float]], command: str) -> None:
    printed, loaded, seconds = helps[command]
    assert loaded == []
    assert "Usage:" in printed
    assert printed.count("\n  mlptune ") >= 3  # examples
    assert seconds < 5  # half a second on a quiet machine; this is for what takes far longer


def test_reading_a_local_store_loads_nothing_heavy(folder: Path) -> None:
    """Each of these is waited for, and takes less than half a second; MLflow's import alone takes two."""
    program = f"""
import sys
from mlptune.experiments.cli import commands
def loaded(heavy, *calls):
    for call in calls:
        try: commands.app(call)
        except SystemExit as ended: assert not ended.code, call
    print("loaded", *[name for name in heavy if name in sys.modules], file=sys.stderr)
loaded({HEAVY!r} + ["sqlalchemy", "scipy"], ["list"], ["show", "cars"], ["best", "cars"], ["best", "cars", "--json"])
loaded(["optuna", "mlflow", "sklearn", "sqlalchemy"], ["predict", "cars", "cars.csv", "-o", "quick.csv"])
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=60)
    (folder / "quick.csv").unlink()
    assert ran.stderr.split() == ["loaded", "loaded"], ran.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["predict", "cars", "cars.csv", "-o", "cars.csv"], "-o cars.csv: is the input itself; give another name"),
        (["predict", "cars", "cars.csv", "-o", "./cars.CSV/x.csv"], "there is no folder"),
        (
            ["predict", "cars", "cars.csv", "-o", "out.npz"],
            "-o out.npz: predictions are written as .csv, .tsv, .parquet, ",
        ),
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


def test_a_deleted_sweep_is_told_of_before_the_data_are_looked_at(folder: Path, run: Run) -> None:
    shutil.copyfile(folder / "mlflow.db", "mlflow.db")
    with contextlib.closing(sqlite3.connect("mlflow.db")) as connection, connection:
        connection.execute("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'cars'")
    ran = run("sweep", "--data", "absent.csv", "--target", "y", "--name", "cars")
    assert ran.exit_code == 2
    assert "the sweep 'cars' was deleted in MLflow; take another name, or restore it" in ran.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="where a folder of the system's own refuses every file")
@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "cars", "cars.csv", "-o", "/proc/x.csv"],
        ["predict", "cars", "cars.csv", "-o", "/proc/x.parquet"],
        ["report", "cars", "-o", "/proc/x.html"],
        ["init", "--data", "cars.csv", "--target", "kind", "-o", "/proc/x.toml"],
    ],
)
def test_what_the_system_refuses_is_one_line(there: Run, arguments: list[str]) -> None:
    ran = there(*arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    [line] = ran.stderr.splitlines()
    assert line.endswith(f"{arguments[-1]}: cannot be written: No such file or directory")
