"""Where the store is, and that it is whole before it is opened: a first migration killed half-way breaks it for good.

MLflow is imported only inside functions, after the switches below are set: its import takes more than a second.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DEFAULT_URI = "sqlite:///mlflow.db"
_SQLITE = re.compile(r"^sqlite(\+\w+)?://")
_HEADER = b"SQLite format 3\x00"
_STALE_SECONDS = 600
LOCK_SECONDS = 20

_SWITCHES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # no message leaves the machine by itself
    "MLFLOW_MODEL_CATALOG_URI": "",  # nor is a list of language models fetched
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",  # logging a model would try an install
    "MLFLOW_UV_AUTO_DETECT": "false",  # nor would it ask uv about the project in the current folder
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # with the password that the address may hold
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",  # a server that is away is told after half a minute, not after four
}


class UnusableStore(ValueError):
    """The store cannot be what its address says: one line that a person can act on."""


class StoreError(RuntimeError):
    """The store did not take a write: says which and why, in one line."""


class StoreAway(StoreError):
    """The store is locked, slow, restarting or not to be reached: the same write may well succeed later."""


# What databases say when trying again cannot help, though MLflow calls it temporary.
_FOR_GOOD = re.compile(
    r"disk is full|disk I/O error|no space left|readonly database|read-only|unable to open database|no such (table|column)"
    r"|malformed|not a database|DiskFull|authentication failed|permission denied|does not exist",
    re.IGNORECASE,
)
# A server that cannot be reached, or that cannot reach its own database; 501 and 505 say that it never will.
_AWAY = re.compile(
    r"^API request to .* failed with (timeout )?exception|failed with error code (408|429|5(?!0[15])\d\d) "
)
_AWAY_ERRNO = {
    errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT, errno.ENETDOWN, errno.ENETUNREACH,
    errno.EHOSTDOWN, errno.EHOSTUNREACH,
}  # fmt: skip


def explained(error: Exception, uri: str, doing: str) -> Exception:
    """Store and file errors as one line that says what was being done, StoreAway where a later try may succeed.

    Faults of ours stay as they are.
    """
    mlflow_error = type(error).__module__.startswith(("mlflow.", "sqlalchemy."))
    if isinstance(error, StoreError) or (not mlflow_error and not isinstance(error, OSError | BrokenExecutor)):
        return error
    reason = str(error).partition("\n")[0]
    if "Caused by" in reason:  # requests wraps what the system says in four layers of its own
        reason = reason.rpartition("Caused by ")[2].rpartition(": ")[2].strip("\"'()> ")
    reason = reason if len(reason) <= 400 else reason[:397] + "..."
    kind = StoreAway if _is_away(error) else StoreError
    path = sqlite_path(uri)
    if mlflow_error and path is not None and not path.exists():
        # SQLite tells it as "readonly" or "unable to open", which would send a person to look at permissions.
        reason, kind = "its file is gone; move it back and use --resume, or begin anew", StoreError
    told = kind(f"the store {redact(uri)} failed while {doing}: {redact(reason)}")
    told.__cause__ = error
    return told


def _is_away(error: Exception) -> bool:
    if isinstance(error, BrokenExecutor | ConnectionError | TimeoutError):
        return True
    if type(error).__module__.startswith("requests."):
        return True
    if isinstance(error, OSError):
        return error.errno in _AWAY_ERRNO
    reason = str(error)
    if _FOR_GOOD.search(reason):
        return False
    code = getattr(error, "error_code", "")
    if code in ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED") or _AWAY.search(reason):
        return True
    # Some of the database's own errors come wrapped as internal ones of MLflow.
    inner: BaseException | None = error
    while inner is not None and not (
        type(inner).__module__ == "sqlalchemy.exc"
        and type(inner).__name__ in ("OperationalError", "InterfaceError", "PendingRollbackError")
    ):
        inner = inner.__cause__ or inner.__context__
    return inner is not None


def import_mlflow() -> Any:
    """The `mlflow` module, imported with telemetry, network look-ups and chatter off; what the person has set stays.

    Takes about 1.5 s the first time.
    """
    import logging

    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    import mlflow

    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It prints each database error with its traceback besides raising it; the raised one is ours to tell.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    return mlflow


def store_uri(uri: str | None = None) -> str:
    """The store's address: `uri`, else the variable MLFLOW_TRACKING_URI, else `mlflow.db` in the current folder.

    SQLite paths become absolute, and `postgresql://` names its driver (psycopg 3). Raises ValueError for folders, which
    MLflow no longer takes as stores, and for addresses that no kind of store has.
    """
    where = "--tracking-uri" if uri else "MLFLOW_TRACKING_URI"
    text = uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if _SQLITE.match(text):
        return _absolute_sqlite(text)
    scheme, separator, rest = text.partition("://")
    if not separator or scheme == "file" or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        if not separator and text.endswith((".db", ".sqlite", ".sqlite3")):
            raise UnusableStore(f"{where}: {text!r} is a bare path; a SQLite store is written sqlite:///{text}")
        raise UnusableStore(
            f"{where}: {redact(text)!r} is a folder; MLflow wants a database (sqlite:///mlflow.db) or a server"
        )
    if scheme in ("postgresql", "postgres"):
        return f"postgresql+psycopg://{rest}"
    if scheme.partition("+")[0] not in ("postgresql", "http", "https"):
        raise UnusableStore(
            f"{where}: {redact(text)!r} is no store of ours; it is sqlite:///file.db, postgresql://... or an MLflow server's "
            "http(s):// address"
        )
    return text


def _absolute_sqlite(text: str) -> str:
    scheme, _, rest = text.partition("://")
    path, question, query = rest.partition("?")
    if not path.startswith("/") or path in ("/", "/:memory:"):
        raise UnusableStore(
            f"the store {text!r} names no file; write sqlite:///mlflow.db or sqlite:////absolute/path.db"
        )
    absolute = os.path.abspath(path[1:])
    if "?" in absolute:
        raise UnusableStore(f"the store's path {absolute!r} has a '?', which an address of SQLite cannot hold")
    return f"{scheme}:///{absolute}{question}{query}"


def sqlite_path(uri: str) -> Path | None:
    """The file of a SQLite store, None for any other kind of store. `uri` is as `store_uri` returns it."""
    return Path(uri.partition("://")[2].partition("?")[0][1:]) if _SQLITE.match(uri) else None


def redact(uri: str) -> str:
    """The address without its password, for messages."""
    hidden = re.sub(r"(?<=://)([^/@:\s]*):\S*@", r"\1:***@", uri)
    return re.sub(r"(?i)([?&](?:password|passwd|pwd|token|secret)=)[^&#\s]*", r"\1***", hidden)


def store_exists(uri: str) -> bool:
    """Whether there is something to open. A server or a team's database is taken to exist; opening it will tell."""
    path = sqlite_path(uri)
    if path is None:
        return True
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def check_folder(uri: str) -> None:
    """Raise UnusableStore where a SQLite store is a folder, or its folder is not there: a slip shall not leave folders behind."""
    path = sqlite_path(uri)
    if path is not None and os.path.isdir(path):
        raise UnusableStore(
            f"the store {path} is a folder; write the file that it is to be: sqlite:///{path / 'mlflow.db'}"
        )
    if path is None or os.path.isdir(path.parent):
        return
    there = next(folder for folder in path.parents if os.path.isdir(folder))
    raise UnusableStore(
        f"the store {path} cannot be prepared: there is no folder {path.parent} (there is {there}); make it first"
    )


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
                revision = _revision(path)
                if revision != _newest_revision():
                    _upgrade(path, revision)
    except (OSError, sqlite3.OperationalError) as error:
        raise UnusableStore(f"the store {path} cannot be prepared: {_one_line(error)}") from error


