"""Whole sweeps over a store in trouble: every trial once, and the values of an undisturbed sweep.

The trouble begins after some trials of a running sweep and ends by itself; the short forms last seconds, the long ones as long as
a server takes to be restarted by hand.
"""

import functools
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

import mlptune
from mlptune.experiments.config import load_spec, spec_toml
from mlptune.experiments.errors import SweepFailed, UserError
from mlptune.experiments.progress import Observer
from mlptune.tracking import reader, schema
from tests.support.observers import AfterTrials, Listener
from tests.support.processes import script, wait_until
from tests.support.servers import MlflowServer, free_port, postgresql_server
from tests.support.sweeps import essence, on_file, small


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def equal_to_undisturbed(spec: dict[str, Any], uri: str, observer: Observer | None = None, **options: Any) -> None:
    disturbed = mlptune.run_sweep(spec, tracking_uri=uri, observer=observer, **options)
    assert essence(disturbed) == undisturbed(json.dumps(spec))
    assert_once(uri, spec["name"], disturbed.run_id)


@functools.cache
def undisturbed(spec: str) -> dict[str, Any]:
    """The same sweep in a store of its own, once for all tests that ask for it."""
    with tempfile.TemporaryDirectory() as folder:
        return essence(mlptune.run_sweep(json.loads(spec), tracking_uri=f"sqlite:///{folder}/mlflow.db"))


