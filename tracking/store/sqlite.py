"""A SQLite store is created or upgraded whole before it is opened: a first migration that is killed half-way breaks it for good.

MLflow is imported only inside functions, through `mlflow_import`: its import takes more than a second.
"""

import contextlib
import os
import re
import secrets
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .address import check_folder, redact, sqlite_path, store_exists
from .errors import UnusableStore
from .mlflow_import import import_mlflow

_HEADER = b"SQLite format 3\x00"
# Temporary files that are older belong to no living process.
_STALE_SECONDS = 600
# How long a statement waits for another process's lock.
LOCK_SECONDS = 20


def prepare_store(uri: str) -> None:
    """Create the SQLite store if there is none, or bring an older one to this MLflow's schema; others do so themselves.

    Either happens in a second file that takes the store's place in one step, so a process killed at any moment leaves
    the old state or the new one. Several processes may do this at once. An upgraded store's old file is kept beside it,
    with its schema revision in the name. Raises ValueError where the file is no MLflow store, is a newer one, or cannot
    be written, and where its folder is not there.
    """
    path = sqlite_path(uri)
    if path is None:
        return
    check_folder(uri)
    try:
        with _folder_locked(path.parent):
            _remove_leftovers(path)
            if not store_exists(uri):
                _create(path)
            else:
                found = revision(path)
                if found != _newest_revision():
                    _upgrade(path, found)
    except (OSError, sqlite3.OperationalError) as error:
        raise UnusableStore(f"the store {path} cannot be prepared: {_one_line(error)}") from error


def ready_revision(uri: str) -> str | None:
    """The schema revision of the SQLite store at `uri` once it is prepared; None where that takes MLflow, or cannot be told."""
    path, template = sqlite_path(uri), _template()
    if path is None or not template.is_file():
        return None
    newest = revision(template)
    try:
        return newest if not store_exists(uri) or revision(path) == newest else None
    except (ValueError, OSError, sqlite3.OperationalError):  # whoever opens it will say so
        return None


def revision(path: Path) -> str:
    """The schema revision of an MLflow store, read without MLflow."""
    with path.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            raise UnusableStore(f"the store {path} is not a SQLite database")
    try:
        with contextlib.closing(connect(path)) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):
            raise UnusableStore(f"the store {path} is a SQLite database, but not one of MLflow's") from error
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise UnusableStore(f"the store {path} is damaged: {_one_line(error)}") from error
    if len(rows) != 1:
        raise UnusableStore(
            f"the store {path} was left half-made by an interrupted start of MLflow; move it away to start again"
        )
    return str(rows[0][0])


def check_not_deleted(uri: str, name: str) -> None:
    """Raise UnusableStore if the sweep of this name was deleted in MLflow; looked up at once and without it, in SQLite alone."""
    path = sqlite_path(uri)
    if path is None or not store_exists(uri):
        return
    try:
        with contextlib.closing(connect(path)) as connection:
            found = connection.execute(
                "SELECT experiment_id FROM experiments WHERE name = ? AND lifecycle_stage = 'deleted'", (name,)
            ).fetchone()
    except sqlite3.Error:  # no store of MLflow's, or a busy one: whoever opens it will say so
        return
    if found is not None:
        raise deleted(uri, name, str(found[0]))


def deleted(uri: str, name: str, experiment_id: str) -> UnusableStore:
    """What to say of a sweep that was deleted in MLflow, which keeps its name."""
    return UnusableStore(
        f"the sweep {name!r} was deleted in MLflow; take another name, or restore it: MLFLOW_TRACKING_URI="
        f"'{redact(uri)}' mlflow experiments restore -x {experiment_id}"
    )


def connect(path: Path) -> sqlite3.Connection:
    """Open a store only to read or lock, never to create a file that has vanished meanwhile."""
    return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=LOCK_SECONDS, isolation_level=None)


