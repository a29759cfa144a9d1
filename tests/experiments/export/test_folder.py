"""The folder: whole or not at all, checked in a process of its own, and nothing of another's overwritten."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.errors import SweepFailed, UserError
from mlptune.experiments.export import folder as folders
from mlptune.experiments.export.folder import difference, export
from mlptune.experiments.model import TunedModel
from tests.support.models import momentary_model, write_table

FROZEN = Path(__file__).parents[2] / "frozen"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("table") / "rows.csv")


@pytest.fixture(scope="module")
def model(table: Path) -> TunedModel:
    return momentary_model(table, "classification", {"scaling": "quantile", "embedding": "plr"}, {"batch_norm": True})


def test_a_process_without_mlptune_predicts(model: TunedModel, table: Path, tmp_path: Path) -> None:
    export(model, tmp_path / "deep" / "model")
    there = tmp_path / "deep" / "model"
    assert sorted(path.name for path in there.iterdir()) == ["model.npz", "predict.py"]
    with np.load(there / "model.npz", allow_pickle=False) as arrays:
        assert all(array.dtype != object for array in arrays.values())
    command = [sys.executable, "-I", "predict.py", str(table)]
    ran = subprocess.run(command, cwd=there, capture_output=True, text=True, check=True)
    assert len(ran.stdout.splitlines()) == 161
    with pytest.raises(UserError, match=r"holds predict\.py and model\.npz already; --force overwrites them"):
        export(model, there)
    export(model, there, force=True)
    with pytest.raises(UserError, match="is a file; a folder is needed"):
        export(model, there / "predict.py")


@pytest.mark.parametrize("name", ["labels", "price"])
def test_models_of_older_versions_are_exported(name: str, tmp_path: Path) -> None:
    export(TunedModel.load(FROZEN / f"model-0.1.0-{name}"), tmp_path / "model")  # checks itself
    assert (tmp_path / "model" / "predict.py").is_file()


def test_what_predicts_otherwise_is_not_written(
    model: TunedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = TunedModel([replace(part, theta=part.theta * np.float32(1.001)) for part in model.parts], {})
    write = folders.write
    monkeypatch.setattr(folders, "write", lambda _, path: write(other, path))
    with pytest.raises(SweepFailed, match="does not predict what the model predicts"):
        export(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_the_difference_is_relative_to_the_largest_number() -> None:
    expected = pd.DataFrame({"prediction": [200.0, -100.0]})
    assert difference(pd.DataFrame({"prediction": ["200.0", "-98.0"]}), expected) == pytest.approx(0.01)
