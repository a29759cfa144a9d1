"""A store that an earlier version made keeps opening: read, finished and resumed.

`store-0.1.0.sql.xz` was written by mlptune 0.1.0 before launches had claims, and dumped with the folder's name replaced. It holds a
finished sweep, one that was interrupted, and one whose process was killed in the middle of its trials.
"""

import lzma
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import mlptune
from mlptune.experiments.errors import UserError
from mlptune.experiments.queries import best, list_sweeps, show
from mlptune.tracking import lease, reader
from tests.support.observers import Listener

FROZEN = Path(__file__).parent.parent / "tracking/data/store-0.1.0.sql.xz"
SPEC: dict[str, Any] = {
    "data": {"source": "sklearn:breast_cancer", "target": "target"},
    "model": {"epochs": 4, "early_stopping": 2},
    "space": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}, "hidden": [[8], [8, 4]]},
    "search": {"method": "random", "trials": 8, "batch": 4},
}
KILLED: dict[str, Any] = {
    **SPEC,
    "name": "killed",
    "model": {"epochs": 9},
    "search": {"method": "hyperband", "trials": 8, "batch": 4},
}


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    text = lzma.decompress(FROZEN.read_bytes()).decode().replace("@FOLDER@", str(tmp_path))
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    connection.executescript(text)
    connection.close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return f"sqlite:///{tmp_path}/mlflow.db"


def test_it_is_listed_and_shown(frozen: str) -> None:
    listed = {entry["name"]: (entry["state"], entry["trials"], entry["total"]) for entry in list_sweeps()}
    assert listed == {"finished": ("finished", 8, 8), "unfinished": ("interrupted", 5, 8), "killed": ("running", 1, 8)}
    assert [trial["state"] for trial in show("finished")["trials"]] == ["complete"] * 8
    assert [trial["state"] for trial in show("killed")["trials"]] == ["running", "running", "pruned", "running"]
    found = best("finished")
    assert (found["number"], round(found["value"], 5), round(found["test_score"], 5)) == (0, 0.97802, 0.98246)
    assert mlptune.best_config("finished")["hidden"] == [8]
    launch = reader.launch(frozen, "finished")
    curves = reader.curves(frozen, [trial["run_id"] for trial in show("finished")["trials"]], ["val_score"])
    assert launch.test_score is not None
    assert {len(curve["val_score"]) for curve in curves.values()} == {4}


def test_what_is_finished_answers_resume(frozen: str) -> None:
    before = show("finished")
    assert mlptune.run_sweep({**SPEC, "name": "finished"}, resume=True).summary() == before


@pytest.mark.parametrize("spec", [pytest.param({**SPEC, "name": "unfinished"}, marks=pytest.mark.slow), KILLED])
def test_what_is_unfinished_goes_on(frozen: str, spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without claims nobody can tell who runs a launch that was never closed: the lease is waited for."""
    monkeypatch.setattr(lease, "LEASE_SECONDS", 1.0)
    before = {trial["number"]: trial for trial in show(spec["name"])["trials"] if trial["state"] != "running"}
    run_id = show(spec["name"])["run_id"]
    with pytest.raises(UserError, match="--resume"):
        mlptune.run_sweep(spec)
    listener = Listener()
    after = mlptune.run_sweep(spec, resume=True, observer=listener).summary()
    assert any("last run by somewhere process" in text for text in listener.messages) == (spec is KILLED)
    assert (after["run_id"], after["state"]) == (run_id, "finished")
    assert [trial["number"] for trial in after["trials"]] == list(range(8))
    for number, trial in before.items():
        assert after["trials"][number]["params"] == trial["params"]
        assert after["trials"][number]["value"] == trial["value"]
    stored = show(spec["name"])
    for trial in (*stored["trials"], *after["trials"]):
        trial.pop("reason")  # what was recorded stays as that version worded it
    assert stored == after


def test_a_version_that_would_propose_other_trials_says_so(frozen: str) -> None:
    connection = sqlite3.connect(frozen.removeprefix("sqlite:///"))
    changed = "UPDATE tags SET value = replace(value, '\"hidden\":[8]', '\"hidden\":[9]') WHERE key = 'mlptune.record'"
    connection.execute(changed)
    connection.execute("UPDATE tags SET value = '0.0.9' WHERE key = 'mlptune.version'")
    connection.commit()
    connection.close()
    listener = Listener()
    with pytest.raises(UserError, match=r"trial \d was begun with hidden = \[9\]") as caught:
        mlptune.run_sweep({**SPEC, "name": "unfinished"}, resume=True, observer=listener)
    assert "\n" not in str(caught.value)
    assert f"begun by mlptune 0.0.9, continued by {mlptune.__version__}" in listener.messages
