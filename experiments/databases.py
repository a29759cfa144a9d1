"""SQLite databases: a table or a query of one, opened so that nothing in it can be changed."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from .._text import hint
from .delimited import decoded
from .errors import UserError, reason

if TYPE_CHECKING:
    import sqlite3

    import pandas as pd

Say = Callable[[str], None]
_WRITES = ("readonly database", "not authorized", "authorization denied", "one statement")
"""What SQLite and its module say where a query is more than one that reads."""


def read(shown: str, path: Path, part: str, wanted: str, say: Say) -> "pd.DataFrame":
    """The rows of a table (`part` "table"), of a query ("query"), or of the only table that there is ("").

    Every cell has the type that it is stored with. Texts that are not UTF-8 are taken as Windows-1252, and `say` is given a line on
    that. Raises UserError, which begins with `shown`: a file of another kind, a table that is not there with the nearest one, a
    query that fails or would do more than read.
    """
    import pandas as pd

    strange: list[str] = []
    with _open(shown, path) as connection:
        connection.text_factory = lambda stored: _text(stored, strange)
        cursor = connection.execute(_query(shown, connection, part, wanted))
        names = _names(shown, cursor)
        rows = cursor.fetchall()
    if strange:
        say(f"{shown}: is not all UTF-8; what is not was read as Windows-1252")
    return pd.DataFrame(rows, columns=pd.RangeIndex(len(names))).set_axis(names, axis=1)


def column_names(shown: str, path: Path, part: str, wanted: str) -> list[str]:
    """The columns' names without the rows; errors are those of `read`."""
    with _open(shown, path) as connection:
        return _names(shown, connection.execute(_query(shown, connection, part, wanted)))


@contextmanager
def _open(shown: str, path: Path) -> "Iterator[sqlite3.Connection]":
    import sqlite3

    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            # A connection for reading could still write another file: ATTACH does so, and VACUUM INTO by means of it.
            connection.set_authorizer(
                lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK
            )
            yield connection
    except (sqlite3.Error, sqlite3.Warning, OverflowError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        if any(sign in str(error) for sign in _WRITES):
            raise UserError(f"{shown}: a query may be one SELECT and nothing that writes") from None
        raise UserError(f"{shown}: cannot be read: {reason(error)}") from None


def _query(shown: str, connection: "sqlite3.Connection", part: str, wanted: str) -> str:
    if part == "query":
        return wanted
    found = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    tables = [name for (name,) in found if not name.startswith("sqlite_")]
    if not tables:
        raise UserError(f"{shown}: the database has no tables")
    if part == "table":
        # SQLite tells no tables apart by the case of their letters.
        if wanted.lower() not in map(str.lower, tables):
            raise UserError(f"{shown}: the database has no table {wanted!r}{hint(wanted, tables, 8)}")
    elif len(tables) > 1:
        raise UserError(f"{shown}: add ?table=NAME or ?query=SELECT ...{hint('', tables, 8)}")
    name = (wanted or tables[0]).replace('"', '""')
    return f'SELECT * FROM "{name}"'


def _names(shown: str, cursor: "sqlite3.Cursor") -> list[str]:
    if cursor.description is None:
        raise UserError(f"{shown}: a query must be a SELECT")
    return [str(column[0]).strip() for column in cursor.description]


def _text(stored: bytes, strange: list[str]) -> str:
    text = stored.decode("utf-8", "surrogateescape")
    if (readable := decoded(text)) != text:
        strange.append(readable)
    return readable
