"""Trials as MLflow shows them: each committed once, by its latest attempt, whatever was begun, repeated or lost before."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from mlptune.tracking import lease, reader, schema
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.runs import bulk_insert, launches
from mlptune.tracking.runs.table_client import TableClient
from mlptune.tracking.writer import Writer
from tests.support.launches import KEYS, PARAMS, curves, opened, record


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


def test_a_launch_that_is_finished_again_marks_its_new_best_and_members_alone(uri: str, client: Any) -> None:
    def marks() -> dict[int, set[str]]:
        of_model = {schema.LEADER, schema.MEMBER}
        return {t.number: of_model & client.get_run(t.run_id).data.tags.keys() for t in reader.trials(uri, run_id)}

    with Writer(uri) as writer:
        run_id = opened(writer)
        for number in range(3):
            writer.commit_trial(record(number))
        writer.finish_launch("finished", best=record(0), members={0: 0.5, 1: 0.5})
    assert marks() == {0: {schema.LEADER, schema.MEMBER}, 1: {schema.MEMBER}, 2: set()}
    with Writer(uri) as writer:
        writer.reopen_launch("digits", run_id, after=1, tags={})
        writer.finish_launch("finished", best=record(2), members={1: 0.25, 2: 0.75})
    assert marks() == {0: set(), 1: {schema.MEMBER}, 2: {schema.LEADER, schema.MEMBER}}


def test_uncommitted_trials_are_superseded_and_begun_again(uri: str, client: Any) -> None:
    with Writer(uri) as writer:
        run_id = opened(writer)
        writer.commit_trial(TrialRecord(0, "complete", 0.5, {}, 1))
        writer.log_segment(TrialRecord(1, "running", None, {"x": 1}), {"val_loss": [1.0]})
        writer.log_segment(TrialRecord(2, "running", None, {"x": 2}), {"val_loss": [1.0]})
    for _ in range(2):  # a second coordinator dies before it has begun them again
        with Writer(uri) as writer:
            after = lease.wait_until_free(uri, "digits", run_id, print)
            writer.reopen_launch("digits", run_id, after=after, tags={})
            writer.flush()
        assert [trial.number for trial in reader.trials(uri, run_id)] == [0]
        assert reader.attempts(uri, run_id) == {0: 1, 1: 1, 2: 1}
    experiment = client.get_run(run_id).info.experiment_id
    closed = client.search_runs([experiment], f"tags.{schema.STATE} = 'superseded'")
    assert sorted(run.data.tags[schema.NUMBER] for run in closed) == ["1", "2"]
    assert {run.info.status for run in closed} == {"KILLED"}
    assert {run.info.run_name for run in closed} == {"#1 x 1 (superseded)", "#2 x 2 (superseded)"}
    shown = f"tags.`{schema.STATE}` != 'superseded' and tags.{schema.PARENT} = '{run_id}'"
    assert len(client.search_runs([experiment], shown)) == 1
    with Writer(uri) as writer:
        writer.reopen_launch("digits", run_id, after=3, tags={})
        for number in (1, 2):
            writer.commit_trial(TrialRecord(number, "complete", 0.25, {"x": number}, 1, attempt=2))
        writer.finish_launch("finished")
    assert [(t.number, t.attempt, t.value) for t in reader.trials(uri, run_id)] == [
        (0, 1, 0.5),
        (1, 2, 0.25),
        (2, 2, 0.25),
    ]
    assert reader.launch(uri, "digits").done == {"complete": 3}


def test_late_writes_of_a_dead_holder_do_not_count(uri: str, client: Any) -> None:
    """A request of the holder before arrives after its trials were closed: it commits one, and makes another."""
    with Writer(uri) as writer:
        run_id = opened(writer)
        writer.commit_trial(TrialRecord(0, "complete", 0.5, {}, 1))
        writer.log_segment(TrialRecord(1, "running", None), {"val_loss": [1.0]})
        writer.flush()
        late = client.get_run(writer.trial_run_id(1))
    with Writer(uri) as writer:
        writer.reopen_launch("digits", run_id, after=1, tags={})
        writer.flush()
        client.set_tag(late.info.run_id, schema.STATE, "complete")
        client.set_terminated(late.info.run_id, "FINISHED")
        tags = {**late.data.tags, schema.NUMBER: "2", schema.STATE: "complete"}
        client.set_terminated(client.create_run(late.info.experiment_id, tags=tags).info.run_id)
        writer.commit_trial(TrialRecord(1, "complete", 0.5, {}, 1, attempt=2))
        writer.commit_trial(TrialRecord(2, "complete", 0.5, {}, 1))
        writer.finish_launch("finished")
    query = f"tags.{schema.PARENT} = '{run_id}' and tags.`{schema.STATE}` != 'superseded'"
    counting = client.search_runs([late.info.experiment_id], query)
    assert sorted(run.data.tags[schema.NUMBER] for run in counting) == ["0", "1", "2"]
    assert [(t.number, t.attempt) for t in reader.trials(uri, run_id)] == [(0, 1), (1, 2), (2, 1)]


@pytest.mark.parametrize("way", ["client", "rows", "tables"])
def test_a_run_whose_creation_was_never_confirmed_is_found_again(
    way: str, uri: str, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    """The request arrived, its answer did not: the next try finds the run, and completes it."""
    import mlflow

    lost = []

    def losing(method: Any, is_trial: Callable[..., bool]) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = method(self, *args, **kwargs)
            if is_trial(*args, **kwargs) and not lost:
                lost.append(result)
                raise ConnectionResetError("the answer is lost")
            return result

        return call

    if way != "tables":
        monkeypatch.setattr(launches, "is_known", lambda uri: False)
    if way == "client":
        monkeypatch.setattr(bulk_insert, "tables", lambda uri: None)
        made = losing(mlflow.MlflowClient.create_run, lambda *_, tags, **__: tags[schema.KIND] == "trial")
        monkeypatch.setattr(mlflow.MlflowClient, "create_run", made)
    else:
        tables = bulk_insert.Tables if way == "rows" else TableClient
        monkeypatch.setattr(tables, "write", losing(tables.write, lambda _, rows: "trial" in rows.tags.values()))
    with Writer(uri) as writer:
        run_id = opened(writer)
        writer.commit_trial(TrialRecord(0, "complete", 0.5, {"x": 3}, 1), {"val_loss": [1.0]})
        writer.flush()
    [trial] = reader.trials(uri, run_id)
    runs = client.search_runs([client.get_run(run_id).info.experiment_id], f"tags.{schema.KIND} = 'trial'")
    assert [run.info.run_id for run in runs] == [trial.run_id]
    assert runs[0].data.params == {"x": "3"}
    assert runs[0].data.metrics["val_loss"] == 1.0
    assert len(lost) == 1
