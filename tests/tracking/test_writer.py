"""What the writer wrote, read back by MLflow's own client; and that no failure of it goes unheard."""

import math
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import reader, store
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import StoreError, UnfinishedLaunch, Writer

KEYS = ("train_loss", "val_loss", "train_score", "val_score")
PARAMS = {"learning_rate": 0.001, "hidden": [64, 32], "activation": "relu", "batch_norm": True, "clip_norm": None}


def curves(epochs: int, first: int = 1) -> dict[str, list[float]]:
    return {key: [k + (first + j) / 8 for j in range(epochs)] for k, key in enumerate(KEYS)}


def record(number: int, **changes: Any) -> TrialRecord:
    values: dict[str, Any] = {"state": "complete", "value": 0.5, "params": PARAMS, "epochs": 5, "seeds": (0, 1)}
    return TrialRecord(number, **{**values, **changes})


@pytest.fixture
def client(uri: str) -> Any:
    mlflow = store.import_mlflow()
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.fixture
def writer(uri: str) -> Iterator[Writer]:
    with Writer(uri) as writer:
        yield writer


def opened(writer: Writer, name: str = "digits", **options: Any) -> str:
    tags = {"mlptune.method": "tpe", "mlptune.trials": "4"}
    return writer.open_launch(name, spec_text="name = 'é'\n", spec={"name": name}, tags=tags, **options).result()


def test_trials_as_mlflow_sees_them(writer: Writer, client: Any) -> None:
    parent = opened(writer)
    started = datetime(2024, 5, 1, tzinfo=UTC)
    writer.commit_trial(record(0), curves(5), started=started)
    writer.log_segment(TrialRecord(1, "running", None, PARAMS), curves(3), tags={"note": "x"})
    writer.flush()
    running = client.get_run(writer.trial_run_id(1))
    assert (running.info.status, running.data.tags["mlptune.state"]) == ("RUNNING", "running")
    writer.log_segment(TrialRecord(1, "running", None, PARAMS), curves(2, 4), 4)
    writer.commit_trial(record(1, state="pruned", epochs=6, reason="below the median"), curves(1, 6), 6)
    writer.commit_trial(record(2, state="failed", value=None, epochs=0, reason="worker died"))
    writer.flush()
    for number, status, epochs in ((0, "FINISHED", 5), (1, "KILLED", 6), (2, "FAILED", 0)):
        run = client.get_run(writer.trial_run_id(number))
        tags = run.data.tags
        assert run.info.status == status
        assert tags["mlflow.parentRunId"] == parent
        assert tags["mlptune.sweep"] == "digits"
        assert (tags["mlptune.number"], tags["mlptune.attempt"], tags["mlptune.seeds"]) == (str(number), "1", "[0,1]")
        for k, key in enumerate(KEYS):
            history = sorted((m.step, m.value) for m in client.get_metric_history(run.info.run_id, key))
            assert history == [(epoch, k + epoch / 8) for epoch in range(1, epochs + 1)]
    first = client.get_run(writer.trial_run_id(0))
    assert first.info.start_time == started.timestamp() * 1000
    assert first.data.metrics["value"] == 0.5
    assert first.data.params == {
        "learning_rate": "0.001",
        "hidden": "[64,32]",
        "activation": "relu",
        "batch_norm": "true",
        "clip_norm": "null",
    }
    failed = client.get_run(writer.trial_run_id(2))
    assert failed.data.tags["mlptune.reason"] == "worker died"
    assert failed.data.params == first.data.params
    assert "value" not in failed.data.metrics


def test_launch_as_mlflow_sees_it(writer: Writer, client: Any) -> None:
    parent = opened(writer, params={"epochs": 5})
    run = client.get_run(parent)
    assert run.info.status == "RUNNING"
    assert run.data.params == {"epochs": "5"}
    assert run.data.tags["mlflow.user"]
    assert run.data.tags["mlflow.source.name"] == "mlptune"
    writer.commit_trial(record(0), curves(5))
    best = record(1, value=0.75)
    writer.commit_trial(best, curves(5))
    writer.commit_trial(record(2, state="pruned", value=0.1), curves(2))
    artifacts: dict[str, str | bytes] = {"plots/a.bin": b"\x00\xff", "report.html": "<p>é</p>"}
    writer.finish_launch("finished", best=best, metrics={"test_score": 0.7}, tags={"x": "y"}, artifacts=artifacts)
    writer.flush()
    run = client.get_run(parent)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"test_score": 0.7, "best_value": 0.75}
    assert run.data.tags["x"] == "y"
    assert client.get_run(writer.trial_run_id(1)).data.tags["mlptune.leader"] == "true"
    download = Path(client.download_artifacts(parent, "plots/a.bin"))
    assert download.read_bytes() == b"\x00\xff"
    assert Path(client.download_artifacts(parent, "sweep.toml")).read_text(encoding="utf-8") == "name = 'é'\n"
    assert sorted(a.path for a in client.list_artifacts(parent)) == ["plots", "report.html", "sweep.toml"]


