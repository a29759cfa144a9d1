"""Where reading takes runs from: the tables of a local store, which needs no MLflow, or else MLflow's client.

Both answer the same questions with the same values. To import MLflow takes two seconds, to read a store's tables some milliseconds.
"""

from typing import Any

from .client import ClientSource as ClientSource
from .tables import TableSource as TableSource
from .tables import is_known as is_known

Source = ClientSource | TableSource


def open_source(uri: str) -> Source:
    """The source for the store at `uri`, an address as `store_uri` gives it; older stores of ours are brought up to date."""
    return TableSource(uri) if is_known(uri) else ClientSource.of(uri)


def source_of(client: Any) -> Source:
    """What is read through a client: MLflow's, or one that reads the tables itself."""
    return client if isinstance(client, TableSource) else ClientSource(client)
