"""The store's address: what it may be, and where its file is."""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

from .errors import UnusableStore

DEFAULT_URI = "sqlite:///mlflow.db"


_MISREAD = re.compile(r"\?|%(?=[0-9A-Fa-f]{2})")  # what a path may hold, and an address means something else by
_SQLITE = re.compile(r"^sqlite(\+\w+)?://")


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
            f"{where}: {redact(text)!r} is not a kind of store that can be used; it is sqlite:///file.db, postgresql://... or "
            "an MLflow server's http(s):// address"
        )
    return text


def _absolute_sqlite(text: str) -> str:
    scheme, _, rest = text.partition("://")
    path, question, query = rest.partition("?")
    if not path.startswith("/") or path in ("/", "/:memory:"):
        raise UnusableStore(
            f"the store {text!r} names no file; write sqlite:///mlflow.db or sqlite:////absolute/path.db"
        )
    # SQLAlchemy reads %20 as a blank; a user may mean either, and has a folder of one of these names.
    literal, absolute = os.path.abspath(path[1:]), os.path.abspath(unquote(path[1:]))
    if not os.path.isdir(os.path.dirname(absolute)) and os.path.isdir(os.path.dirname(literal)):
        absolute = literal
    return f"{scheme}:///{_MISREAD.sub(lambda found: quote(found[0]), absolute)}{question}{query}"


def sqlite_path(uri: str) -> Path | None:
    """The file of a SQLite store, None for any other kind of store. `uri` is as `store_uri` returns it."""
    return Path(unquote(uri.partition("://")[2].partition("?")[0][1:])) if _SQLITE.match(uri) else None


def redact(uri: str) -> str:
    """The address without its password, for messages."""
    hidden = re.sub(r"(?<=://)([^/@:\s]*):\S*@", r"\1:***@", uri)
    return re.sub(r"(?i)([?&](?:password|passwd|pwd|token|secret)=)[^&#\s]*", r"\1***", hidden)


def store_exists(uri: str) -> bool:
    """Whether there is something to open. A server or a team's database is assumed to exist; opening it will show."""
    path = sqlite_path(uri)
    if path is None:
        return True
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def check_folder(uri: str) -> None:
    """Raise UnusableStore where a SQLite store is a folder, or its folder is not there: a typo must not leave folders behind."""
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