def test_artifacts_land_beside_the_store_from_any_folder(writer: Writer, uri: str, tmp_path: Path) -> None:
    parent = opened(writer)
    path = store.sqlite_path(uri)
    assert path is not None
    assert (path.parent / "mlruns/digits" / parent / "artifacts/sweep.toml").is_file()
    assert {entry.name for entry in tmp_path.iterdir()} == {path.parent.name, "elsewhere"}


def test_many_metrics_params_and_tags_are_split(writer: Writer, client: Any) -> None:
    opened(writer)
    params = {f"p{i}": i for i in range(250)}
    tags = {f"t{i}": str(i) for i in range(250)}
    writer.commit_trial(record(0, epochs=700, params=params), curves(700), tags=tags)
    writer.flush()
    run = client.get_run(writer.trial_run_id(0))
    assert len(run.data.params) == 250
    assert tags.items() <= run.data.tags.items()
    assert len(client.get_metric_history(run.info.run_id, "val_score")) == 700


def test_long_texts_are_whole(writer: Writer, client: Any, uri: str) -> None:
    long = {"choice": "x" * 9000, "list": list(range(3000))}
    parent = opened(writer, params=long)
    written = record(0, params=long, reason="r" * 9000, rebuild={"a": ["y" * 10000]})
    writer.commit_trial(written)
    writer.log_segment(TrialRecord(1, "running", None), curves(1), tags={"mine": "z" * 9000})
    writer.finish_launch("failed", best=written)
    writer.flush()
    run = client.get_run(writer.trial_run_id(0))
    assert all(len(value) < 200 for value in run.data.tags.values())
    assert all(len(value) <= 6000 and "mlptune.record" in value for value in run.data.params.values())
    (back, other) = reader.trials(uri, parent)
    assert (back.params, back.reason, back.rebuild) == (long, written.reason, written.rebuild)
    named = client.get_run(other.run_id).data.tags["mine"].removeprefix("artifact:")
    assert reader.artifact(uri, str(other.run_id), named).read_text() == "z" * 9000
    best = reader.launch(uri, "digits").best
    assert best is not None
    assert best.params == long


def test_a_schedule_of_any_length_is_whole(writer: Writer, uri: str) -> None:
    parent = opened(writer)
    changes = [[epoch, {"learning_rate": 1 / epoch, "l2": 0.1}] for epoch in range(2, 400)]
    schedule = record(0, configuration={**PARAMS, "changes": changes}, copied=((1, 3), (7, 2)))
    writer.commit_trial(schedule, curves(5))
    writer.finish_launch("finished", best=schedule)
    writer.flush()
    [read] = reader.trials(uri, parent)
    assert (read.configuration, read.copied) == (schedule.configuration, schedule.copied)
    best = reader.launch(uri, "digits").best
    assert best is not None
    assert (best.configuration, best.copied) == (schedule.configuration, schedule.copied)
    assert (
        not store.import_mlflow()
        .MlflowClient(uri)
        .get_run(str(read.run_id))
        .data.tags["mlflow.note.content"]
        .startswith("artifact")
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite(writer: Writer, uri: str, value: float) -> None:
    parent = opened(writer)
    writer.commit_trial(record(0, value=value, spread=value), {"val_loss": [0.5, value]}, metrics={"x": value})
    writer.finish_launch("finished", metrics={"test_score": value})
    writer.flush()
    (back,) = reader.trials(uri, parent)
    assert back.state == "complete"
    found = reader.curves(uri, [str(back.run_id)], ["val_loss"])[str(back.run_id)]["val_loss"]
    for number in (back.value, back.spread, found[1]):
        assert number is not None
        assert math.isnan(number) if math.isnan(value) else number == value
    assert reader.launch(uri, "digits").test_score is None


@pytest.mark.parametrize("name", ["a' or '1'='1", "../../up", "<b>&amp;", "x" * 100, "100% \"'`;--", "..", "é\u202e雪"])
def test_hostile_names(writer: Writer, uri: str, tmp_path: Path, name: str) -> None:
    parent = opened(writer, name)
    hostile = {"note": name, "reason": f"{name}\n{name}"}
    writer.commit_trial(record(0, params=hostile, reason=name), curves(1), tags={"mine": name})
    writer.finish_launch("finished", best=record(0, params=hostile))
    writer.flush()
    (back,) = reader.trials(uri, parent)
    assert (back.params, back.reason) == (hostile, name)
    assert [launch.name for launch in reader.sweeps(uri)] == [name]
    folder = store.sqlite_path(uri)
    assert folder is not None
    # Everything that was written lies in the store's folder, one level below `mlruns`.
    assert {path.name for path in tmp_path.iterdir()} == {folder.parent.name, "elsewhere"}
    assert sorted(os.listdir(folder.parent)) == ["mlflow.db", "mlruns"]
    assert len(os.listdir(folder.parent / "mlruns")) == 1


@pytest.mark.parametrize(
    "text", ["\x1b]0;title\x07\x00\r\n\x7f", "x" * 10_000, "<script>alert(1)</script>" * 500, "\udc80"]
)
def test_hostile_texts(writer: Writer, uri: str, text: str, client: Any) -> None:
    """Texts of any kind are kept whole where programs read them, and never refused."""
    parent = opened(writer)
    hostile = {"activation": text, "list": [text]}
    writer.commit_trial(record(0, params=hostile, reason=text, rebuild={text: text}), curves(1), tags={"mine": text})
    writer.finish_launch("finished", best=record(0, params=hostile), tags={"note": text})
    writer.flush()
    (back,) = reader.trials(uri, parent)
    assert (back.params, back.reason, back.rebuild) == (hostile, text, {text: text})
    for value in client.get_run(back.run_id).data.params.values():
        assert "\x00" not in value
        assert len(value) <= 6000
    assert "<script" not in client.get_run(parent).data.tags["mlflow.note.content"]


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "", "."])
def test_artifact_paths_stay_inside(writer: Writer, path: str) -> None:
    with pytest.raises(ValueError, match="artifact"):
        writer.finish_launch("finished", artifacts={path: "x"})


