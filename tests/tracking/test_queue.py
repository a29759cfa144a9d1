"""A store that goes away and comes back: writes that waited meanwhile are written once, by this process or by the next one."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mlptune.experiments.execution.workers import Workers
from mlptune.tracking import lease, process, queue, reader, schema, store
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import StoreError, Writer
from tests.support.launches import opened
from tests.support.processes import wait_until
from tests.support.servers import Gate, MlflowServer, gate


@pytest.fixture(scope="module")
def server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(migrated, folder / "mlflow.db")
    with MlflowServer(f"sqlite:///{folder}/mlflow.db", folder) as server:
        yield server


@pytest.fixture
def way(server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for name, seconds in (("FIRST_PAUSE_SECONDS", 0.05), ("LONGEST_PAUSE_SECONDS", 0.2), ("POLL_SECONDS", 0.1)):
        monkeypatch.setattr(queue, name, seconds)
    with gate(server.port) as way:
        yield way


@pytest.fixture
def spools(tmp_path: Path) -> Callable[[], list[Path]]:
    return lambda: list((tmp_path / "mlptune").glob("*"))


def commit(writer: Writer, numbers: Any, attempt: int = 1) -> None:
    for number in numbers:
        writer.log_segment(
            TrialRecord(number, "running", None, {"x": number}, attempt=attempt), {"val_loss": [1.0, float("nan")]}
        )
        record = TrialRecord(number, "complete", number / 4, {"x": number, "é\udc80": [1, 2]}, 3, attempt=attempt)
        writer.commit_trial(record, {"val_loss": [0.25]}, 3)


def await_notice(said: list[str], what: str, writer: Writer) -> None:
    until = time.monotonic() + 60
    while not any(what in text for text in said):
        assert time.monotonic() < until, said
        time.sleep(0.05)
        writer.deliver_notices()


def await_commits(spools: Callable[[], list[Path]], count: int) -> None:
    """Wait until so many commits of trials lie on disk, whole lines."""

    def there() -> bool:
        texts = [file.read_text(errors="replace") for file in spools()]
        return [(text.count('"state":"complete"'), text[-1:]) for text in texts] == [(count, "\n")]

    wait_until(there)


def check(uri: str, run_id: str, numbers: Any) -> None:
    """Every trial is there once, whole, with its values."""
    trials = reader.trials(uri, run_id)
    assert [(t.number, t.state, t.value) for t in trials] == [(n, "complete", n / 4) for n in numbers]
    client = store.import_mlflow().MlflowClient(uri)
    experiment = client.get_run(run_id).info.experiment_id
    runs = client.search_runs([experiment], f"tags.{schema.PARENT} = '{run_id}'")
    assert len([run for run in runs if run.data.tags[schema.STATE] != "superseded"]) == len(trials)
    for trial in trials:
        history = client.get_metric_history(trial.run_id, "val_loss")
        assert sorted(point.step for point in history) == [1, 2, 3]
        assert client.get_run(trial.run_id).data.params == {"x": str(trial.number)}


def test_what_waited_is_written_once(way: Gate, spools: Callable[[], list[Path]]) -> None:
    said: list[str] = []
    with Writer(way.address, say=said.append) as writer:
        run_id = opened(writer, "cut")
        commit(writer, [0])
        writer.flush()
        way.cut()
        commit(writer, [1, 2])
        await_notice(said, "training goes on", writer)
        commit(writer, [3, 4])
        await_commits(spools, 4)
        [file] = spools()
        lines = [json.loads(line) for line in file.read_text(errors="replace").splitlines()]
        assert [line["record"]["number"] for line in lines[1:]] == [n for n in range(1, 5) for _ in range(2)]
        assert file.stat().st_mode & 0o077 == 0
        way.open()
        writer.flush()
        check(way.address, run_id, range(5))
        assert spools() == []
        writer.finish_launch("finished")
    assert [("training goes on" in text, "is back" in text) for text in said if "up to" not in text] == [
        (True, False),
        (False, True),
    ]
    assert all("\n" not in text for text in said)


def test_a_server_that_hangs_is_noticed_and_everything_written_once(
    server: MlflowServer, way: Gate, monkeypatch: pytest.MonkeyPatch, spools: Callable[[], list[Path]]
) -> None:
    """The process is stopped: it takes connections and answers nothing."""
    monkeypatch.setattr(queue, "SLOW_SECONDS", 0.5)
    monkeypatch.setattr(process, "_worker", process.StoreWorker())
    said: list[str] = []
    with ThreadPoolExecutor(1) as executor, Writer(server.address, executor, said.append) as waiting:
        run_id = opened(waiting, "hangs")
        commit(waiting, [0])
        waiting.flush()
        said.clear()
        server.signal(signal.SIGSTOP)
        commit(waiting, [1, 2])
        await_notice(said, "has not answered", waiting)
        commit(waiting, [3, 4])
        await_commits(spools, 4)
        server.signal(signal.SIGCONT)
        waiting.flush()
        check(server.address, run_id, range(5))
        assert spools() == []


@pytest.mark.slow
def test_a_writing_process_that_dies_is_replaced(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its successor knows nothing but what is in the store, and goes on under the same claim."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Workers(1, process.prepare) as executor, Writer(uri, executor) as writer:
        run_id = opened(writer, "hand")
        commit(writer, range(3))
        writer.log_segment(TrialRecord(3, "running", None, {"x": 3}), {"val_loss": [1.0, 1.0]})
        writer.flush()
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        writer.commit_trial(TrialRecord(3, "complete", 0.75, {"x": 3}, 3), {"val_loss": [0.25]}, 3)
        commit(writer, range(4, 6))
        writer.flush()
        check(uri, run_id, range(6))
        writer.finish_launch("finished")
    assert reader.launch(uri, "hand").done == {"complete": 6}
    assert reader.attempts(uri, run_id) == dict.fromkeys(range(6), 1)


def test_patience_ends_and_the_next_holder_replays_what_waited(way: Gate, spools: Callable[[], list[Path]]) -> None:
    writer = Writer(way.address)
    run_id = opened(writer, "replayed")
    commit(writer, [0])
    writer.flush()
    way.cut()
    commit(writer, [1, 2])
    writer.log_segment(TrialRecord(3, "running", None, {"x": 3}), {"val_loss": [1.0]})
    with pytest.raises(StoreError, match=r"5 writes wait.*--resume") as caught:
        writer.close(patience=0.2)
    assert "\n" not in str(caught.value)
    [file] = spools()
    with file.open("ab") as torn:
        torn.write(b'{"method":"commit_trial","number":9')  # the process was killed while it wrote this
    way.open()
    with Writer(way.address) as writer:
        after = lease.wait_until_free(way.address, "replayed", run_id, print)
        writer.reopen_launch("replayed", run_id, after=after, tags={})
        writer.flush()
        check(way.address, run_id, range(3))
        assert spools() == []
        assert reader.attempts(way.address, run_id)[3] == 1
        commit(writer, [3], attempt=2)
        writer.finish_launch("finished")
    check(way.address, run_id, range(4))


def test_a_spool_is_discarded_once_another_holder_had_the_launch(way: Gate, spools: Callable[[], list[Path]]) -> None:
    writer = Writer(way.address)
    run_id = opened(writer, "discarded")
    way.cut()
    commit(writer, range(2))
    with pytest.raises(StoreError):
        writer.close(patience=0.2)
    way.open()
    [file] = spools()
    elsewhere = file.rename(file.with_name("kept"))  # the launch goes on where this folder is not
    with Writer(way.address) as writer:
        writer.reopen_launch("discarded", run_id, after=1, tags={})
        commit(writer, [0])
        writer.finish_launch("interrupted")
    elsewhere.rename(file)
    with Writer(way.address) as writer:
        writer.reopen_launch("discarded", run_id, after=2, tags={})
        writer.flush()
        check(way.address, run_id, [0])
        assert spools() == []
        writer.finish_launch("finished")


def test_a_spooled_write_that_is_refused_costs_its_trials_alone(way: Gate, spools: Callable[[], list[Path]]) -> None:
    writer = Writer(way.address)
    run_id = opened(writer, "refused")
    way.cut()
    commit(writer, range(3))
    with pytest.raises(StoreError):
        writer.close(patience=0.2)
    way.open()
    [file] = spools()
    lines = file.read_bytes().splitlines(keepends=True)
    lines[3] = b'{"method":"log_model","number":1}\n'  # no write of a trial: nothing but those is ever replayed
    file.write_bytes(b"".join(lines))
    with Writer(way.address) as writer:
        writer.reopen_launch("refused", run_id, after=1, tags={})
        writer.flush()
        check(way.address, run_id, [0])
        commit(writer, [1, 2])
        writer.finish_launch("finished")
    check(way.address, run_id, range(3))
    assert spools() == []


def test_a_state_folder_that_cannot_be_written_is_reported_and_memory_serves(
    way: Gate, tmp_path: Path, spools: Callable[[], list[Path]]
) -> None:
    (tmp_path / "mlptune").write_text("no folder")
    said: list[str] = []
    with Writer(way.address, say=said.append) as writer:
        run_id = opened(writer, "in memory")
        way.cut()
        commit(writer, range(2))
        await_notice(said, "waits in memory", writer)
        way.open()
        writer.flush()
        check(way.address, run_id, range(2))


def test_a_store_that_is_away_at_the_start_is_reported_in_one_line(way: Gate) -> None:
    way.cut()
    with Writer(way.address) as writer, pytest.raises(StoreError, match="nothing was begun") as caught:
        opened(writer, "away")
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match="reading it"):
        reader.launch(way.address, "away")


def test_a_refusal_is_not_tried_again(way: Gate) -> None:
    """A run that another program has deleted takes no more writes."""
    with Writer(way.address) as writer:
        run_id = opened(writer, "deleted")
        commit(writer, [0])
        writer.flush()
        client = store.import_mlflow().MlflowClient(way.address)
        client.delete_run(writer.trial_run_id(0))
        commit(writer, [0])
        began = time.monotonic()
        with pytest.raises(StoreError, match="writing epochs of trial 0"):
            writer.flush()
        assert time.monotonic() - began < 10
    assert reader.launch(way.address, "deleted").run_id == run_id


def test_a_password_in_the_address_is_nowhere_but_in_memory(
    server: MlflowServer, way: Gate, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    address = way.address.replace("://", "://me:s3cret@")
    said: list[str] = []
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.json").write_text("1")
    writer = Writer(address, say=said.append)
    run_id = opened(writer, "secret")
    commit(writer, [0])
    assert writer.log_model(tmp_path / "model", name="secret", loader_module="x").result() == "1"
    way.cut()
    commit(writer, [1])
    with pytest.raises(StoreError) as caught:
        writer.close(patience=0.2)
    with pytest.raises(StoreError) as unread:
        reader.trials(address, run_id)
    out, err = capfd.readouterr()
    texts = [str(caught.value), str(unread.value), *said, out, err, caplog.text]
    assert [text for text in texts if "s3cret" in text] == []
    assert any("127.0.0.1" in text for text in texts)
    assert "Connection refused" in str(unread.value)
    held = [path for path in (*tmp_path.rglob("*"), *server.folder.rglob("*")) if path.is_file()]
    assert any(path.name == "mlflow.db" for path in held)
    assert [path for path in held if b"s3cret" in path.read_bytes()] == []
