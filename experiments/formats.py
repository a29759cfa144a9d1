"""The formats of tables, one row each: how a file is recognised, read, looked into and written.

A new format is a row of `FORMATS`; what takes more than a few lines to read has a module of its own. Pandas is imported only to
read, because the command line and the sweep file ask for suffixes before anything slow is imported.
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
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any

from .._text import nearest
from . import arff, arrow, databases, delimited, json_lines, npz, spreadsheets
from .delimited import check_distinct
from .errors import UserError, reason

if TYPE_CHECKING:
    import pandas as pd

_UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
# [data] source of a table that was handed over in Python: no file, so nothing reads it again.
MEMORY = "memory"
_IF_NAMELESS = "; give each its own, or where the first line holds values, set data.header = false"
SQLITE = "sqlite:///"
_PART = re.compile(r"(.+?)\?(sheet|table|query)=(.+)", re.DOTALL)
_HEAD = 1 << 16  # bytes that are enough to recognise a text table and its columns


@dataclass(frozen=True)
class Format:
    """A kind of table.

    `read` gives the whole table, `column_names` the names of its columns without reading it, or None where it cannot tell them;
    both raise UserError for a file that is not such a table. `write`, where there is one, writes predictions. `magic` is what such
    a file begins with, and `remark` what to say of it where a text table is expected. `parts` are what may follow a file's name
    where a file holds several tables: `?sheet=NAME`. `package` is what reads it, where mlptune itself does not need that, and
    `module` how it is imported.
    """

    read: "Callable[[TableFile], pd.DataFrame]"
    column_names: "Callable[[TableFile], list[str] | None]"
    write: "Callable[[pd.DataFrame, Path], None] | None" = None
    magic: bytes = b""
    remark: str = ""
    parts: tuple[str, ...] = ()
    package: str = ""
    module: str = ""

    def check_package(self, shown: str) -> None:
        """Raise UserError, which begins with `shown`, where what reads the format is not installed."""
        if self.package and find_spec(self.module) is None:
            raise UserError(f"{shown}: needs the package {self.package}: pip install 'mlptune[formats]'")


@dataclass(frozen=True)
class Address:
    """Where a table is: a file, and for one that holds several tables which `part` of it ("sheet", ...) has the name `wanted`."""

    path: str
    part: str = ""
    wanted: str = ""
    scheme: str = ""

    @classmethod
    def parse(cls, source: str) -> "Address":
        """What a source such as "cars.csv", "cars.xlsx?sheet=2019" or "sqlite:///shop.db?query=SELECT ..." says.

        What follows the mark is taken as it is; a question mark in a file's own name stays what it is.
        """
        scheme = SQLITE if source.startswith(SQLITE) else ""
        rest = source.removeprefix(scheme)
        found = _PART.fullmatch(rest)
        return cls(found[1], found[2], found[3], scheme) if found else cls(rest, scheme=scheme)

    def at(self, path: str) -> str:
        """The source that means the same part of the file at another path."""
        return f"{self.scheme}{path}" + (f"?{self.part}={self.wanted}" if self.part else "")

    @property
    def stem(self) -> str:
        """What a sweep over the table may be called: the file's name without its suffixes, and the sheet's or table's."""
        stem = without_suffixes(re.split(r"[/\\]", self.path.rstrip("/\\"))[-1])
        return f"{stem}-{self.wanted}" if self.part in ("sheet", "table") else stem


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
    """A table that is open: `shown` is its name in messages, `file` its bytes from the beginning, decompressed, `path` where it is.

    `header` says whether a text table's first line names the columns, None that it is to be recognised: by names that are `known`,
    or by what it holds. `say` is given a line for what had to be guessed.
    """

    shown: str
    format: Format
    compression: str
    file: IO[bytes]
    path: Path
    address: Address
    header: bool | None = None
    known: frozenset[str] = frozenset()
    say: Callable[[str], None] = _say_nothing


def is_named(source: str) -> bool:
    """Say whether `source` names a bundled data set ("sklearn:digits") and is not a path."""
    return source.startswith("sklearn:")


def is_path(source: str) -> bool:
    """Say whether `source` names a file, and neither a bundled data set nor a table in memory."""
    return not is_named(source) and source != MEMORY


def writable_suffixes() -> str:
    """Return what the name of a file of predictions may end in, for a message."""
    *first, last = (suffix for suffix, row in FORMATS.items() if row.write is not None)
    return f"{', '.join(first)} or {last}"