def test_wrong_states_are_refused(writer: Writer) -> None:
    with pytest.raises(ValueError, match="running"):
        writer.commit_trial(record(0, state="running"))
    with pytest.raises(ValueError, match="interrupted"):
        writer.finish_launch("stopped")


def test_second_attempt_supersedes_the_first(writer: Writer, uri: str) -> None:
    parent = opened(writer)
    writer.log_segment(TrialRecord(0, "running", None, PARAMS), curves(3))
    writer.flush()
    first = writer.trial_run_id(0)
    writer.log_segment(TrialRecord(0, "running", None, PARAMS, attempt=2), curves(2))
    writer.commit_trial(record(0, attempt=2, value=0.25))
    writer.flush()
    (back,) = reader.trials(uri, parent)
    assert (back.attempt, back.value, back.run_id) == (2, 0.25, writer.trial_run_id(0))
    assert back.run_id != first


@pytest.mark.parametrize("state", [None, "interrupted"])
def test_unfinished_launch_is_refused_named_and_resumed(uri: str, state: str | None) -> None:
    with Writer(uri) as writer:
        first = opened(writer)
        writer.commit_trial(record(0), curves(5))
        writer.log_segment(TrialRecord(1, "running", None, PARAMS), curves(2))
        if state:
            writer.finish_launch(state)
    with Writer(uri) as writer:
        with pytest.raises(UnfinishedLaunch) as caught:
            opened(writer)
        assert (caught.value.name, caught.value.run_id) == ("digits", first)
        with pytest.raises(UnfinishedLaunch):
            writer.flush()
    with Writer(uri) as writer:
        assert writer.reopen_launch("digits", first, after=1, tags={}).result() == first
        assert reader.launch(uri, "digits").state == "running"
        writer.commit_trial(record(1, attempt=2), curves(5))
        writer.finish_launch("finished")
    launch = reader.launch(uri, "digits")
    assert (launch.state, launch.done) == ("finished", {"complete": 2})
    assert [trial.attempt for trial in reader.trials(uri, first)] == [1, 2]
    with Writer(uri) as writer:
        second = opened(writer)
    with Writer(uri) as writer:
        third = opened(writer, unfinished_ok=True)
    assert [launch.run_id for launch in reader.launches(uri, "digits")] == [third, second, first]


def test_deleted_experiment_says_how_to_restore_it(uri: str, client: Any) -> None:
    client.delete_experiment(client.create_experiment("digits"))
    with Writer(uri) as writer, pytest.raises(ValueError, match="mlflow experiments restore -x 1"):
        opened(writer)


