"""The command as people run it: real processes, a real sweep in a real store, exit statuses and both output streams."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from mlptune.experiments.cli import commands
from mlptune.experiments.cli.exit_status import resume_line
from mlptune.experiments.cli.present import strict_json, text_table, trials_text
from mlptune.experiments.errors import SweepFailed, UserError

Run = Callable[..., Result]
COMMANDS = ["sweep", "init", "list", "show", "best", "predict", "ui"]
SMALL = ["--set", "search.trials=6", "--set", "search.batch=3", "--set", "model.epochs=4", "--workers", "1"]
HEAVY = ["numpy", "optuna", "mlflow", "pandas", "sklearn", "rich"]


def environment() -> dict[str, str]:
    hidden = ("MLFLOW_TRACKING_URI", "MLFLOW_HTTP_REQUEST_MAX_RETRIES")
    return {key: value for key, value in os.environ.items() if key not in hidden} | {"OPENBLAS_NUM_THREADS": "1"}


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The command in a process of its own, which hears Ctrl-C as in a terminal."""
    program = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program += "from mlptune.experiments.cli import main; main()"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def mlptune(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished sweep "cars", its table, and the JSON that the sweep printed."""
    folder = tmp_path_factory.mktemp("cli")
    rng = np.random.default_rng(0)
    power = rng.normal(size=120)
    frame = pd.DataFrame(
        {"power": power, "colour": rng.choice(["red", "blue"], 120), "kind": np.where(power > 0, "suv", "a,b")}
    )
    frame.to_csv(folder / "cars.csv", index=False)
    ran = mlptune(folder, "sweep", "--data", "cars.csv", "--target", "kind", "--json", *SMALL)
    assert ran.returncode == 0, ran.stderr
    (folder / "sweep.json").write_text(ran.stdout)
    (folder / "progress.txt").write_text(ran.stderr)
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(commands.app, list(arguments), prog_name="mlptune")


@pytest.fixture
def there(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands in the folder of the finished sweep, in this process: MLflow is then imported once."""
    monkeypatch.chdir(folder)
    return run


def test_a_sweep_prints_json_on_one_stream_and_progress_on_the_other(folder: Path) -> None:
    printed = json.loads((folder / "sweep.json").read_text())
    assert set(printed) >= {"name", "run_id", "state", "method", "trials", "best"}
    assert [trial["number"] for trial in printed["trials"]] == list(range(6))
    progress = (folder / "progress.txt").read_text()
    assert "cars: 6 trials by auto" in progress
    assert "[6/6]" in progress
    shown = mlptune(folder, "show", "cars", "--json")
    assert shown.returncode == 0
    assert json.loads(shown.stdout) == printed


def test_best_is_a_configuration_and_a_sweep_file_that_trains_it(folder: Path, there: Run) -> None:
    best = there("best", "cars", "--json")
    document = json.loads(best.stdout)
    assert document == json.loads((folder / "sweep.json").read_text())["best"]
    assert set(document) >= {"name", "run_id", "number", "params", "metric", "value", "test_score", "configuration"}
    assert document["configuration"] == {"epochs": 4, **document["params"]}
    written = there("best", "cars", "--format", "toml")
    tables = tomllib.loads(written.stdout)
    assert tables["space"] == {}
    assert tables["model"] == document["configuration"]
    (folder / "winner.toml").write_text(written.stdout)
    again = there("sweep", "winner.toml", "--set", "name=winner", "--json")
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout)["best"]["value"] == document["value"]
    assert json.loads(again.stdout)["best"]["test_score"] == document["test_score"]


def test_tables_for_people(folder: Path, there: Run) -> None:
    listed = there("list")
    assert listed.exit_code == 0
    assert re.search(r"^cars +finished +auto +6/6 ", listed.stdout, re.MULTILINE)
    shown = there("show", "cars", "--top", "2").stdout.splitlines()
    assert shown[0].startswith("cars: finished, method auto, 6 trials")
    assert shown[2].lstrip().startswith("*")
    assert len(shown) == 5
    assert 'mlptune.load_model("cars")' in there("best", "cars").stdout


def test_predict_takes_the_raw_file_and_keeps_rows_and_order(folder: Path, there: Run) -> None:
    ran = there("predict", "cars", "cars.csv", "-o", "out.csv")
    assert ran.exit_code == 0, ran.stderr
    out, rows = pd.read_csv(folder / "out.csv"), pd.read_csv(folder / "cars.csv")
    assert list(out.columns) == ["prediction", "proba_a,b", "proba_suv"]
    assert len(out) == len(rows)
    np.testing.assert_allclose(out["proba_a,b"] + out["proba_suv"], 1.0)
    assert (out["prediction"] == rows["kind"]).mean() > 0.8
    rows.drop(columns="kind")[["colour", "power"]].iloc[::-1].to_parquet(folder / "turned.parquet")
    assert there("predict", "cars", "turned.parquet", "-o", "turned.out.parquet").exit_code == 0
    turned = pd.read_parquet(folder / "turned.out.parquet")
    pd.testing.assert_frame_equal(turned.iloc[::-1].reset_index(drop=True), out)
    assert not list(folder.glob(".*.tmp"))


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


def test_ctrl_c_says_how_to_continue(tmp_path: Path) -> None:
    arguments = ["sweep", "digits", "--set", "search.trials=5000", "--workers", "1"]
    process = start(tmp_path, *arguments)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[3/"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-2:] == [
        "interrupted; what is finished is kept. Continue with:",
        "  mlptune sweep digits --set search.trials=5000 --workers 1 --resume",
    ]


