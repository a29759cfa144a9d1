"""The names of sweeps are those that MLflow gives, read without it; what cannot be read has none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlptune.tracking import schema
from mlptune.tracking.names import sweep_names


def test_names_are_those_of_sweeps_that_are_not_deleted(migrated: Path, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    path = tmp_path / "a #1.db"
    shutil.copyfile(migrated, path)
    uri = f"sqlite:///{path}"
    client = MlflowClient(uri)
    for name in ("cars", "birds", "gone"):
        made = client.create_experiment(name, tags={schema.KIND: "sweep"})
    client.delete_experiment(made)
    client.create_experiment("not ours")
    assert sorted(sweep_names(uri)) == ["birds", "cars"]


def test_mlflow_is_not_imported() -> None:
    program = "import sys; from mlptune.tracking.names import sweep_names; sweep_names(); "
    program += "print([name for name in ('mlflow', 'numpy', 'pandas', 'optuna') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_a_store_that_is_not_there_has_none_and_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert sweep_names() == []
    assert sweep_names("http://127.0.0.1:9/") == []
    assert sweep_names("mlruns") == []
    (tmp_path / "mlflow.db").write_text("no database")
    assert sweep_names() == []
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
