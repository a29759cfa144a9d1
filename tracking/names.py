"""The names of the sweeps in a SQLite store, read from its file: for the shell, which asks at each press of a key.

MLflow takes seconds to import; these names are in two of its tables.
"""

import contextlib
import sqlite3
from urllib.parse import quote

from . import schema
from .store.address import sqlite_path, store_exists, store_uri

_QUERY = """
SELECT experiments.name FROM experiments JOIN experiment_tags USING (experiment_id)
WHERE experiment_tags.key = ? AND experiment_tags.value = 'sweep' AND experiments.lifecycle_stage = 'active'
ORDER BY experiments.last_update_time DESC
"""


def sweep_names(uri: str | None = None) -> list[str]:
    """The names of the sweeps, the newest first; none where the store is a server's, is not there, or cannot be read at once."""
    try:
        address = store_uri(uri)
    except ValueError:
        return []
    path = sqlite_path(address)
    if path is None or not store_exists(address):
        return []
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=0.5)) as file:
            return [str(name) for (name,) in file.execute(_QUERY, (schema.KIND,))]
    except sqlite3.Error:
        return []