def test_a_sweep_that_was_killed_is_listed_as_interrupted(tmp_path: Path, run: Run) -> None:
    process = start(tmp_path, "sweep", "digits", "--set", "search.trials=5000", "--workers", "1")

    def states() -> list[str]:
        listed = run("list", "--json")
        return [sweep["state"] for sweep in json.loads(listed.stdout)] if listed.exit_code == 0 else []

    limit = time.monotonic() + 60
    while not states() and time.monotonic() < limit:
        time.sleep(0.2)
    assert states() == ["running"]
    process.kill()
    process.communicate(timeout=60)
    assert states() == ["interrupted"]
    assert run("show", "digits").stdout.startswith("digits: interrupted, ")


def test_the_ui_answers_this_machine_alone_and_ends_with_ctrl_c(folder: Path, there: Run) -> None:
    process = start(folder, "ui", "--port", "0")
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if "http://" in line)
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found
        port = int(found[1])
        assert "text/html" in urllib.request.urlopen(found[0], timeout=30).headers["content-type"]
        evil = urllib.request.Request(found[0], headers={"Host": "127.0.0.1.evil.com"})
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            urllib.request.urlopen(evil, timeout=30)
        refused.value.close()
        second = there("ui", "--port", str(port))
        assert second.exit_code == 2
        assert f"--port {port}: Address already in use" in second.stderr
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
    with socket.socket() as probe:
        probe.settimeout(2)
        assert probe.connect_ex(("127.0.0.1", port)) != 0


# What needs neither store nor sweep.


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sweep", "digts"], "no such sweep file: digts; bundled sweeps: diabetes, digits; did you mean 'digits'?"),
        (["sweep", "digits", "--set", "trials=3"], "--set trials: unknown key; did you mean 'search.trials'?"),
        (["sweep", "digits", "--set", "search.trials"], "--set search.trials: write key=value"),
        (["sweep", "digits", "--data", "a.csv"], "give a sweep file or --data, not both"),
        (["sweep", "--target", "a"], "give a sweep file, the name of a bundled sweep, or --data FILE --target COLUMN"),
        (["sweep", "a.csv"], "a.csv is a table, not a sweep file; give it with --data"),
        (["sweep", "digits", "--tracking-uri", "mlruns"], "is a folder; MLflow"),
        (["list", "--tracking-uri", "file://me:secret@host/x"], "me:***@host"),
        (["init", "--data", "none.csv", "--target", "a"], "none.csv: there is no such file"),
        (["init", "--data", "a.csv", "--target", "z"], "[data] target: the table has no column 'z'"),
        (["show", "x", "--json", "--top", "3"], "--top: cannot be combined with --json"),
        (["best", "x", "--json", "--format", "toml"], "--json: cannot be combined with --format toml"),
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
    [["swep"], ["sweep", "digits", "--trials", "3"], ["sweep", "digits", "--workers", "0"], ["best"], ["init"]],
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


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (UserError("a\x1b[31m"), 2, "mlptune: a\\x1b[31m\n"),
        (SweepFailed("every trial failed"), 1, "mlptune: every trial failed\n"),
        (UserError("one\ntwo\nthree"), 2, "mlptune: one\ntwo\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (OSError(28, "No space left on device"), 1, "mlptune: [Errno 28] No space left on device\n"),
    ],
)
def test_every_kind_of_error_has_its_status(
    run,
    error: BaseException,
    status: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(commands, "_check_store", fail)
    monkeypatch.setattr(sys, "argv", ["mlptune", "list"])
    result = run("list")
    assert (result.exit_code, result.stderr) == (status, told)


def test_a_bug_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_check_store", lambda uri: {}["bug"])
    assert isinstance(run("list").exception, KeyError)


def test_the_resume_line_hides_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["mlptune", "sweep", "my file.toml", "--tracking-uri", "postgresql://me:pw@db/x"])
    assert resume_line() == "mlptune sweep 'my file.toml' --tracking-uri 'postgresql://me:***@db/x' --resume"


def test_json_is_strict_whatever_is_in_it() -> None:
    text = strict_json({"a": float("nan"), "b": [np.float32(1.5), np.int64(2), float("inf")], 3: Path("x")})
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name)) == {"a": None, "b": [1.5, 2, None], "3": "x"}


def test_tables_are_aligned_and_harmless() -> None:
    assert text_table(["n", "name"], [["1", "a\n"], ["10", "b"]], right=["n"]) == " n  name\n 1  a\\n\n10  b"
    shown = {"name": "x", "state": "running", "method": "tpe", "trials": [], "best": None}
    assert trials_text(shown) == "x: running, method tpe, 0 trials"


def test_the_best_lead_where_less_is_better() -> None:
    trials = [
        {"number": n, "state": "complete", "value": v, "epochs": 1, "params": {}, "reason": None}
        for n, v in enumerate([0.3, 0.1, 0.2])
    ]
    best = {"number": 1, "metric": "rmse", "value": 0.1, "test_score": None}
    shown = {"name": "x", "state": "finished", "method": "tpe", "trials": trials, "best": best}
    assert [line.split()[0] for line in trials_text(shown, top=2).splitlines()[2:4]] == ["*1", "2"]
