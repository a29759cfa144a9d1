"""Reading: never makes anything, finds the right launch and attempt, and says what is near when there is none."""

import math
from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import reader, schema, store
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.source import client as source_client
from mlptune.tracking.source import tables
from mlptune.tracking.writer import Writer


@pytest.fixture(autouse=True, params=["tables", "client"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it holds whether the store's own tables are read or MLflow's client is asked."""
    if request.param == "client":
        monkeypatch.setattr(tables, "REVISIONS", ())


def launch(uri: str, name: str, trials: int = 1, state: str | None = "finished") -> str:
    with Writer(uri) as writer:
        opened = writer.open_launch(
            name, spec_text="", spec={}, tags={"mlptune.method": "grid", "mlptune.trials": str(trials)}
        )
        for number in reversed(range(trials)):
            writer.commit_trial(TrialRecord(number, "complete", number / 4, {"x": number}, 2), {"val_loss": [1.0, 0.5]})
        if state:
            writer.finish_launch(state, best=TrialRecord(0, "complete", 0.0, {"x": 0}, 2))
        return opened.result()


def test_missing_store_is_not_made(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    for call in (
        lambda: reader.sweeps(uri),
        lambda: reader.launch(uri, "x"),
        lambda: reader.launches(uri, "x"),
        lambda: reader.trials(uri, "x"),
        lambda: reader.curves(uri, ["x"], ["y"]),
        lambda: reader.artifact(uri, "x", "y"),
        lambda: reader.model_folder(uri, "x"),
    ):
        with pytest.raises(reader.NotFound, match="no store"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_sweeps_and_launches(uri: str) -> None:
    assert reader.sweeps(uri) == []
    first, other, last = launch(uri, "digits"), launch(uri, "wine", 2), launch(uri, "digits", 3, None)
    found = [launches[0] for launches in reader.sweeps(uri)]
    assert [(s.name, s.run_id, s.state, s.total, s.done) for s in found] == [
        ("digits", last, "running", 3, {"complete": 3}),
        ("wine", other, "finished", 2, {"complete": 2}),
    ]
    assert [entry.run_id for entry in reader.launches(uri, "digits")] == [last, first]
    assert reader.launch(uri, "digits").run_id == last
    assert reader.launch(uri, "digits", first[:10]).run_id == first
    best = reader.launch(uri, "wine").best
    assert best is not None
    assert (best.number, best.params) == (0, {"x": 0})
    assert best.run_id == reader.trials(uri, other)[0].run_id


def test_what_is_not_there(uri: str) -> None:
    with pytest.raises(reader.NotFound, match="holds no sweeps"):
        reader.launch(uri, "digits")
    run_id = launch(uri, "digits")
    with pytest.raises(reader.NotFound, match="did you mean 'digits'"):
        reader.launch(uri, "digit")
    from mlflow import MlflowClient

    MlflowClient(uri).delete_run(launch(uri, "wine"))
    with pytest.raises(reader.NotFound, match=r"there is no sweep 'wine'; known: digits$"):
        reader.launch(uri, "wine")
    for call in (
        lambda: reader.launch(uri, "digits", "0" * 32),
        lambda: reader.launch(uri, "digits", ""),
        lambda: reader.trials(uri, "0" * 32),
        lambda: reader.trials(uri, "' or 1=1"),
        lambda: reader.artifact(uri, run_id, "nothing.txt"),
        lambda: reader.artifact(uri, run_id, "../../../../mlflow.db"),
        lambda: reader.artifact(uri, "0" * 32, "sweep.toml"),
        lambda: reader.model_folder(uri, run_id),
    ):
        with pytest.raises(reader.NotFound) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_more_trials_than_a_page(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = launch(uri, "digits", 7)
    monkeypatch.setattr(source_client, "_PAGE", 3)
    monkeypatch.setattr(tables, "_RUNS_A_QUERY", 3)
    assert [trial.number for trial in reader.trials(uri, run_id)] == list(range(7))


def test_repeated_request_counts_once(uri: str) -> None:
    """A client that repeats a request whose answer was lost makes two runs of one trial; the committed one counts."""
    run_id = launch(uri, "digits")
    client = store.import_mlflow().MlflowClient(uri)
    twin = client.get_run(reader.trials(uri, run_id)[0].run_id)
    tags = {**twin.data.tags, schema.STATE: "running"}
    client.create_run(twin.info.experiment_id, start_time=twin.info.start_time - 1, tags=tags)
    assert [trial.run_id for trial in reader.trials(uri, run_id)] == [twin.info.run_id]


def test_run_ended_by_another_hand_is_no_commit(uri: str) -> None:
    with Writer(uri) as writer:
        parent = writer.open_launch("digits", spec_text="", spec={}, tags={}).result()
        writer.log_segment(TrialRecord(0, "running", None), {"val_loss": [1.0]})
    trial = reader.trials(uri, parent)[0]
    store.import_mlflow().MlflowClient(uri).set_terminated(trial.run_id, "FAILED")
    assert reader.trials(uri, parent)[0].state == "running"


def test_deleted_runs_and_foreign_runs_are_not_trials(uri: str) -> None:
    run_id = launch(uri, "digits", 2)
    client = store.import_mlflow().MlflowClient(uri)
    gone, stays = reader.trials(uri, run_id)
    client.delete_run(gone.run_id)
    experiment = client.get_run(run_id).info.experiment_id
    client.create_run(experiment, tags={"mlflow.parentRunId": run_id})
    client.create_run(experiment)
    assert reader.trials(uri, run_id) == [stays]
    assert reader.launch(uri, "digits").run_id == run_id


def test_curves_by_epoch(uri: str) -> None:
    """Gaps are NaN, an epoch that was written twice has its later value, and order is by epoch however it was written."""
    with Writer(uri) as writer:
        parent = writer.open_launch("digits", spec_text="", spec={}, tags={}).result()
        writer.log_segment(TrialRecord(0, "running", None), {"a": [4.0, 5.0]}, 4)
        writer.flush()
        writer.log_segment(TrialRecord(0, "running", None), {"a": [2.0]}, 2)
        writer.flush()
    (trial,) = reader.trials(uri, parent)
    run: Any = trial.run_id
    client = store.import_mlflow().MlflowClient(uri)
    client.log_metric(run, "a", 40.0, step=4, timestamp=10**14)
    found = reader.curves(uri, [run], ["a", "b"])[run]
    assert math.isnan(found["a"][0])
    assert math.isnan(found["a"][2])
    assert [found["a"][1], *found["a"][3:]] == [2.0, 40.0, 5.0]
    assert found["b"] == []


def test_chart_page_names_the_launch(uri: str) -> None:
    run_id = launch(uri, "digits")
    page = reader.chart_page(uri, run_id, ascending=True)
    assert page.startswith("/#/experiments/1/runs?")
    assert run_id in page
    assert "orderByAsc=true" in page
    assert not set(page) & set(" '`")
