"""What the version before wrote keeps working: a killed sweep is resumed to the same result, a model predicts the same.

All of it was written by mlptune 0.1.0. `store-0.1.0-killed.sql.xz` is a dump of a store, with the names of folder and
host replaced: it holds a sweep that ran to its end, `complete`, and the same one under the name `killed`, whose process
was ended with 7 of its 12 trials committed. Each `model-0.1.0-*` is a model's folder with raw rows and what that version
predicted for them.
"""

import lzma
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mlptune
from mlptune.experiments.model import TunedModel, prediction_table
from mlptune.experiments.queries import report, show
from mlptune.tracking import lease

FROZEN = Path(__file__).parents[1] / "frozen"
SPEC: dict[str, Any] = {
    "name": "killed",
    "seed": 3,
    "data": {"source": "sklearn:breast_cancer", "target": "target", "folds": 3},
    "model": {"epochs": 12, "early_stopping": 4},
    "space": {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "hidden": [[8], [8, 4]],
        "dropout": {"low": 0.0, "high": 0.5},
    },
    "search": {"method": "auto", "trials": 12, "batch": 4},
}


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = lzma.decompress((FROZEN / "store-0.1.0-killed.sql.xz").read_bytes()).decode()
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    connection.executescript(text.replace("@FOLDER@", str(tmp_path)))
    connection.close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(lease, "LEASE_SECONDS", 1.0)  # its holder is on a host that cannot be asked


@pytest.mark.usefixtures("frozen")
def test_a_killed_sweep_is_resumed_to_the_result_of_one_that_was_not() -> None:
    def essence(summary: dict[str, Any]) -> list[dict[str, Any]]:
        return [{key: trial[key] for key in ("number", "state", "params", "epochs")} for trial in summary["trials"]]

    complete, before = show("complete"), show("killed")
    assert sum(trial["state"] == "complete" for trial in before["trials"]) == 7
    assert "This launch is running" in report("killed")  # without what 0.1.0 did not measure
    after = mlptune.run_sweep(SPEC, resume=True, workers=1).summary()
    assert (after["run_id"], after["state"]) == (before["run_id"], "finished")
    # Proposals depend on every earlier value, so this holds only if those are the same to the last bits that matter. On the kind
    # of processor that the store was written on values are equal bit for bit; others round differently.
    assert essence(after) == essence(complete)
    for ours, theirs in zip(after["trials"], complete["trials"], strict=True):
        assert ours["value"] == pytest.approx(theirs["value"], rel=1e-5)
    assert after["best"]["number"] == complete["best"]["number"]
    assert after["best"]["test_score"] == pytest.approx(complete["best"]["test_score"], rel=1e-5)


@pytest.mark.parametrize("name", ["labels", "price"])
def test_a_model_predicts_what_it_did(name: str) -> None:
    folder = FROZEN / f"model-0.1.0-{name}"
    model = TunedModel.load(folder)
    found = prediction_table(model, pd.read_csv(folder / "rows.csv"))
    expected = pd.read_csv(folder / "predictions.csv")
    assert list(found.columns) == list(expected.columns)
    for column in expected:
        if expected[column].dtype.kind == "f":
            np.testing.assert_allclose(found[column], expected[column], rtol=1e-10)
        else:
            assert found[column].tolist() == expected[column].tolist()