def is_table(path: PurePath | str) -> bool:
    """Say whether a file is a table by its name."""
    address = Address.parse(str(path))
    return bool(address.scheme) or any(suffix.lower() in FORMATS for suffix in PurePath(address.path).suffixes)


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
        address = Address.parse(source)
        path = base / Path(address.path).expanduser()
        format_, compression = _recognize(shown, path, address)
        format_.check_package(shown)
        with COMPRESSIONS[compression].open(path) if compression else path.open("rb") as file:
            if not file.read(1):
                raise UserError(f"{shown}: the file is empty")
            file.seek(0)
            yield TableFile(shown, format_, compression, file, path, address, header, frozenset(known), say)
    except FileNotFoundError:
        raise UserError(f"{shown}: there is no such file{_similar_file(path)}") from None
    except PermissionError:
        raise UserError(f"{shown}: no permission to read this file") from None
    except (*_UNREADABLE, MemoryError) as error:
        unpacked = f" as {compression}" if compression else ""
        raise UserError(f"{shown}: cannot be read{unpacked}: {reason(error)}") from None


def _recognize(shown: str, path: Path, address: Address) -> tuple[Format, str]:
    """Return a file's format and its compression (".gz", or "") by its name; refuse a part that such files do not have."""
    if "\0" in str(path):
        raise UserError(f"{shown}: is not a file name")
    if path.is_dir():
        raise UserError(f"{shown}: is a folder, a table file is needed ({', '.join(FORMATS)})")
    parts = [suffix.lower() for suffix in path.suffixes]
    compression = parts.pop() if parts and parts[-1] in COMPRESSIONS else ""
    format_ = FORMATS.get(".sqlite" if address.scheme else parts[-1] if parts else "")
    if format_ is not None:
        if address.part and address.part not in format_.parts:
            whose = ", ".join(suffix for suffix, row in FORMATS.items() if address.part in row.parts)
            raise UserError(f"{shown}: ?{address.part}= is for {whose}")
        return format_, compression
    if not path.exists():
        raise FileNotFoundError
    if compression == ".zip":
        with zipfile.ZipFile(path) as archive:
            suffix = _suffix_in(_table_in(path, archive))
        if suffix in FORMATS:
            return FORMATS[suffix], compression
    raise UserError(f"{shown}: a table ends in {', '.join(FORMATS)}, each also with {', '.join(COMPRESSIONS)}")


def _similar_file(path: Path) -> str:
    if "?" in path.name:
        return "; a part of a file is ?sheet=NAME, ?table=NAME or ?query=SELECT ..."
    if not path.parent.is_dir():
        return f" (and no folder {str(path.parent)!r})"
    return nearest(path.name, (other.name for other in path.parent.iterdir()), cutoff=0.7)


# CSV, with any of four delimiters: see `delimited`.


def _read_csv(table: TableFile) -> "pd.DataFrame":
    text, encoding, whole = _head(table)
    above = delimited.above(text)
    if above:
        table, text = _below(table, above, encoding), text[len(above) :]
    delimiter, first, records = delimited.sniff(text, whole)
    named = delimited.names_columns(first, records, table.known, table.header)
    if named:
        check_distinct(table.shown, [name for name in first if name], _IF_NAMELESS)
    if named and not whole and not records:  # the line of names is longer than the first look
        first = _first_line(table, encoding, delimiter)
    skipped = len(above.splitlines())
    return delimited.read(table.shown, table.file, encoding, delimiter, first if named else None, table.say, skipped)


def _below(table: TableFile, above: str, encoding: str) -> TableFile:
    """The table without the lines above it, which are said."""
    data = table.file.read()
    marks = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
    first = next((mark for mark in marks if data.startswith(mark)), b"")
    bare = above.encode("utf-16-le") if encoding == "utf-16" else above.encode("utf-8", "surrogateescape")
    lines = [line.strip() for line in above.splitlines() if delimited.says_something(line)]
    if lines:
        are = "line above the table is" if len(lines) == 1 else "lines above the table are"
        table.say(f"{table.shown}: {len(lines)} {are} left out (first: {delimited.decoded(lines[0])[:40]!r})")
    return replace(table, file=io.BytesIO(first + data[len(first) + len(bare) :]))


def _csv_columns(table: TableFile) -> list[str] | None:
    text, _, whole = _head(table)
    _, first, records = delimited.sniff(text[len(delimited.above(text)) :], whole)
    if not delimited.names_columns(first, records, table.known, table.header):
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


def _write_tsv(frame: "pd.DataFrame", path: Path) -> None:
    frame.to_csv(path, index=False, sep="\t")


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


# Formats that have a module each.


def _read_parquet(table: TableFile) -> "pd.DataFrame":
    return arrow.read_parquet(table.shown, table.file, table.say)


def _parquet_columns(table: TableFile) -> list[str] | None:
    # The names stand at the end.
    return None if table.compression else arrow.parquet_columns(table.shown, table.file)


