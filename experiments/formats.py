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
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any

from .._text import nearest
from .errors import UserError

if TYPE_CHECKING:
    import pandas as pd

_UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
# [data] source of a table that was handed over in Python: no file, so nothing reads it again.
MEMORY = "memory"
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


@dataclass(frozen=True)
class TableFile:
    """A table that is open: `shown` is its name in messages, `file` its bytes from the beginning, decompressed."""

    shown: str
    format: Format
    compression: str
    file: IO[bytes]


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
def open_table(source: str, base: Path) -> Iterator[TableFile]:
    """Open the table at `source`, a path relative to `base`.

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
            yield TableFile(shown, format_, compression, file)
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
    raise UserError(f"{shown}: a table ends in {', '.join(FORMATS)}, each also with {', '.join(COMPRESSIONS)}")


def _similar_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (and no folder {str(path.parent)!r})"
    return nearest(path.name, (other.name for other in path.parent.iterdir()), cutoff=0.7)


# CSV, with any of four delimiters.


def _read_csv(table: TableFile) -> "pd.DataFrame":
    import pandas as pd

    text, encoding, whole = _head(table)
    delimiter, header, records = _sniff(text, whole)
    _check_header(table.shown, header)
    decimal_comma = delimiter == ";" and re.search(r"\d,\d", text) and not re.search(r"\d\.\d", text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame: pd.DataFrame = pd.read_csv(
                table.file,
                sep=delimiter,
                encoding=encoding,
                decimal="," if decimal_comma else ".",
                na_values=["?"],
                skipinitialspace=True,
                index_col=False,
                low_memory=False,
            )
            return frame
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UserError(f"{table.shown}: byte 0x{byte:02x} is not UTF-8; save the table as UTF-8") from None
    except pd.errors.EmptyDataError:
        raise UserError(f"{table.shown}: holds no columns") from None
    except pd.errors.ParserWarning:
        longest = max((len(record) for record in records), default=0)
        raise UserError(
            f"{table.shown}: is not a table: rows have {longest} fields where the first line names {len(header)}"
        ) from None
    except (pd.errors.ParserError, ValueError) as error:
        why = reason(error).removeprefix("Error tokenizing data. C error: ")
        raise UserError(f"{table.shown}: is not a table: {why}") from None


def _csv_columns(table: TableFile) -> list[str] | None:
    text, _, whole = _head(table)
    _, header, records = _sniff(text, whole)
    _check_header(table.shown, header)
    # Where the header may be cut off, or pandas would read it otherwise, only reading tells.
    certain = header and (records or whole) and all(name and "\ufffd" not in name for name in header)
    return header if certain else None


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
    text = head.decode(encoding, errors="replace")
    if not text.strip():
        raise UserError(f"{table.shown}: the file is empty")
    return text, encoding, len(head) < _HEAD


def _sniff(text: str, whole: bool) -> tuple[str, list[str], list[list[str]]]:
    """Return the delimiter that cuts the first lines most evenly, the names it gives, and the records after them."""
    best: tuple[tuple[float, int], str, list[list[str]]] = ((0.0, 0), ",", [])
    for delimiter in (",", ";", "\t", "|"):
        try:
            records = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True) if row]
        except csv.Error:
            continue
        if not whole and len(records) > 1:
            records.pop()  # the last record may be cut off
        if not records:
            continue
        width = len(records[0])
        sample = records[1:101]
        even = sum(len(row) == width for row in sample) / len(sample) if sample else 1.0
        rank = (even if width > 1 else 0.0, width)
        if not best[2] or rank > best[0]:
            best = (rank, delimiter, records)
    _, delimiter, records = best
    header = [name.strip() for name in records[0]] if records else []
    if not whole and len(records) == 1:
        header.pop()  # the last name may be cut off
    return delimiter, header, records[1:]


def _check_header(shown: str, names: list[str]) -> None:
    if names and all(re.fullmatch(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?", name) for name in names) and "." in "".join(names):
        raise UserError(f"{shown}: the first line holds numbers; it must name the columns")
    check_distinct(shown, [name for name in names if name])


def check_distinct(shown: str, names: list[str]) -> None:
    """Raise UserError where two columns of a table have one name."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise UserError(f"{shown}: the column name {repeated[0]!r} occurs {names.count(repeated[0])} times")


# Parquet.


def _read_parquet(table: TableFile) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow

    try:
        frame: pd.DataFrame = pd.read_parquet(io.BytesIO(table.file.read()))
    except (pyarrow.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        raise UserError(f"{table.shown}: is not a Parquet table: {reason(error)}") from None
    return frame.reset_index() if any(name is not None for name in frame.index.names) else frame


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
        members = [
            member
            for member in archive.infolist()
            if not member.is_dir() and not member.filename.startswith("__MACOSX")
        ]
        if len(members) != 1:
            raise UserError(f"{path.name}: the archive holds {len(members)} files, a table is one file alone")
        return archive.open(members[0])


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
