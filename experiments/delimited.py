"""Text tables cut into cells: the delimiter, whether the first line names the columns, and every cell as the text that it is.

What the cells mean is decided later, column by column (`data/reading.py`). Rows that do not have a field for each column are
refused with their line numbers: what is shifted is not read. Bytes that are not UTF-8 are taken as Windows-1252, each by
itself, so that a row reads the same in any file.
"""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from .errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
_UNDECODED = re.compile("[\udc80-\udcff]")
_DELIMITERS = (",", ";", "\t", "|")
# The last alternative, a line that the text cuts off, keeps the search linear where that line is long.
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SEPARATOR = re.compile(r"(?i:sep)=.")  # spreadsheets are told the delimiter so
_END = "\0end\0"  # a last line of our own: inside a cell it shows a quote that is never closed
_LINE = 1 << 24  # bytes that a line may have to be read at once with the others
_CHUNK = 50_000  # records that are cells of Python's at a time


def sniff(text: str, whole: bool) -> tuple[str, list[str], list[list[str]]]:
    """The delimiter that cuts the first lines most evenly, the first record, and the records after it.

    `whole` says that `text` is all of the table; else its last record may be cut off and is dropped.
    """
    best: tuple[tuple[float, int], str, list[list[str]]] = ((0.0, 0), ",", [])
    for delimiter in _DELIMITERS:
        try:
            records = [
                row
                for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
                if row
            ]
        except csv.Error:
            continue
        if not whole and len(records) > 1:
            records.pop()
        if not records:
            continue
        width = len(records[0])
        sample = records[1:101]
        even = sum(len(row) == width for row in sample) / len(sample) if sample else 1.0
        rank = (even if width > 1 else 0.0, width)
        if not best[2] or rank > best[0]:
            best = (rank, delimiter, records)
    _, delimiter, records = best
    first = [decoded(cell.strip()) for cell in records[0]] if records else []
    if not whole and len(records) == 1:
        first.pop()
    return delimiter, first, records[1:]


def above(text: str) -> str:
    """What stands above the table in its beginning: blank lines, `sep=;`, comments (#), and titles above a line of names.

    A comment has another number of fields than the lines below it, a title has one where the names have more.
    """
    lines = [line for line in _LINES.findall(text) if line.endswith(("\r", "\n"))]
    start = next((place for place in range(len(lines)) if not _is_remark(lines, place)), 0)
    ends = (_end_of_titles(lines, start, mark) for mark in _DELIMITERS)
    return "".join(lines[: next((end for end in ends if end > start), start)])


def _end_of_titles(lines: Sequence[str], start: int, mark: str) -> int:
    """The place below the titles from `start` on in a table of this delimiter; `start` where there are none."""
    first = next((place for place in range(start, len(lines)) if not _is_title(lines[place], mark)), len(lines))
    table = [line for line in lines[first:] if line.strip()][:2]
    if len(table) < 2 or not _names_alone(table[0], table[1], mark):
        return start
    return first if all(_stands_apart(title, table, mark) for title in lines[start:first]) else start


def says_something(line: str) -> bool:
    """Say whether a line above a table is worth telling: it is neither blank nor `sep=;`."""
    return bool(line.strip()) and _SEPARATOR.fullmatch(line.strip()) is None


def _is_remark(lines: Sequence[str], place: int) -> bool:
    line = lines[place].strip()
    if not line.startswith("#") or line.count('"') % 2:
        return not says_something(line)
    below = [other for other in lines[place + 1 : place + 100] if other.strip() and not other.lstrip().startswith("#")]
    marks = _marks_of(below[:2])
    return bool(marks) and all(_width(line, mark) != _width(below[0], mark) for mark in marks)


def _is_title(line: str, mark: str) -> bool:
    """Say whether a line has one field at most, beside empty ones such as spreadsheets write to the table's width."""
    return not line.strip() or (line.count('"') % 2 == 0 and _width(line.strip().rstrip(mark), mark) <= 1)


def _names_alone(names: str, below: str, mark: str) -> bool:
    """Say whether a line has names without a number, of as many columns as the line below it."""
    cells = next(csv.reader([names.strip()], delimiter=mark, skipinitialspace=True))
    alike = _width(names, mark) == _width(below, mark) > 1
    return alike and not any(_NUMBER.fullmatch(cell.strip()) for cell in cells)