def assert_once(uri: str, name: str, run_id: str) -> None:
    """In MLflow's own eyes each trial has one run that counts, all of them closed."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id], f"tags.{schema.PARENT} = '{run_id}'")
    counting = [run for run in runs if run.data.tags[schema.STATE] != schema.SUPERSEDED]
    assert sorted(int(run.data.tags[schema.NUMBER]) for run in counting) == list(range(len(counting)))
    assert "RUNNING" not in {run.info.status for run in runs}
    assert client.get_run(run_id).info.status == "FINISHED"


def test_a_second_coordinator_is_refused_by_name_and_a_dead_one_followed_at_once(store: str, tmp_path: Path) -> None:
    spec = on_file(small("random", search__trials=40), tmp_path)
    program = f"import mlptune\nmlptune.run_sweep({spec!r}, workers=1)\n"
    with subprocess.Popen(script(tmp_path, program)) as first:
        wait_until(lambda: _committed("small"), first)
        first.send_signal(signal.SIGSTOP)  # a process that sleeps still holds its sweep
        with pytest.raises(UserError, match=f"is being run by .* process {first.pid}") as refused:
            mlptune.run_sweep(spec, resume=True)
        assert "\n" not in str(refused.value)
        first.kill()
    trouble = Listener()
    result = mlptune.run_sweep(spec, resume=True, observer=trouble)
    assert not [text for text in trouble.messages if "taken over" in text]  # nothing was waited for
    assert [trial["number"] for trial in result.summary()["trials"]] == list(range(40))
    assert_once(store, "small", result.run_id)


def _committed(name: str) -> int:
    try:
        return sum(count for state, count in reader.launch(None, name).done.items() if state != "running")
    except reader.NotFound:
        return 0


def test_a_store_that_is_away_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    address = f"http://me:s3cret@127.0.0.1:{free_port()}"
    for resume in (False, True):
        with pytest.raises(SweepFailed, match="try again when it is back") as told:
            mlptune.run_sweep(small(), tracking_uri=address, resume=resume)
        assert "\n" not in str(told.value)
        assert "s3cret" not in str(told.value)


def locked(path: Path, seconds: float) -> Callable[[], None]:
    """Another program holds the whole database for some seconds."""

    def lock(held: threading.Event) -> None:
        connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        connection.execute("BEGIN EXCLUSIVE")
        held.set()
        time.sleep(seconds)
        connection.execute("COMMIT")
        connection.close()

    def begin() -> None:
        held = threading.Event()
        threading.Thread(target=lock, args=(held,)).start()
        held.wait()

    return begin


def test_a_locked_store(store: str, tmp_path: Path) -> None:
    equal_to_undisturbed(small(), store, AfterTrials(3, locked(tmp_path / "mlflow.db", 1.5)))


@pytest.mark.slow
def test_a_store_locked_for_longer_than_mlflow_waits(store: str, tmp_path: Path) -> None:
    trouble = AfterTrials(3, locked(tmp_path / "mlflow.db", 30.0))
    equal_to_undisturbed(small(), store, trouble)
    assert [text for text in trouble.messages if "training goes on" in text]
    assert [text for text in trouble.messages if "is back" in text]


def limited(bytes_: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))


def full_then_resumed(
    spec: dict[str, Any], folder: Path, uri: str, limit: Callable[[], None] | None, more: Callable[[], None]
) -> None:
    """The command ends with status 1 and one line, the store stays whole, and --resume gives the undisturbed result."""
    (folder / "sweep.toml").write_text(spec_toml(load_spec(spec)[0]))
    command = [sys.executable, "-m", "mlptune", "sweep", "sweep.toml", "--workers", "1", "--tracking-uri", uri]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, preexec_fn=limit, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    [line] = [line for line in ended.stderr.splitlines() if line.startswith("mlptune: ")]
    assert "--resume" in line
    more()
    assert reader.launch(uri, spec["name"]).state == "running"
    equal_to_undisturbed(spec, uri, resume=True)


def test_a_full_disk(store: str, tmp_path: Path) -> None:
    size = (tmp_path / "mlflow.db").stat().st_size
    full_then_resumed(on_file(small(), tmp_path), tmp_path, store, limited(size + 50_000), lambda: None)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounting a small tmpfs takes root on Linux")
def test_a_full_file_system(migrated: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    size = migrated.stat().st_size + 300_000
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        shutil.copyfile(migrated, disk / "mlflow.db")
        grow = ["mount", "-o", "remount,size=100m", str(disk)]
        full_then_resumed(
            small("random", search__trials=60),
            tmp_path,
            f"sqlite:///{disk}/mlflow.db",
            None,
            lambda: subprocess.run(grow, check=True) and None,
        )
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


# MLflow servers.


@pytest.fixture
def server(migrated: Path, tmp_path: Path) -> Iterator[MlflowServer]:
    folder = tmp_path / "server"
    folder.mkdir()
    shutil.copyfile(migrated, folder / "mlflow.db")
    with MlflowServer(f"sqlite:///{folder}/mlflow.db", folder) as server:
        yield server


def later(seconds: float, call: Callable[[], None]) -> None:
    threading.Timer(seconds, call).start()


@pytest.mark.slow
def test_a_server_that_stands_still_for_20_seconds(server: MlflowServer) -> None:
    def stop() -> None:
        server.signal(signal.SIGSTOP)
        later(20.0, lambda: server.signal(signal.SIGCONT))

    trouble = AfterTrials(3, stop)
    equal_to_undisturbed(small(), server.address, trouble)
    assert len([text for text in trouble.messages if "training goes on" in text]) == 1
    assert len([text for text in trouble.messages if "is back" in text]) == 1


@pytest.mark.slow
def test_a_server_that_is_killed_and_started_again(server: MlflowServer) -> None:
    def kill() -> None:
        server.kill()
        later(20.0, server.start)

    trouble = AfterTrials(3, kill)
    equal_to_undisturbed(small("hyperband", model__epochs=27), server.address, trouble)
    assert [text for text in trouble.messages if "training goes on" in text]
    assert [text for text in trouble.messages if "is back" in text]


@pytest.mark.slow
def test_a_server_that_stays_away_then_resumed(
    server: MlflowServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Patience ends; what was trained meanwhile is replayed, not trained again."""
    monkeypatch.setattr("mlptune.tracking.queue.PATIENCE_SECONDS", 3.0)
    with pytest.raises(SweepFailed, match="--resume"):
        mlptune.run_sweep(small(), tracking_uri=server.address, observer=AfterTrials(3, server.kill))
    assert list((tmp_path / "state/mlptune").iterdir())
    server.start()
    equal_to_undisturbed(small(), server.address, resume=True)
    assert not list((tmp_path / "state/mlptune").iterdir())
    launch = reader.launch(server.address, "small")
    assert set(reader.attempts(server.address, launch.run_id).values()) == {1}


@pytest.fixture
def postgresql() -> Iterator[Any]:
    with postgresql_server() as database:
        yield database


@pytest.mark.slow
def test_postgresql_restarted_under_the_server(postgresql: Any, tmp_path: Path) -> None:
    backend = postgresql.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    with MlflowServer(backend, tmp_path) as server:

        def restart() -> None:
            postgresql.stop()
            later(10.0, postgresql.start)

        trouble = AfterTrials(3, restart)
        equal_to_undisturbed(small(), server.address, trouble)
        assert [text for text in trouble.messages if "training goes on" in text]
        assert [text for text in trouble.messages if "is back" in text]


@pytest.mark.slow
def test_postgresql_without_a_server_between(postgresql: Any) -> None:
    uri = postgresql.get_uri()

    def restart() -> None:
        postgresql.stop()
        later(10.0, postgresql.start)

    equal_to_undisturbed(small(), uri, AfterTrials(3, restart))
