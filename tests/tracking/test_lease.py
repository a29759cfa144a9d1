"""One coordinator per launch: whether it is alive is known at once on its own host, and of several that claim, one wins."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mlptune.tracking import lease, reader, schema, store
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.runs import bulk_insert
from mlptune.tracking.writer import StoreError, UnfinishedLaunch, Writer


def opened(writer: Writer, name: str = "digits") -> str:
    return writer.open_launch(name, spec_text="", spec={}, tags={}).result()


@pytest.fixture
def client(uri: str) -> Any:
    return store.import_mlflow().MlflowClient(tracking_uri=uri)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", 1.5)
    monkeypatch.setattr(lease, "_POLL_SECONDS", 0.1)


def held_from_afar(client: Any, run_id: str) -> lease.Holder:
    """As if a coordinator of another machine had taken the launch up."""
    holder = lease.Holder("far-away", 7, "1", "another boot", "token")
    lease.claim(client, run_id, 2, holder)
    client.update_run(run_id, status="RUNNING")
    return holder


def test_who_is_alive_is_known_on_this_host_alone() -> None:
    mine = lease.register_holder()
    assert mine.is_alive() is True
    lease.unregister_holder(mine)
    assert mine.is_alive() is False  # another coordinator of this very process may follow
    assert replace(mine, host="elsewhere").is_alive() is None
    if mine.boot:
        assert replace(mine, boot="a clone of this host").is_alive() is None
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    there = replace(mine, process=child.pid, started=str(lease._started(child.pid)))
    assert there.is_alive() is True
    assert replace(there, started="before").is_alive() is False  # the number belongs to a later process now
    child.kill()
    time.sleep(0.2)
    assert there.is_alive() is False  # not yet waited for: a zombie
    child.communicate()
    assert there.is_alive() is False


def test_of_many_claims_one_wins(uri: str, client: Any) -> None:
    with Writer(uri) as writer:
        run_id = opened(writer)
    for number in (2, 3, 4):
        outcomes: list[str] = []
        start = threading.Barrier(4)

        def take(number: int = number, start: Any = start, outcomes: list[str] = outcomes) -> None:
            own = store.import_mlflow().MlflowClient(tracking_uri=uri)
            holder = lease.register_holder()
            start.wait()
            try:
                lease.claim(own, run_id, number, holder)
                outcomes.append(holder.token)
            except lease.HeldElsewhere as error:
                assert str(holder) in str(error)
                outcomes.append("")

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [winner] = [token for token in outcomes if token]
        assert len(outcomes) == 4
        held = lease.lease_of(client.get_run(run_id))
        assert held.holder is not None
        assert (held.number, held.holder.token) == (number, winner)


def test_of_launches_opened_at_once_one_stays(uri: str) -> None:
    for round_ in range(3):
        writers = [Writer(uri) for _ in range(3)]
        for writer in writers:
            writer.flush()
        answers = [writer.open_launch(f"sweep {round_}", spec_text="", spec={}, tags={}) for writer in writers]
        failures = [answer.exception() for answer in answers]
        assert sum(failure is None for failure in failures) == 1
        assert all(isinstance(failure, UnfinishedLaunch) for failure in failures if failure)
        for writer in writers:
            writer.close()
        assert len(reader.launches(uri, f"sweep {round_}")) == 1


def test_a_running_launch_is_refused_by_its_holders_name(uri: str) -> None:
    with Writer(uri) as writer:
        run_id = opened(writer)
        with Writer(uri) as second:
            with pytest.raises(UnfinishedLaunch, match=f"is being run by .* process {os.getpid()}") as caught:
                opened(second)
            assert caught.value.running
        with pytest.raises(lease.HeldElsewhere, match=f"is being run by .* process {os.getpid()}"):
            lease.wait_until_free(uri, "digits", run_id, print)
        writer.finish_launch("interrupted")
        writer.flush()
        assert lease.wait_until_free(uri, "digits", run_id, print) == 1
    with Writer(uri) as writer, pytest.raises(UnfinishedLaunch) as unfinished:
        opened(writer)
    assert unfinished.value.holder is None


@pytest.mark.usefixtures("quick")
def test_a_silent_holder_elsewhere_is_waited_for(uri: str, client: Any) -> None:
    with Writer(uri) as writer:
        run_id = opened(writer)
    held_from_afar(client, run_id)
    with Writer(uri) as writer:
        with pytest.raises(UnfinishedLaunch, match="far-away process 7") as caught:
            opened(writer)
        assert not caught.value.running
    said: list[str] = []
    began = time.monotonic()
    assert lease.wait_until_free(uri, "digits", run_id, said.append) == 2
    assert time.monotonic() - began >= 1.5
    assert len(said) >= 2
    assert all("far-away process 7" in text for text in said)
    with Writer(uri) as writer:
        assert writer.reopen_launch("digits", run_id, after=2, tags={}).result() == run_id
        writer.finish_launch("finished")
    assert lease.lease_of(client.get_run(run_id)).number == 3


@pytest.mark.usefixtures("quick")
def test_a_holder_elsewhere_that_beats_is_left_alone(uri: str, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.2)
    with Writer(uri) as writer:
        run_id = opened(writer)
    held_from_afar(client, run_id)
    heartbeat = lease.Heartbeat(client, run_id, 2)
    with pytest.raises(lease.HeldElsewhere, match="far-away process 7"):
        lease.wait_until_free(uri, "digits", run_id, print)
    heartbeat.stop()


def test_a_coordinator_that_was_superseded_stops_writing(
    uri: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.1)
    writer = Writer(uri)
    run_id = opened(writer)
    writer.commit_trial(TrialRecord(0, "complete", 0.5, {}, 1))
    writer.flush()
    held_from_afar(client, run_id)
    time.sleep(0.5)
    writer.commit_trial(TrialRecord(1, "complete", 0.5, {}, 1))
    with pytest.raises(StoreError, match="far-away process 7 has taken this sweep over"):
        writer.flush()
    with pytest.raises(StoreError):
        writer.finish_launch("interrupted")
    writer.close()
    assert [trial.number for trial in reader.trials(uri, run_id)] == [0]
    assert reader.launch(uri, "digits").state == "running"


def test_a_coordinator_that_slept_looks_before_it_writes(
    uri: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There was no heartbeat meanwhile, and the first write comes before the next beat."""
    with Writer(uri) as writer:
        run_id = opened(writer)
        held_from_afar(client, run_id)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 60)
        writer.commit_trial(TrialRecord(0, "complete", 0.5, {}, 1))
        with pytest.raises(lease.LeaseLost):
            writer.flush()