def _stands_apart(title: str, table: Sequence[str], mark: str) -> bool:
    """Say whether no other delimiter cuts a title like the table below it, nor into as many fields as the table has."""
    others = [other for other in _marks_of([title]) if other != mark]
    return all(
        _width(title, other) < _width(table[0], mark) and len({_width(line, other) for line in (title, *table)}) > 1
        for other in others
    )


def _marks_of(lines: Sequence[str]) -> list[str]:
    """The delimiters that cut each of the lines."""
    return [mark for mark in _DELIMITERS if lines and all(_width(line, mark) > 1 for line in lines)]


def _width(line: str, delimiter: str) -> int:
    return len(next(csv.reader([line.strip("\r\n")], delimiter=delimiter, skipinitialspace=True), []))


def names_columns(
    first: Sequence[str], records: Sequence[Sequence[str]], known: Collection[str] = (), header: bool | None = None
) -> bool:
    """Say whether the first record names the columns: if it holds `known` names, or else `header` says so, or by what it holds.

    It does not where all its cells are numbers, unless they count the columns or are years in order. Nor where each column of
    numbers has a number there too, and one of them has decimals, or a text occurs again: in the record, or below in its column.
    """
    if known and set(known) <= set(first):
        return True
    if header is not None:
        return header
    there = [cell for cell in first if cell]
    if not there:
        return True
    if all(_NUMBER.fullmatch(cell) for cell in there):
        return _counts(there) and (len(there) > 1 or not records)
    sample = [record for record in records[:100] if len(record) == len(first)]
    columns = [[cell.strip() for cell in column] for column in zip(*sample, strict=True)]
    numbers = [place for place, column in enumerate(columns) if all(_NUMBER.fullmatch(cell) for cell in column)]
    if not numbers or len(sample) < 2 or not all(_NUMBER.fullmatch(first[place]) for place in numbers):
        return True
    if _counts([first[place] for place in numbers]):
        return True
    repeated = any(cell in columns[place] for place, cell in enumerate(first) if place not in numbers and cell)
    decimals = any("." in first[place] or "," in first[place] for place in numbers)
    return not (decimals or repeated or len(set(there)) < len(there))


def _counts(cells: Sequence[str]) -> bool:
    """Say whether numbers can be names: 0, 1, 2, ... or any others in steps of 1, or rising years."""
    if not all(cell.isdigit() and len(cell) < 10 for cell in cells):
        return False
    values = [int(cell) for cell in cells]
    steps = {later - earlier for earlier, later in itertools.pairwise(values)}
    return steps <= {1} or (min(steps) > 0 and all(1500 <= value <= 2200 for value in values))


