"""A finished sweep for the tests of the commands, and the commands run in this process."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from mlptune.experiments.cli import commands
from tests.support.processes import Run

CARS = ["--data", "cars.csv", "--target", "kind", "--workers", "1"]
CARS += ["--set", "search.trials=6", "--set", "search.batch=3", "--set", "model.epochs=4"]
CARS += ["--set", "objective.ensemble=0"]


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished sweep "cars" and its table."""
    folder = tmp_path_factory.mktemp("cli")
    rng = np.random.default_rng(0)
    power = rng.normal(size=120)
    frame = pd.DataFrame(
        {"power": power, "colour": rng.choice(["red", "blue"], 120), "kind": np.where(power > 0, "suv", "a,b")}
    )
    frame.to_csv(folder / "cars.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        ran = CliRunner().invoke(commands.app, ["sweep", *CARS], prog_name="mlptune")
    assert ran.exit_code == 0, ran.stderr
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
