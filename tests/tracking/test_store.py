"""The store's address, and that nothing can leave a store that does not open."""

import contextlib
import errno
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

from mlptune.tracking import store
from mlptune.tracking.store import sqlite

PREPARE = "import sys; from mlptune.tracking.store import prepare_store; prepare_store(sys.argv[1])"


def names(uri: str) -> list[str]:
    """Opened as MLflow itself opens it."""
    from mlflow import MlflowClient

    return sorted(experiment.name for experiment in MlflowClient(uri).search_experiments())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "sqlite:///{cwd}/mlflow.db"),
        ("sqlite:///x/y.db", "sqlite:///{cwd}/x/y.db"),
        ("sqlite:////x/../y.db?timeout=3", "sqlite:////y.db?timeout=3"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg2://h/d", "postgresql+psycopg2://h/d"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
    ],
)
def test_address(given: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = store.store_uri(given)
    assert result == expected.format(cwd=tmp_path)
    assert store.store_uri(result) == result
    if given:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        assert store.store_uri(None) == result


@pytest.mark.parametrize(
    "given", ["mlruns", "./mlruns", "file:///tmp/mlruns", "/tmp/x", "sqlite://", "sqlite:///:memory:"]
)
def test_address_that_is_no_store(given: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///") as caught:
        store.store_uri(given)
    assert "\n" not in str(caught.value)


def test_address_of_a_bare_file_says_how_to_write_it() -> None:
    with pytest.raises(ValueError, match=r"sqlite:///runs\.db"):
        store.store_uri("runs.db")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://user:s3cret@host:5432/db",
        "http://user:s3c:s3cret/s3cret@host",
        "postgresql://host/db?password=s3cret&x=1",
        "cannot reach postgresql://user:s3cret@host/db, sorry",
    ],
)
def test_redact(address: str) -> None:
    hidden = store.redact(address)
    assert "s3c" not in hidden
    assert "host" in hidden


def test_redact_leaves_plain_addresses() -> None:
    for address in ("sqlite:////a/b@c.db", "http://127.0.0.1:5000/a"):
        assert store.redact(address) == address


def test_prepared_store_is_complete(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/new folder/mlflow.db"
    (tmp_path / "new folder").mkdir()
    assert not store.store_exists(uri)
    store.prepare_store(uri)
    assert store.store_exists(uri)
    assert names(uri) == ["Default"]
    assert os.listdir(tmp_path / "new folder") == ["mlflow.db"]
    before = (tmp_path / "new folder/mlflow.db").read_bytes()
    store.prepare_store(uri)
    assert (tmp_path / "new folder/mlflow.db").read_bytes() == before


def test_empty_file_counts_as_no_store(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert not store.store_exists(uri)
    store.prepare_store(uri)
    assert names(uri) == ["Default"]


@pytest.mark.parametrize("content", [b"not a database", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mlflow.db").write_bytes(content)
    with pytest.raises(ValueError, match=r"mlflow\.db") as caught:
        store.prepare_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "mlflow.db").read_bytes() == content


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = (tmp_path / "mlflow.db").read_bytes()
    with pytest.raises(ValueError, match="not one of MLflow's"):
        store.prepare_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert (tmp_path / "mlflow.db").read_bytes() == before


def test_newer_store_is_left_alone(uri: str) -> None:
    path = store.sqlite_path(uri)
    assert path is not None
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'fffffffffff0'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="newer MLflow"):
        store.prepare_store(uri)
    assert path.read_bytes() == before


def test_store_in_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="cannot be prepared"):
        store.prepare_store(f"sqlite:///{tmp_path}/file/mlflow.db")


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no folder .*/no/such \(there is .*\); make it first") as caught:
        store.prepare_store(f"sqlite:///{tmp_path}/no/such/mlflow.db")
    assert f"(there is {tmp_path})" in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def older(tmp_path: Path) -> tuple[str, str]:
    """A store as an earlier MLflow made it, by its own migrations up to some release's; with its revision."""
    store.import_mlflow()
    import sqlalchemy
    from alembic import command
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/mlflow.db")
    Base.metadata.create_all(engine)
    config = _get_alembic_config(str(engine.url))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revisions[5])
        connection.execute(
            sqlalchemy.text(
                "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage)"
                " VALUES (7, 'old', '/x', 'active')"
            )
        )
    engine.dispose()
    return f"sqlite:///{tmp_path}/mlflow.db", revisions[5]


