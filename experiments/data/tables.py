"""Tables from files and from scikit-learn's bundled sets: whatever is no table is refused in one line that says why."""

import bz2
import csv
import difflib
import gzip
import io
import lzma
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pandas as pd

from ..errors import UserError
from .digits import load_digits

BUNDLED = ("digits", "iris", "wine", "breast_cancer", "diabetes")
_PREFIX = "sklearn:"
_FORMATS = (".csv", ".tsv", ".parquet", ".npz")
_COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip")
_UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
_HEAD = 1 << 16
_MAGIC = {
    b"\x1f\x8b": "gzip data: name it .gz",
    b"BZh": "bzip2 data: name it .bz2",
    b"\xfd7zXZ": "xz data: name it .xz",
    b"PK\x03\x04": "a zip archive or a spreadsheet: export it as .csv",
    b"PAR1": "Parquet: name it .parquet",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
}


def read_table(source: str, base: Path) -> pd.DataFrame:
    """The table behind `source`: a row index 0..n-1 and columns with distinct text names.

    `source` is `sklearn:<name>` (then columns and target are those of scikit-learn's own frame, the target is
    "target", classes are its integers) or a path relative to `base`: .csv and .tsv (delimiter comma, semicolon, tab
    or bar, found by looking), .parquet, and .npz with X (n, d) as columns x0.. and, where present, y (n,) as
    "target"; each also .gz, .bz2, .xz or .zip. Empty cells, "NA", "?" and what else pandas takes as missing are
    missing. Raises UserError, one line, naming the file.
    """
    if source.startswith(_PREFIX):
        return _bundled(source)
    shown = source if source.isprintable() and len(source) <= 200 else repr(source[:200])
    try:
        return _checked(shown, _from_file(shown, base / Path(source).expanduser()))
    except (*_UNREADABLE, MemoryError) as error:
        raise UserError(f"{shown}: cannot be read: {_line(error)}") from None


def _from_file(source: str, path: Path) -> pd.DataFrame:
    if "\0" in str(path):
        raise UserError(f"{source}: is no file name")
    if path.is_dir():
        raise UserError(f"{source}: is a folder, a table file is needed ({', '.join(_FORMATS)})")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in _COMPRESSIONS else ""
    kind = suffixes[-1] if suffixes else ""
    if kind not in _FORMATS:
        if not path.exists():
            raise UserError(f"{source}: there is no such file{_hint(path)}")
        raise UserError(f"{source}: a table ends in {', '.join(_FORMATS)}, each also with {', '.join(_COMPRESSIONS)}")
    try:
        with _opened(path, compression) as handle:
            if not handle.read(1):
                raise UserError(f"{source}: the file is empty")
            handle.seek(0)
            return _READERS[kind](source, handle)
    except FileNotFoundError:
        raise UserError(f"{source}: there is no such file{_hint(path)}") from None
    except PermissionError:
        raise UserError(f"{source}: no permission to read this file") from None
    except _UNREADABLE as error:
        raise UserError(f"{source}: cannot be read{_as(compression)}: {_line(error)}") from None


