"""The formats of tables, one row each: how a file is recognised, read, looked into and written.

A new format is a row of `FORMATS`. The module is a leaf and imports pandas only to read, because the command line and the sweep
file ask for suffixes before anything slow is imported.
"""

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any

from .._text import nearest
from . import delimited
from .delimited import check_distinct
from .errors import UserError

if TYPE_CHECKING:
    import pandas as pd

_UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
# [data] source of a table that was handed over in Python: no file, so nothing reads it again.
MEMORY = "memory"
_IF_NAMELESS = "; where the first line holds values, set data.header = false"
_HEAD = 1 << 16  # bytes that are enough to recognise a text table and its columns


@dataclass(frozen=True)
class Format:
    """A kind of table.

    `read` gives the whole table, `column_names` the names of its columns without reading it, or None where it cannot tell them;
    both raise UserError for a file that is not such a table. `write`, where there is one, writes predictions. `magic` is what such
    a file begins with, and `remark` what to say of it where a text table is expected.
    """

    read: "Callable[[TableFile], pd.DataFrame]"
    column_names: "Callable[[TableFile], list[str] | None]"
    write: "Callable[[pd.DataFrame, Path], None] | None" = None
    magic: bytes = b""
    remark: str = ""


@dataclass(frozen=True)
class Compression:
    """A wrapping of any format: how it is opened, what it begins with and what to say of that."""

    open: Callable[[Path], Any]
    magic: bytes
    remark: str


def _say_nothing(line: str) -> None:
    pass


@dataclass(frozen=True)
class TableFile:
    """A table that is open: `shown` is its name in messages, `file` its bytes from the beginning, decompressed.

    `header` says whether a text table's first line names the columns, None that it is to be recognised: by names that are `known`,
    or by what it holds. `say` is given a line for what had to be guessed.
    """

    shown: str
    format: Format
    compression: str
    file: IO[bytes]
    header: bool | None = None
    known: frozenset[str] = frozenset()
    say: Callable[[str], None] = _say_nothing


def is_named(source: str) -> bool:
    """Say whether `source` names a bundled data set ("sklearn:digits") and is not a path."""
    return source.startswith("sklearn:")


def is_path(source: str) -> bool:
    """Say whether `source` names a file, and neither a bundled data set nor a table in memory."""
    return not is_named(source) and source != MEMORY


def writable_suffixes() -> tuple[str, ...]:
    """Return what the name of a file of predictions may end in."""
    return tuple(suffix for suffix, row in FORMATS.items() if row.write is not None)


def is_table(path: PurePath) -> bool:
    """Say whether a file is a table by its name."""
    return any(suffix.lower() in FORMATS for suffix in path.suffixes)


def without_suffixes(name: str) -> str:
    """Return a file's name without the suffixes of formats and compressions."""
    known = "|".join(re.escape(suffix) for suffix in (*FORMATS, *COMPRESSIONS))
    return re.sub(rf"({known})+$", "", name, flags=re.IGNORECASE)


@contextmanager
def open_table(
    source: str,
    base: Path,
    header: bool | None = None,
    known: Collection[str] = (),
    say: Callable[[str], None] = _say_nothing,
) -> Iterator[TableFile]:
    """Open the table at `source`, a path relative to `base`; the rest is as `TableFile` says.

    Raises UserError, one line that begins with `source`, for what is not a file of a known format, is empty, or cannot be read,
    now or while it is read.
    """
    if source == MEMORY:
        raise UserError(
            'source = "memory" is a table that was given in Python and is in no file: give it again, '
            "mlptune.run_sweep(..., data=table, target=...)"
        )
    shown = source if source.isprintable() and len(source) <= 200 else repr(source[:200])
    compression = ""
    try:
        path = base / Path(source).expanduser()
        format_, compression = _recognize(shown, path)
        with COMPRESSIONS[compression].open(path) if compression else path.open("rb") as file:
            if not file.read(1):
                raise UserError(f"{shown}: the file is empty")
            file.seek(0)
            yield TableFile(shown, format_, compression, file, header, frozenset(known), say)
    except FileNotFoundError:
        raise UserError(f"{shown}: there is no such file{_similar_file(path)}") from None
    except PermissionError:
        raise UserError(f"{shown}: no permission to read this file") from None
    except (*_UNREADABLE, MemoryError) as error:
        unpacked = f" as {compression}" if compression else ""
        raise UserError(f"{shown}: cannot be read{unpacked}: {reason(error)}") from None