def _read_feather(table: TableFile) -> "pd.DataFrame":
    return arrow.read_feather(table.shown, table.file, table.say)


def _feather_columns(table: TableFile) -> list[str] | None:
    return None if table.compression else arrow.feather_columns(table.shown, table.file)


def _write_parquet(frame: "pd.DataFrame", path: Path) -> None:
    frame.to_parquet(path, index=False)


def _write_feather(frame: "pd.DataFrame", path: Path) -> None:
    frame.to_feather(path)


def _read_json_lines(table: TableFile) -> "pd.DataFrame":
    _head(table)  # refuses what is not text
    return json_lines.read(table.shown, table.file, table.say)


def _json_lines_columns(table: TableFile) -> list[str] | None:
    _head(table)
    head = table.file.read(_HEAD)
    return json_lines.column_names(table.shown, head, len(head) < _HEAD)


def _read_sheet(table: TableFile) -> "pd.DataFrame":
    return spreadsheets.read(table.shown, table.file, table.address.wanted, table.header, table.known, table.say)


def _sheet_columns(table: TableFile) -> list[str] | None:
    return spreadsheets.column_names(table.shown, table.file, table.address.wanted, table.header, table.known)


def _read_arff(table: TableFile) -> "pd.DataFrame":
    _head(table)
    return arff.read(table.shown, table.file)


def _arff_columns(table: TableFile) -> list[str] | None:
    _head(table)
    return arff.column_names(table.shown, table.file.read(_HEAD))


def _read_sqlite(table: TableFile) -> "pd.DataFrame":
    return databases.read(table.shown, *_database(table), table.say)


def _sqlite_columns(table: TableFile) -> list[str] | None:
    return databases.column_names(table.shown, *_database(table))


def _database(table: TableFile) -> tuple[Path, str, str]:
    if table.compression:
        raise UserError(f"{table.shown}: is a compressed database; unpack it first")
    return table.path, table.address.part, table.address.wanted


def _read_npz(table: TableFile) -> "pd.DataFrame":
    return npz.read(table.shown, table.file)


def _unknown(table: TableFile) -> list[str] | None:
    return None


_JSON_LINES = Format(_read_json_lines, _json_lines_columns, json_lines.write)
_FEATHER = Format(_read_feather, _feather_columns, _write_feather, b"ARROW1", "Feather; name it .feather")
_SQLITE = Format(
    _read_sqlite,
    _sqlite_columns,
    None,
    b"SQLite format 3\0",
    "an SQLite database; name it .sqlite, or sqlite:///FILE?table=NAME",
    parts=("table", "query"),
)

FORMATS: dict[str, Format] = {
    ".csv": Format(_read_csv, _csv_columns, _write_csv),
    ".tsv": Format(_read_csv, _csv_columns, _write_tsv),
    ".parquet": Format(_read_parquet, _parquet_columns, _write_parquet, b"PAR1", "Parquet; name it .parquet"),
    ".npz": Format(_read_npz, _unknown),
    ".feather": _FEATHER,
    ".arrow": _FEATHER,
    ".jsonl": _JSON_LINES,
    ".ndjson": _JSON_LINES,
    ".xlsx": Format(
        _read_sheet, _sheet_columns, spreadsheets.write, parts=("sheet",), package="openpyxl", module="openpyxl"
    ),
    ".arff": Format(_read_arff, _arff_columns, package="liac-arff", module="arff"),
    ".sqlite": _SQLITE,
    ".sqlite3": _SQLITE,
    ".db": _SQLITE,
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


def _open_zst(path: Path) -> IO[bytes]:
    import pyarrow

    with path.open("rb") as file:
        return io.BytesIO(pyarrow.CompressedInputStream(file, "zstd").read())


COMPRESSIONS: dict[str, Compression] = {
    ".gz": Compression(gzip.open, b"\x1f\x8b", "gzip data; name it .gz"),
    ".bz2": Compression(bz2.open, b"BZh", "bzip2 data; name it .bz2"),
    ".xz": Compression(lzma.open, b"\xfd7zXZ", "xz data; name it .xz"),
    ".zst": Compression(_open_zst, b"\x28\xb5\x2f\xfd", "zstd data; name it .zst"),
    ".zip": Compression(_open_zip, b"PK\x03\x04", "a zip archive or a spreadsheet; name it .zip or .xlsx"),
}

_NOT_TABLES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF document",
}


def _other_formats() -> Iterator[tuple[bytes, str]]:
    """Yield what files that are not text begin with, and what to say of them."""
    for compression in COMPRESSIONS.values():
        yield compression.magic, compression.remark
    for format_ in FORMATS.values():
        if format_.magic:
            yield format_.magic, format_.remark
    yield from _NOT_TABLES.items()