def nearest(name: str, known: list[str]) -> str:
    """A clause for error messages: the nearest known name, or the first few of them."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    lowered = {other.casefold(): other for other in known}
    if name.casefold() in lowered:
        close = [lowered[name.casefold()]]
    if close:
        return f"did you mean {close[0]!r}?"
    return "there are " + ", ".join(repr(other) for other in known[:8]) + (", ..." if len(known) > 8 else "")


def _hint(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (and no folder {str(path.parent)!r})"
    close = difflib.get_close_matches(path.name, [other.name for other in path.parent.iterdir()], n=1, cutoff=0.7)
    return f"; did you mean {close[0]!r}?" if close else ""


def _as(compression: str) -> str:
    return f" as {compression}" if compression else ""


def _line(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)  # an OSError would say the whole path again
    return " ".join(text.split())[:200] or type(error).__name__


def _bundled(source: str) -> pd.DataFrame:
    name = source.removeprefix(_PREFIX)
    if name not in BUNDLED:
        raise UserError(
            f"{source}: no bundled set of that name, {nearest(name, list(BUNDLED))} (all: {', '.join(BUNDLED)})"
        )
    if name == "digits":
        return load_digits()
    from sklearn import datasets

    frame: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return frame


def _opened(path: Path, compression: str) -> IO[bytes]:
    if compression == ".zip":
        with zipfile.ZipFile(path) as archive:
            inside = [
                item for item in archive.infolist() if not item.is_dir() and not item.filename.startswith("__MACOSX")
            ]
            if len(inside) != 1:
                raise UserError(f"{path.name}: the archive holds {len(inside)} files, a table is one file alone")
            return io.BytesIO(archive.read(inside[0]))
    openers: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    if compression:
        return cast(IO[bytes], openers[compression](path))
    return path.open("rb")


def _read_csv(source: str, handle: IO[bytes]) -> pd.DataFrame:
    head = handle.read(_HEAD)
    handle.seek(0)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    _refuse_other_formats(source, head, encoding)
    text = head.decode(encoding, errors="replace")
    if not text.strip():
        raise UserError(f"{source}: the file is empty")
    delimiter, header, records = _sniff(text, whole=len(head) < _HEAD)
    _check_header(source, header)
    comma = delimiter == ";" and re.search(r"\d,\d", text) and not re.search(r"\d\.\d", text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                handle,
                sep=delimiter,
                encoding=encoding,
                decimal="," if comma else ".",
                na_values=["?"],
                skipinitialspace=True,
                index_col=False,
                low_memory=False,
            )
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UserError(f"{source}: byte 0x{byte:02x} is not UTF-8; save the table as UTF-8") from None
    except pd.errors.EmptyDataError:
        raise UserError(f"{source}: holds no columns") from None
    except pd.errors.ParserWarning:
        longest = max((len(record) for record in records), default=0)
        raise UserError(
            f"{source}: is no table: rows have {longest} fields where the first line names {len(header)}"
        ) from None
    except (pd.errors.ParserError, ValueError) as error:
        reason = _line(error).removeprefix("Error tokenizing data. C error: ")
        raise UserError(f"{source}: is no table: {reason}") from None


def _refuse_other_formats(source: str, head: bytes, encoding: str) -> None:
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise UserError(f"{source}: is no text table but {what}")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<svg")):
        raise UserError(f"{source}: is no text table but a web page or XML")
    if encoding != "utf-16" and b"\0" in head:
        raise UserError(f"{source}: is no text table but binary data")


def _sniff(text: str, whole: bool) -> tuple[str, list[str], list[list[str]]]:
    """The delimiter that cuts the first lines most evenly, the names it gives, and the records after them."""
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
    return delimiter, [name.strip() for name in records[0]] if records else [], records[1:]


def _check_header(source: str, names: list[str]) -> None:
    if names and all(re.fullmatch(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?", name) for name in names) and "." in "".join(names):
        raise UserError(f"{source}: the first line holds numbers; it must name the columns")
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise UserError(f"{source}: the column name {twice[0]!r} occurs {names.count(twice[0])} times")


def _read_parquet(source: str, handle: IO[bytes]) -> pd.DataFrame:
    import pyarrow

    try:
        frame: pd.DataFrame = pd.read_parquet(io.BytesIO(handle.read()))
    except (pyarrow.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        raise UserError(f"{source}: is no Parquet table: {_line(error)}") from None
    return frame.reset_index() if any(name is not None for name in frame.index.names) else frame


def _read_npz(source: str, handle: IO[bytes]) -> pd.DataFrame:
    try:
        archive = np.load(io.BytesIO(handle.read()), allow_pickle=False)
        held = dict(archive) if isinstance(archive, np.lib.npyio.NpzFile) else {}
    except (ValueError, TypeError, KeyError, EOFError, SyntaxError, zipfile.BadZipFile) as error:
        raise UserError(f"{source}: is no .npz of plain arrays: {_line(error)}") from None
    arrays = {name: array for name, array in held.items() if isinstance(array, np.ndarray)}
    X = arrays.get("X")
    if X is None:
        holds = ", ".join(held) or "no named arrays"
        raise UserError(f"{source}: needs an array X (rows, columns), and y (rows,); it holds {holds[:100]}")
    if X.ndim != 2:
        raise UserError(f"{source}: X must have two axes (rows, columns), its shape is {X.shape}")
    frame = pd.DataFrame({f"x{column}": X[:, column] for column in range(X.shape[1])}, index=range(len(X)))
    if "y" in arrays:
        y = arrays["y"]
        if y.size != len(X) or y.ndim not in (1, 2):
            raise UserError(f"{source}: y must have shape ({len(X)},) like the rows of X, its shape is {y.shape}")
        frame["target"] = y.ravel()
    return frame


_READERS: dict[str, Callable[[str, IO[bytes]], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".npz": _read_npz,
}


def _checked(source: str, frame: pd.DataFrame) -> pd.DataFrame:
    names = [str(name).strip() for name in frame.columns]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{source}: the column name {twice[0]!r} occurs {names.count(twice[0])} times")
    if not names:
        raise UserError(f"{source}: the table has no columns")
    if frame.empty:
        raise UserError(f"{source}: the table has column names and no rows")
    frame.columns = pd.Index(names)
    return frame.reset_index(drop=True)