def test_older_store_is_upgraded_with_its_contents(older: tuple[str, str], tmp_path: Path) -> None:
    uri, revision = older
    before = (tmp_path / "mlflow.db").read_bytes()
    store.prepare_store(uri)
    assert names(uri) == ["Default", "old"]
    assert (tmp_path / f"mlflow.db.{revision}").read_bytes() == before
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


# The process kills itself at the given call: at the step that would put the new file into its place.
KILLED_AT = (
    "import os, signal, sys; from mlptune.tracking.store import prepare_store;"
    "setattr(os, sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL)); prepare_store(sys.argv[1])"
)


def test_killed_while_creating_then_started_again(tmp_path: Path) -> None:
    """SIGKILL during the migrations, and at the last step: there is no store then, and the next start makes one."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    process = subprocess.Popen([sys.executable, "-c", PREPARE, uri])
    time.sleep(2.0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if store.store_exists(uri):  # on a machine that was done by then
        assert names(uri) == ["Default"]
        (tmp_path / "mlflow.db").unlink()
    killed = subprocess.run([sys.executable, "-c", KILLED_AT, uri, "link"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not store.store_exists(uri)
    store.prepare_store(uri)
    assert names(uri) == ["Default"]


def test_killed_while_upgrading_then_started_again(older: tuple[str, str]) -> None:
    uri, _ = older
    path = store.sqlite_path(uri)
    assert path is not None
    before = path.read_bytes()
    killed = subprocess.run([sys.executable, "-c", KILLED_AT, uri, "replace"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    store.prepare_store(uri)
    assert names(uri) == ["Default", "old"]


def _killed_at_step(uri: str, folder: Path, step: int) -> bool:
    """Prepare the store in a child that kills itself at the given thing it does in the folder; whether it came to that."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            if event.startswith(("open", "os.", "shutil.", "sqlite3.")) and str(folder) in str(arguments):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            store.prepare_store(uri)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def newest(path: Path) -> list[tuple[str]]:
    """The experiments of a whole store of the newest schema, read past MLflow, which keeps files open that were replaced."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (sqlite._newest_revision(),)
        ]
        return connection.execute("SELECT name FROM experiments").fetchall()


def test_killed_at_each_step_of_creating(tmp_path: Path, migrated: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    step = 1
    while _killed_at_step(uri, tmp_path, step):
        if store.store_exists(uri):
            newest(tmp_path / "mlflow.db")
        store.prepare_store(uri)
        newest(tmp_path / "mlflow.db")
        (tmp_path / "mlflow.db").unlink()
        step += 1
    assert step > 5


@pytest.mark.slow
def test_killed_at_each_step_of_upgrading(older: tuple[str, str], tmp_path: Path) -> None:
    uri, revision = older
    before = (tmp_path / "mlflow.db").read_bytes()
    step = 1
    while _killed_at_step(uri, tmp_path, step):
        if (tmp_path / "mlflow.db").read_bytes() != before:
            assert (tmp_path / f"mlflow.db.{revision}").read_bytes() == before
        store.prepare_store(uri)
        assert newest(tmp_path / "mlflow.db") == [("old",)]
        (tmp_path / "mlflow.db").write_bytes(before)
        step += 1
    assert step > 5


def test_leftovers_of_killed_processes_go_once_they_are_old(tmp_path: Path, migrated: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(migrated.read_bytes())
    old, young = tmp_path / ".mlflow.db.0123abcd.new-journal", tmp_path / ".mlflow.db.0123abce.new"
    for path in (old, young, tmp_path / ".mlflow.db.mine"):
        path.touch()
        os.utime(path, (0, 0) if path != young else None)
    store.prepare_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert sorted(os.listdir(tmp_path)) == [".mlflow.db.0123abce.new", ".mlflow.db.mine", "mlflow.db"]


def test_several_processes_prepare_at_once(tmp_path: Path) -> None:
    """Each writes into the store as soon as it is prepared; nobody's store is replaced under its writer."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    write = PREPARE + "; from mlflow import MlflowClient; MlflowClient(sys.argv[1]).create_experiment(sys.argv[2])"
    started = [subprocess.Popen([sys.executable, "-c", write, uri, name]) for name in ("a", "b")]
    assert [process.wait() for process in started] == [0, 0]
    assert names(uri) == ["Default", "a", "b"]


