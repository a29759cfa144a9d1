"""`sweep` as users run it, in processes of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.support.processes import Run, environment
from tests.support.processes import run as run_command

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