def reason(error: BaseException) -> str:
    """Return what went wrong in one line, without the path, which a message names itself."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split())[:200] or type(error).__name__


def _recognize(shown: str, path: Path) -> tuple[Format, str]:
    """Return a file's format and its compression (".gz", or "") by its name."""
    if "\0" in str(path):
        raise UserError(f"{shown}: is not a file name")
    if path.is_dir():
        raise UserError(f"{shown}: is a folder, a table file is needed ({', '.join(FORMATS)})")
    parts = [suffix.lower() for suffix in path.suffixes]
    compression = parts.pop() if parts and parts[-1] in COMPRESSIONS else ""
    if parts and parts[-1] in FORMATS:
        return FORMATS[parts[-1]], compression
    if not path.exists():
        raise FileNotFoundError
    if compression == ".zip":
        with zipfile.ZipFile(path) as archive:
            suffix = _suffix_in(_table_in(path, archive))
        if suffix in FORMATS:
            return FORMATS[suffix], compression
    raise UserError(f"{shown}: a table ends in {', '.join(FORMATS)}, each also with {', '.join(COMPRESSIONS)}")


def _similar_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (and no folder {str(path.parent)!r})"
    return nearest(path.name, (other.name for other in path.parent.iterdir()), cutoff=0.7)


# CSV, with any of four delimiters: see `delimited`.


def _read_csv(table: TableFile) -> "pd.DataFrame":
    text, encoding, whole = _head(table)
    delimiter, first, records = delimited.sniff(text, whole)
    named = delimited.names_columns(first, records, table.known) if table.header is None else table.header
    if named:
        check_distinct(table.shown, [name for name in first if name], _IF_NAMELESS)
    if named and not whole and not records:  # the line of names is longer than the first look
        first = _first_line(table, encoding, delimiter)
    return delimited.read(table.shown, table.file, encoding, delimiter, first if named else None, table.say)


def _csv_columns(table: TableFile) -> list[str] | None:
    text, _, whole = _head(table)
    _, first, records = delimited.sniff(text, whole)
    if not (delimited.names_columns(first, records, table.known) if table.header is None else table.header):
        return [f"x{place}" for place in range(len(first))]
    check_distinct(table.shown, [name for name in first if name], _IF_NAMELESS)
    # Where the header may be cut off, or has columns without a name, only reading tells.
    certain = first and (records or whole) and all(first)
    return first if certain else None


def _first_line(table: TableFile, encoding: str, delimiter: str) -> list[str]:
    text = io.TextIOWrapper(table.file, encoding=encoding, errors="replace", newline="")
    names = [name.strip() for name in next(csv.reader(text, delimiter=delimiter, skipinitialspace=True), [])]
    text.detach()
    table.file.seek(0)
    check_distinct(table.shown, [name for name in names if name], _IF_NAMELESS)
    return names


def _write_csv(frame: "pd.DataFrame", path: Path) -> None:
    frame.to_csv(path, index=False)


def _head(table: TableFile) -> tuple[str, str, bool]:
    """Return the beginning of a text table, its encoding, and whether that is all of it; refuse what is not text."""
    head = table.file.read(_HEAD)
    table.file.seek(0)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for magic, remark in _other_formats():
        if head.startswith(magic):
            raise UserError(f"{table.shown}: is not a text table: it is {remark}")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<svg")):
        raise UserError(f"{table.shown}: is not a text table: it is a web page or XML")
    if encoding != "utf-16" and b"\0" in head:
        raise UserError(f"{table.shown}: is not a text table: it is binary data")
    text = head.decode(encoding, errors="surrogateescape" if "8" in encoding else "replace")
    if not text.strip():
        raise UserError(f"{table.shown}: the file is empty")
    return text, encoding, len(head) < _HEAD


# Parquet.


