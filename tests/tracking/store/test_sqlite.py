"""Nothing can leave a store that does not open."""

import contextlib
import functools
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlptune.tracking import store
from mlptune.tracking.store import sqlite


def forked(act: Callable[[], object]) -> int:
    """Another process, which does this and ends; its id. It begins with MLflow imported, and with no store open that it uses."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    return child


def status_of(child: int) -> int:
    """How the process ended: its exit status, or the number of the signal that killed it as a negative number."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def names(uri: str) -> list[str]:
    """Opened as MLflow itself opens it."""
    from mlflow import MlflowClient

    return sorted(experiment.name for experiment in MlflowClient(uri).search_experiments())


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


def test_the_revision_that_a_store_will_have_is_known_without_mlflow(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    store.prepare_store(f"sqlite:///{tmp_path}/first.db")  # keeps an empty store, if there was none
    newest = store.revision(tmp_path / "first.db")
    assert store.ready_revision(uri) == newest
    store.prepare_store(uri)
    assert store.ready_revision(uri) == newest
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'older'")
    assert store.ready_revision(uri) is None
    (tmp_path / "mlflow.db").write_bytes(b"no database")
    assert store.ready_revision(uri) is None
    assert store.ready_revision("http://127.0.0.1:9") is None


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


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
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


def prepare_and_die_at(uri: str, call: str) -> None:
    """Prepare the store; kill this process at the given call of `os`: at the step that would put the new file into its place."""
    setattr(os, call, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    store.prepare_store(uri)


def test_killed_while_creating_then_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL during the migrations, and at the last step: there is no store then, and the next start makes one."""
    store.import_mlflow()
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    with monkeypatch.context() as patch:
        # Without the empty store that the environment keeps, which would be copied.
        patch.setattr(sqlite, "_template", lambda: tmp_path / "environment" / "empty.db")
        process = forked(lambda: store.prepare_store(uri))
    time.sleep(0.2)
    os.kill(process, signal.SIGKILL)
    assert status_of(process) in (0, -signal.SIGKILL)
    if store.store_exists(uri):  # on a machine that was done by then
        assert names(uri) == ["Default"]
        (tmp_path / "mlflow.db").unlink()
    assert status_of(forked(lambda: prepare_and_die_at(uri, "link"))) == -signal.SIGKILL
    assert not store.store_exists(uri)
    store.prepare_store(uri)
    assert names(uri) == ["Default"]


def test_killed_while_upgrading_then_started_again(older: tuple[str, str]) -> None:
    uri, _ = older
    path = store.sqlite_path(uri)
    assert path is not None
    before = path.read_bytes()
    assert status_of(forked(lambda: prepare_and_die_at(uri, "replace"))) == -signal.SIGKILL
    assert path.read_bytes() == before
    store.prepare_store(uri)
    assert names(uri) == ["Default", "old"]


def _killed_at_step(uri: str, folder: Path, step: int) -> bool:
    """Prepare the store in a child that kills itself at the given thing it does in the folder; whether it came to that."""
    seen = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event.startswith(("open", "os.", "shutil.", "sqlite3.")) and str(folder) in str(arguments):
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    def prepare() -> None:
        sys.addaudithook(count)
        store.prepare_store(uri)

    return status_of(forked(prepare)) < 0


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
    mlflow = store.import_mlflow()
    uri = f"sqlite:///{tmp_path}/mlflow.db"

    def write(name: str) -> None:
        store.prepare_store(uri)
        mlflow.MlflowClient(uri).create_experiment(name)

    started = [forked(functools.partial(write, name)) for name in ("a", "b")]
    assert [status_of(process) for process in started] == [0, 0]
    assert names(uri) == ["Default", "a", "b"]


def test_the_newest_schema_is_mlflows_with_and_without_the_empty_store(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.store.db.utils import _get_latest_schema_revision

    template = tmp_path / "empty.db"
    monkeypatch.setattr(sqlite, "_template", lambda: template)
    assert sqlite._newest_revision() == _get_latest_schema_revision()
    shutil.copyfile(migrated, template)
    assert sqlite._newest_revision() == _get_latest_schema_revision()


def test_a_name_that_was_deleted_is_known_without_mlflow(tmp_path: Path, migrated: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    sqlite.check_not_deleted(uri, "digits")  # there is no store yet
    shutil.copyfile(migrated, tmp_path / "mlflow.db")
    client = store.import_mlflow().MlflowClient(tracking_uri=uri)
    number = client.create_experiment("digits")
    sqlite.check_not_deleted(uri, "digits")
    client.delete_experiment(number)
    sqlite.check_not_deleted(uri, "wine")
    sqlite.check_not_deleted("https://host", "digits")
    with pytest.raises(
        store.UnusableStore, match=f"'digits' was deleted in MLflow; take another .* restore -x {number}"
    ):
        sqlite.check_not_deleted(uri, "digits")
    (tmp_path / "mlflow.db").write_text("no database")
    sqlite.check_not_deleted(uri, "digits")