def flush_for(seconds: float, writer: Writer) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.1)
        writer.flush()


def test_a_deleted_launch_is_not_written_any_more(uri: str, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.1)
    with Writer(uri) as writer:
        run_id = opened(writer)
        writer.commit_trial(TrialRecord(0, "complete", 0.5, {}, 1))
        writer.flush()
        client.delete_run(run_id)
        with pytest.raises(lease.LeaseLost, match=f"deleted in MLflow.* restore its run {run_id}"):
            flush_for(30, writer)
    client.restore_run(run_id)
    assert [trial.number for trial in reader.trials(uri, run_id)] == [0]


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
    assert {run.info.run_name for run in closed} == {"trial 001 (superseded)", "trial 002 (superseded)"}
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


@pytest.mark.parametrize("way", ["client", "tables"])
def test_a_run_whose_creation_was_never_confirmed_is_found_again(
    way: str, uri: str, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    """The request arrived, its answer did not: the next try finds the run, and completes it."""
    import mlflow

    lost = []

    def losing(method: Any, is_trial: Callable[..., bool]) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = method(self, *args, **kwargs)
            if is_trial(**kwargs) and not lost:
                lost.append(result)
                raise ConnectionResetError("the answer is lost")
            return result

        return call

    if way == "client":
        monkeypatch.setattr(bulk_insert, "tables", lambda uri: None)
        made = losing(mlflow.MlflowClient.create_run, lambda tags, **_: tags[schema.KIND] == "trial")
        monkeypatch.setattr(mlflow.MlflowClient, "create_run", made)
    else:
        monkeypatch.setattr(bulk_insert.Tables, "write", losing(bulk_insert.Tables.write, lambda: True))
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
