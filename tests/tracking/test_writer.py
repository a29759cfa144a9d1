"""What the writer wrote, read back by MLflow's own client; and that no failure of it goes unheard."""

import math
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import reader, store
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import StoreError, Writer
from tests.support.launches import PARAMS, curves, opened, record


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
    assert [launches[0].name for launches in reader.sweeps(uri)] == [name]
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