def _read_parquet(table: TableFile) -> "pd.DataFrame":
    import pyarrow

    try:
        frame = _parquet_frame(table)
    except (pyarrow.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        raise UserError(f"{table.shown}: is not a Parquet table: {reason(error)}") from None
    return frame.reset_index() if any(name is not None for name in frame.index.names) else frame


def _parquet_frame(table: TableFile) -> "pd.DataFrame":
    """The table, with the texts in it that are not UTF-8 read as Windows-1252."""
    import pyarrow as pa
    import pyarrow.parquet

    read: pa.Table = pyarrow.parquet.read_table(io.BytesIO(table.file.read()))
    strange = False
    for place, field in enumerate(read.schema):
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            continue
        stored = read.column(place).cast(pa.large_binary())
        try:
            stored.cast(pa.large_string())
        except pa.ArrowInvalid:
            strange = True
            texts = (None if cell is None else cell.decode("utf-8", "surrogateescape") for cell in stored.to_pylist())
            cells = [None if text is None else delimited.decoded(text) for text in texts]
            read = read.set_column(place, field, pa.chunked_array([pa.array(cells, field.type)]))
    if strange:
        table.say(f"{table.shown}: is not all UTF-8; what is not was read as Windows-1252")
    frame: pd.DataFrame = read.to_pandas()
    return frame


def _parquet_columns(table: TableFile) -> list[str] | None:
    if table.compression:
        return None  # the names stand at the end
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(table.file)
    except (pyarrow.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        raise UserError(f"{table.shown}: is not a Parquet table: {reason(error)}") from None
    written_by_pandas = schema.pandas_metadata or {}
    if any(
        level.get("pandas_type") not in ("unicode", "empty") for level in written_by_pandas.get("column_indexes", ())
    ):
        return None  # names that are not texts, which pandas restores in its own way
    ranges = [index["name"] for index in written_by_pandas.get("index_columns", ()) if isinstance(index, dict)]
    return [str(name).strip() for name in (*schema.names, *ranges) if name is not None]


def _write_parquet(frame: "pd.DataFrame", path: Path) -> None:
    frame.to_parquet(path, index=False)


# NumPy's archives.


def _read_npz(table: TableFile) -> "pd.DataFrame":
    import numpy as np
    import pandas as pd

    shown = table.shown
    try:
        archive = np.load(io.BytesIO(table.file.read()), allow_pickle=False)
        held: dict[str, Any] = dict(archive) if isinstance(archive, np.lib.npyio.NpzFile) else {}
    except (ValueError, TypeError, KeyError, EOFError, SyntaxError, zipfile.BadZipFile) as error:
        raise UserError(f"{shown}: is not an .npz file of plain arrays: {reason(error)}") from None
    arrays = {name: array for name, array in held.items() if isinstance(array, np.ndarray)}
    X = arrays.get("X")
    if X is None:
        holds = ", ".join(held) or "no named arrays"
        raise UserError(f"{shown}: needs an array X (rows, columns), and y (rows,); it holds {holds[:100]}")
    if X.ndim != 2:
        raise UserError(f"{shown}: X must have two axes (rows, columns), its shape is {X.shape}")
    frame = pd.DataFrame({f"x{column}": X[:, column] for column in range(X.shape[1])}, index=range(len(X)))
    if "y" in arrays:
        y = arrays["y"]
        if y.size != len(X) or y.ndim not in (1, 2):
            raise UserError(f"{shown}: y must have shape ({len(X)},) like the rows of X, its shape is {y.shape}")
        frame["target"] = y.ravel()
    return frame


def _unknown(table: TableFile) -> list[str] | None:
    return None


FORMATS: dict[str, Format] = {
    ".csv": Format(_read_csv, _csv_columns, _write_csv),
    ".tsv": Format(_read_csv, _csv_columns),
    ".parquet": Format(_read_parquet, _parquet_columns, _write_parquet, b"PAR1", "Parquet; name it .parquet"),
    ".npz": Format(_read_npz, _unknown),
}


# Compressions.


def _open_zip(path: Path) -> IO[bytes]:
    with zipfile.ZipFile(path) as archive:
        return archive.open(_table_in(path, archive))


def _table_in(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file of an archive, or the one table among its files. Raises UserError, which says what it holds."""
    files = [member for member in archive.infolist() if not member.is_dir()]
    files = [member for member in files if not member.filename.startswith("__MACOSX")]
    tables = [member for member in files if _suffix_in(member) in FORMATS]
    if len(tables) == 1 or len(files) == 1:
        return (tables or files)[0]
    names = [member.filename if member.filename.isprintable() else repr(member.filename) for member in tables or files]
    some = f" ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})" if names else ""
    which = f"{len(tables)} tables" if tables else "no table"
    raise UserError(
        f"{path.name}: the archive holds {len(files)} files, {which} among them{some}; take out the one you mean"
    )


def _suffix_in(member: zipfile.ZipInfo) -> str:
    return PurePath(member.filename).suffix.lower()


COMPRESSIONS: dict[str, Compression] = {
    ".gz": Compression(gzip.open, b"\x1f\x8b", "gzip data; name it .gz"),
    ".bz2": Compression(bz2.open, b"BZh", "bzip2 data; name it .bz2"),
    ".xz": Compression(lzma.open, b"\xfd7zXZ", "xz data; name it .xz"),
    ".zip": Compression(_open_zip, b"PK\x03\x04", "a zip archive or a spreadsheet; export it as .csv"),
}

_NOT_TABLES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
}


def _other_formats() -> Iterator[tuple[bytes, str]]:
    """Yield what files that are not text begin with, and what to say of them."""
    for compression in COMPRESSIONS.values():
        yield compression.magic, compression.remark
    for format_ in FORMATS.values():
        if format_.magic:
            yield format_.magic, format_.remark
    yield from _NOT_TABLES.items()
