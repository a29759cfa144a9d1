"""Tables of Arrow's own: Parquet and Feather (Arrow IPC), whose columns have types and whose names can be had without the rows."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from .delimited import decoded
from .errors import UserError, reason

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Say = Callable[[str], None]


def read_parquet(shown: str, file: IO[bytes], say: Say) -> "pd.DataFrame":
    """The rows of an open Parquet file. Raises UserError, which begins with `shown`, for anything else."""
    import pyarrow.parquet

    with _only(shown, "a Parquet table"):
        return _frame(shown, pyarrow.parquet.read_table(io.BytesIO(file.read())), say)


def read_feather(shown: str, file: IO[bytes], say: Say) -> "pd.DataFrame":
    """The rows of an open Feather file, as `read_parquet`."""
    import pyarrow.ipc

    with _only(shown, "a Feather (Arrow) table"):
        return _frame(shown, pyarrow.ipc.open_file(io.BytesIO(file.read())).read_all(), say)


def parquet_columns(shown: str, file: IO[bytes]) -> list[str] | None:
    """The columns' names; None where only pandas knows them. Raises UserError for what is not Parquet."""
    import pyarrow.parquet

    with _only(shown, "a Parquet table"):
        return _names(pyarrow.parquet.read_schema(file))


def feather_columns(shown: str, file: IO[bytes]) -> list[str] | None:
    """The columns' names, as `parquet_columns`."""
    import pyarrow.ipc

    with _only(shown, "a Feather (Arrow) table"):
        return _names(pyarrow.ipc.open_file(file).schema)


@contextmanager
def _only(shown: str, what: str) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        raise UserError(f"{shown}: is not {what}: {reason(error)}") from None


def _frame(shown: str, table: "pa.Table", say: Say) -> "pd.DataFrame":
    """The table, with the texts in it that are not UTF-8 read as Windows-1252, and a named index as columns."""
    import pyarrow as pa

    strange = False
    for place, field in enumerate(table.schema):
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            continue
        stored = table.column(place).cast(pa.large_binary())
        try:
            stored.cast(pa.large_string())
        except pa.ArrowInvalid:
            strange = True
            texts = (None if cell is None else cell.decode("utf-8", "surrogateescape") for cell in stored.to_pylist())
            cells = [None if text is None else decoded(text) for text in texts]
            table = table.set_column(place, field, pa.chunked_array([pa.array(cells, field.type)]))
    if strange:
        say(f"{shown}: is not all UTF-8; what is not was read as Windows-1252")
    frame: pd.DataFrame = table.to_pandas()
    return frame.reset_index() if any(name is not None for name in frame.index.names) else frame


def _names(schema: "pa.Schema") -> list[str] | None:
    written_by_pandas = schema.pandas_metadata or {}
    if any(
        level.get("pandas_type") not in ("unicode", "empty") for level in written_by_pandas.get("column_indexes", ())
    ):
        return None  # names that are not texts, which pandas restores in its own way
    ranges = [index["name"] for index in written_by_pandas.get("index_columns", ()) if isinstance(index, dict)]
    return [str(name).strip() for name in (*schema.names, *ranges) if name is not None]