def read(
    shown: str,
    file: IO[bytes],
    encoding: str,
    delimiter: str,
    names: Sequence[str] | None,
    say: Callable[[str], None],
    skipped: int = 0,
) -> "pd.DataFrame":
    """All cells of an open table as texts, empty ones as missing; columns without `names` are x0, x1, ...

    `shown` is the table's name in messages; `say` is given a line for what had to be guessed. `skipped` lines of the file were
    above what `file` gives. Raises UserError for what is not a table.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = _at_once(file, encoding, delimiter, names)
    if table is None:
        table, strange = _record_by_record(shown, file, encoding, delimiter, names, skipped)
        if strange:
            say(f"{shown}: is not all UTF-8; what is not was read as Windows-1252")
    nothing = pa.scalar(None, pa.string())
    columns = [pc.if_else(pc.equal(column, ""), nothing, column) for column in table.columns]
    width = len(columns)
    called = (
        [name or f"Unnamed: {place}" for place, name in enumerate(names)] if names else [f"x{i}" for i in range(width)]
    )
    if names is None and columns:
        say(
            f"{shown}: the first line holds values, so the columns are called {called[0]} to {called[-1]}; "
            "data.header = true takes it as their names"
        )
    if names and not names[-1] and columns and columns[-1].null_count == table.num_rows:
        called.pop()  # every line ends in the delimiter
        columns.pop()
    frame: pd.DataFrame = pa.table(columns, names=called).to_pandas()
    return frame


def _at_once(file: IO[bytes], encoding: str, delimiter: str, names: Sequence[str] | None) -> "pa.Table | None":
    """The cells of a plain table, which has no quotes and a field for each column; None for any other, read by record then."""
    import pyarrow as pa
    import pyarrow.compute
    import pyarrow.csv

    data = file.read()
    file.seek(0)
    first = data[:_LINE].removeprefix(b"\xef\xbb\xbf").splitlines()[:1]
    if "8" not in encoding or b'"' in data or b"\0" in data or not first or not first[0].strip():
        return None
    width = len(names) if names is not None else first[0].count(delimiter.encode()) + 1
    if width < 2:
        return None  # where blank lines and missing cells are hard to tell apart
    called = [str(place) for place in range(width)]
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(data),
            pyarrow.csv.ReadOptions(column_names=called, skip_rows=0 if names is None else 1, block_size=_LINE),
            pyarrow.csv.ParseOptions(delimiter=delimiter, quote_char=False),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(called, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
    return pa.table([pyarrow.compute.utf8_ltrim(column, " ") for column in table.columns], names=called)


def _record_by_record(
    shown: str, file: IO[bytes], encoding: str, delimiter: str, names: Sequence[str] | None, skipped: int = 0
) -> "tuple[pa.Table, bool]":
    """The cells of any table, and whether some were not UTF-8."""
    import pyarrow as pa

    text = io.TextIOWrapper(
        file, encoding=encoding, errors="surrogateescape" if "8" in encoding else "strict", newline=""
    )
    records = _records(shown, text, delimiter, skipped)
    columns: list[list[pa.Array]] = []
    width = len(names or ())
    wrong: list[tuple[int, int]] = []
    strange = False
    try:
        if names is not None:
            next(records, None)
        while chunk := list(itertools.islice(records, _CHUNK)):
            width = width or len(chunk[0][1])
            rows = [_fitted(record, width, names) for _, record in chunk]
            wrong += [(line, len(row)) for (line, _), row in zip(chunk, rows, strict=True) if len(row) != width][:3]
            if wrong:
                break
            for place, cells in enumerate(zip(*rows, strict=True)):
                try:
                    array = pa.array(cells, pa.string())
                except UnicodeEncodeError:
                    strange = True
                    array = pa.array(list(map(decoded, cells)), pa.string())
                if len(columns) <= place:
                    columns.append([])
                columns[place].append(array)
    except UnicodeDecodeError:
        raise UserError(f"{shown}: is not {encoding.upper()} text, as its first bytes say") from None
    finally:
        text.detach()
    if wrong:
        lines = ", ".join(f"line {line} has {fields}" for line, fields in wrong[:3])
        whose = f"the first line names {width}" if names is not None else f"the first row has {width}"
        raise UserError(f"{shown}: is not a table: {whose} fields, {lines}")
    arrays = [pa.chunked_array(chunks, pa.string()) for chunks in columns or [[] for _ in range(width)]]
    return pa.table(arrays, names=[str(place) for place in range(len(arrays))]), strange


def _records(shown: str, text: io.TextIOWrapper, delimiter: str, skipped: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank, with the number of the line where it begins; `skipped` lines were above."""
    reader = csv.reader(itertools.chain(text, [_END]), delimiter=delimiter, skipinitialspace=True)
    line, record = 1 + skipped, [""]
    try:
        for record in reader:
            if record and record[-1].endswith(_END):
                break
            if len(record) > 1 or (record and record[0].strip()):
                yield line, record
            line = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise UserError(f"{shown}: is not a table: line {line}: {error}") from None
    if record != [_END]:
        raise UserError(f"{shown}: is not a table: a quote that is opened in line {line} is not closed")


def _fitted(record: list[str], width: int, names: Sequence[str] | None) -> list[str]:
    """The record without an empty field after its last delimiter, or with one where only the line of names has that."""
    if len(record) == width + 1 and not record[-1].strip():
        return record[:-1]
    if len(record) == width - 1 and names and not names[-1]:
        return [*record, ""]
    return record


def decoded(cell: str) -> str:
    """A cell whose bytes were not UTF-8, as Windows-1252."""
    return _UNDECODED.sub(lambda found: _windows(ord(found[0]) - 0xDC00), cell)


def _windows(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:  # five bytes that it leaves open
        return bytes([byte]).decode("latin-1")


def check_distinct(shown: str, names: list[str], remark: str = "") -> None:
    """Raise UserError, which ends in the `remark`, where two columns of a table have one name."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise UserError(f"{shown}: the column name {repeated[0]!r} occurs {names.count(repeated[0])} times{remark}")