def _chained(outer: Exception, inner: Exception) -> Exception:
    outer.__context__ = inner
    return outer


def _database(kind: str, text: str, code: str = "TEMPORARILY_UNAVAILABLE") -> Exception:
    """As MLflow raises what its database driver says."""
    store.import_mlflow()
    import sqlalchemy
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import ErrorCode

    inner = getattr(sqlalchemy.exc, kind)("INSERT", {}, Exception(text))
    return _chained(MlflowException(inner, ErrorCode.Value(code)), inner)


def _answered(status: int) -> Exception:
    """What MLflow makes of a server's answer."""
    from mlflow.exceptions import MlflowException
    from mlflow.utils.rest_utils import verify_rest_response
    from requests import Response

    response = Response()
    response.status_code = status
    response._content = b"no"
    with pytest.raises(MlflowException) as caught:
        verify_rest_response(response, "/api/2.0/mlflow/runs/create")
    return caught.value


def test_what_may_heal_and_what_may_not() -> None:
    away = [
        _database("OperationalError", "database is locked"),
        _database("OperationalError", "terminating connection due to administrator command", "INTERNAL_ERROR"),
        _database("OperationalError", "connection to server failed: Connection refused"),
        _database("OperationalError", "the database system is starting up"),
        _database("InterfaceError", "the connection is closed", "BAD_REQUEST"),
        _answered(503),
        ConnectionResetError("the answer is lost"),
        OSError(errno.ESTALE, "Stale file handle"),
        BrokenExecutor("the process has died"),
    ]
    refused = [
        _database("OperationalError", "database or disk is full"),
        _database("OperationalError", "disk I/O error"),
        _database("OperationalError", "attempt to write a readonly database"),
        _database("OperationalError", "no such table: runs"),
        _database("OperationalError", 'password authentication failed for user "x"'),
        _database("ProgrammingError", 'relation "runs" does not exist', "BAD_REQUEST"),
        _database("IntegrityError", "UNIQUE constraint failed", "BAD_REQUEST"),
        _answered(501),
        OSError(errno.ENOSPC, "No space left on device"),
        PermissionError(errno.EACCES, "Permission denied"),
    ]
    for error in away + refused:
        told = store.explained(error, "postgresql://me:s3cret@host/db", "committing trial 3")
        assert isinstance(told, store.StoreError)
        assert isinstance(told, store.StoreAway) == (error in away), error
        assert "s3cret" not in str(told)
        assert "committing trial 3" in str(told)
    ours = ValueError("a fault of ours")
    assert store.explained(ours, "sqlite:////x.db", "x") is ours


def test_a_store_whose_file_is_gone_is_told_as_that(uri: str) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(uri)
    client.create_experiment("before")
    path = store.sqlite_path(uri)
    assert path is not None
    path.unlink()
    with pytest.raises(MlflowException) as refused:
        client.create_experiment("after")
    told = store.explained(refused.value, uri, "committing trial 3")
    assert str(told).endswith(
        "failed while committing trial 3: its file is gone; move it back and use --resume, or begin anew"
    )
    assert not isinstance(told, store.StoreAway)
    assert not path.exists()


def test_importing_the_room_costs_no_mlflow() -> None:
    code = "import sys, mlptune.tracking.writer, mlptune.tracking.reader; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_the_person_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_LOGGING_LEVEL", "DEBUG")
    store.import_mlflow()
    assert os.environ["MLFLOW_LOGGING_LEVEL"] == "DEBUG"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