def test_experiment_that_the_user_made(uri: str, client: Any) -> None:
    path = store.sqlite_path(uri)
    assert path is not None
    client.create_experiment("digits", artifact_location=(path.parent / "mine").as_uri())
    with Writer(uri) as writer:
        parent = opened(writer)
    assert (path.parent / "mine" / parent / "artifacts/sweep.toml").is_file()
    assert [launch.name for launch in reader.sweeps(uri)] == ["digits"]


def test_training_does_not_wait_for_a_locked_store(writer: Writer, uri: str) -> None:
    parent = opened(writer)
    path = store.sqlite_path(uri)
    assert path is not None
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        before = time.perf_counter()
        for number in range(20):
            writer.commit_trial(record(number), curves(20))
        assert time.perf_counter() - before < 0.5
        connection.execute("COMMIT")
    connection.close()
    writer.flush()
    assert [trial.number for trial in reader.trials(uri, parent)] == list(range(20))


def test_error_surfaces_at_the_next_call_in_flush_and_in_close(uri: str) -> None:
    path = store.sqlite_path(uri)
    assert path is not None
    writer = Writer(uri)
    opened(writer)
    shutil.rmtree(path.parent)
    path.parent.write_text("no folder any more")
    writer.commit_trial(record(3), tags={"x": "y" * 9000})
    with pytest.raises(StoreError, match="committing trial 3") as caught:
        writer.flush()
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError):
        writer.commit_trial(record(4))
    writer.close()

    silent = Writer(f"sqlite:///{path.parent}/mlflow.db")
    with pytest.raises(ValueError, match="cannot be prepared"):
        silent.close()


def test_error_that_a_future_has_raised_is_not_raised_again(uri: str) -> None:
    with Writer(uri) as writer:
        failed = writer.log_model(Path("nowhere"), name="digits", loader_module="x")
        with pytest.raises(ValueError, match="no launch"):
            failed.result()
    writer = Writer(uri)
    writer.log_model(Path("nowhere"), name="digits", loader_module="x")
    with pytest.raises(ValueError, match="no launch"):
        writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.commit_trial(record(0))


def test_no_thread_stays(uri: str) -> None:
    with Writer(uri) as writer:
        opened(writer)
    assert "mlptune-writer" not in [thread.name for thread in threading.enumerate()]


LOADER = """
import json, pathlib
class Model:
    def __init__(self, path): self.offset = json.loads((pathlib.Path(path) / "arrays/offset.json").read_text())
    def predict(self, frame): return frame["x"] + self.offset
def _load_pyfunc(path): return Model(path)
"""


def test_model_loads_in_another_process_and_holds_no_pickle(uri: str, tmp_path: Path) -> None:
    modules, folder = tmp_path / "modules", tmp_path / "model"
    (folder / "arrays").mkdir(parents=True)
    modules.mkdir()
    (folder / "arrays/offset.json").write_text("10")
    (modules / "tiny_loader.py").write_text(LOADER)
    with Writer(uri) as writer:
        parent = opened(writer, "my.digits 2")
        model = writer.log_model(folder, name="my.digits 2", loader_module="tiny_loader", metrics={"test_score": 0.5})
        assert model.result() == "1"
        shutil.rmtree(folder)
        writer.finish_launch("finished", metrics={"test_score": 0.5})
    kept = reader.model_folder(uri, parent)
    assert (kept / "arrays/offset.json").read_text() == "10"
    files = [path for path in kept.parent.parent.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".yaml", ".txt", ""}
    assert not [path for path in files if path.read_bytes().startswith(b"\x80")]  # as every pickle since 2003 does
    code = (
        "import sys, mlflow, pandas; mlflow.set_tracking_uri(sys.argv[1]); frame = pandas.DataFrame({'x': [1, 2]});"
        "print([mlflow.pyfunc.load_model(address).predict(frame).tolist() for address in sys.argv[2:]])"
    )
    environment = {**os.environ, "PYTHONPATH": str(modules)}
    command = [sys.executable, "-c", code, uri, "models:/my.digits 2/1", str(kept.parent.parent)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "[[11, 12], [11, 12]]", done.stderr
    assert reader.launch(uri, "my.digits 2").test_score == 0.5


def test_each_launch_registers_a_version(uri: str, tmp_path: Path, client: Any) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.json").write_text("1")
    for version in ("1", "2"):
        with Writer(uri) as writer:
            parent = opened(writer)
            assert writer.log_model(tmp_path / "model", name="digits", loader_module="x").result() == version
            writer.finish_launch("finished")
        assert client.get_model_version("digits", version).run_id == parent
