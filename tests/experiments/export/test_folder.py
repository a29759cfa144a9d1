"""The folder: whole or not at all, checked in a process of its own, and nothing of another's overwritten."""

import gzip
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlptune
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.errors import SweepFailed, UserError
from mlptune.experiments.export import folder as folders
from mlptune.experiments.export.folder import difference, export
from mlptune.experiments.model import TunedModel, prediction_table
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


def test_what_a_sweep_over_codes_commas_and_towns_hands_back(store: str, tmp_path: Path) -> None:
    """A threshold, learned embeddings, numbers that mean missing, and commas that only [data] decimal explains."""
    rng = np.random.default_rng(5)
    town, weight = rng.integers(0, 60, 600), rng.integers(1000, 9000, 600)
    rare = rng.random(600) < np.where(town % 4 == 0, 0.5, 0.1)
    frame = pd.DataFrame(
        {
            "town": [f"town {place}" for place in town],
            "weight": np.where(rng.random(600) < 0.1, "-999", [f"{g // 1000},{g % 1000:03d}" for g in weight]),
            "bought": np.where(rare, "yes", "no"),
        }
    )
    frame.to_csv(tmp_path / "shop.csv", index=False)
    mlptune.run_sweep(
        {
            "name": "shop",
            "data": {"source": "shop.csv", "target": "bought", "missing": ["-999"], "decimal": ","},
            "model": {"preset": "plain", "epochs": 4},
            "space": {"embedding": ["none", "plr"]},
            "objective": {"metric": "f1"},
            "search": {"trials": 4},
        }
    )
    model = mlptune.load_model("shop")
    assert model.threshold is not None
    assert model.threshold != 0.5
    assert all(part.structure.levels for part in model.parts)
    export(model, tmp_path / "model")
    new = frame.drop(columns="bought").iloc[:200]
    new["weight"] = np.where(new.index % 5 == 0, "-999,0", new["weight"])
    new.to_csv(tmp_path / "new.csv", index=False)
    with gzip.open(tmp_path / "new.csv.gz", "wb") as file:
        file.write((tmp_path / "new.csv").read_bytes())
    expected = prediction_table(model, read_table("new.csv", tmp_path))
    assert 0 < (expected["prediction"] == "yes").sum() < 200
    command = [sys.executable, "-I", "model/predict.py", "new.csv.gz", "-o", "out.csv"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not ran.stderr
    found = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert difference(found, expected) <= 1e-5
    assert (found["prediction"] == expected["prediction"]).all()


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
