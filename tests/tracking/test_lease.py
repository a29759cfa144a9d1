"""One coordinator per launch: whether it is alive is known at once on its own host, and of several that claim, one wins."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from mlptune.tracking import lease, reader, store
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import StoreError, UnfinishedLaunch, Writer
from tests.support.launches import opened


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
def test_a_silent_holder_elsewhere_is_waited_for(uri: str, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.5)
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
    assert time.monotonic() - began >= 0.5
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