def _newest_revision() -> str:
    """The schema revision of this MLflow: that of its empty store where there is one, which spares MLflow's import."""
    template = _template()
    if template.is_file():
        return revision(template)
    import_mlflow()
    from mlflow.store.db.utils import _get_latest_schema_revision

    return str(_get_latest_schema_revision())


def _create(path: Path) -> None:
    template = _template()
    with _temporary(path) as new:
        if template.is_file():
            shutil.copyfile(template, new)
        else:
            _migrate_from_nothing(new)
            _keep(new, template)
        _sync(new)
        if path.exists():
            os.replace(new, path)  # an empty file: what `touch` leaves
            return
        try:
            os.link(new, path)  # unlike a rename this never overwrites a store that another process has just made
        except FileExistsError:
            return
        except OSError:  # a file system without links
            os.replace(new, path)


def _migrate_from_nothing(new: Path) -> None:
    import_mlflow()
    import sqlalchemy
    from mlflow.store.db.utils import _initialize_tables
    from sqlalchemy.pool import StaticPool

    # In memory the migrations take a third less time than on disk.
    engine = sqlalchemy.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    try:
        _initialize_tables(engine)
        with contextlib.closing(sqlite3.connect(new)) as file:
            memory: Any = engine.raw_connection().driver_connection
            memory.backup(file)
    finally:
        engine.dispose()


def _template() -> Path:
    """An empty store of this MLflow, kept in the Python environment by the first one made: migrating takes a second each time."""
    return Path(sys.prefix, "share", "mlptune", f"empty-store-mlflow-{metadata.version('mlflow')}.db")


def _keep(store: Path, template: Path) -> None:
    # An environment that cannot be written to migrates each time.
    with contextlib.suppress(OSError):
        template.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(template) as copy:
            shutil.copyfile(store, copy)
            _sync(copy)
            os.replace(copy, template)


def _upgrade(path: Path, revision: str) -> None:
    import_mlflow()
    import sqlalchemy
    from alembic.util import CommandError
    from mlflow.store.db.utils import _upgrade_db

    with contextlib.closing(connect(path)) as old, _temporary(path) as new:
        # Out of write-ahead logging, whose side files would outlive the file they belong to; then no process writes until
        # this is done.
        old.execute("PRAGMA journal_mode=DELETE")
        old.execute("BEGIN IMMEDIATE")
        with contextlib.closing(connect(path)) as source, contextlib.closing(sqlite3.connect(new)) as copy:
            source.backup(copy)
        engine = sqlalchemy.create_engine(sqlalchemy.URL.create("sqlite", database=str(new)))
        try:
            _upgrade_db(engine)
        except CommandError as error:
            raise UnusableStore(
                f"the store {path} was written by a newer MLflow (schema {revision}): {_one_line(error)}"
            ) from error
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise UnusableStore(
                f"the store {path} (schema {revision}) cannot be upgraded, it is as it was: {_one_line(error)}"
            ) from error
        finally:
            engine.dispose()
        _sync(new)
        kept = path.with_name(f"{path.name}.{revision}")
        if not kept.exists():
            os.link(path, kept)
        os.replace(new, path)


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A name beside `path` for a file that is to take its place in one step; whatever is left under it is removed."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        yield new
    finally:
        new.unlink(missing_ok=True)


def _sync(file: Path) -> None:
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes left of their temporary files; young ones may belong to a living process."""
    pattern = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{8}\.new(-journal|-wal|-shm)?")
    for entry in os.scandir(path.parent):
        if pattern.fullmatch(entry.name):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - entry.stat().st_mtime > _STALE_SECONDS:
                    os.unlink(entry.path)


@contextlib.contextmanager
def _folder_locked(folder: Path) -> Iterator[None]:
    """One at a time in this folder, where the system can do that; a lock on the folder itself leaves no file behind."""
    if find_spec("fcntl") is None:
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # network file systems may refuse; the link in `_create` still guards
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _one_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