def _revision(path: Path) -> str:
    """The schema revision of an MLflow store, read without MLflow."""
    with path.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            raise UnusableStore(f"the store {path} is not a SQLite database")
    try:
        with contextlib.closing(_connect(path)) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):
            raise UnusableStore(f"the store {path} is a SQLite database, but not one of MLflow's") from error
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise UnusableStore(f"the store {path} is damaged: {_one_line(error)}") from error
    if len(rows) != 1:
        raise UnusableStore(
            f"the store {path} was left half-made by an interrupted start of MLflow; move it away to begin anew"
        )
    return str(rows[0][0])


def _connect(path: Path) -> sqlite3.Connection:
    # Opened only to read or lock, never to create a file that has vanished meanwhile.
    return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=LOCK_SECONDS, isolation_level=None)


def _newest_revision() -> str:
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
            os.link(new, path)  # unlike a rename this never overwrites a store that somebody else has just made
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

    with contextlib.closing(_connect(path)) as old, _temporary(path) as new:
        # Out of write-ahead logging, whose side files would outlive the file they belong to; then nobody writes until
        # we are done.
        old.execute("PRAGMA journal_mode=DELETE")
        old.execute("BEGIN IMMEDIATE")
        with contextlib.closing(_connect(path)) as source, contextlib.closing(sqlite3.connect(new)) as copy:
            source.backup(copy)
        engine = sqlalchemy.create_engine(f"sqlite:///{new}")
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
