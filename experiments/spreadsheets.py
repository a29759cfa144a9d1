"""Excel's workbooks (.xlsx), one sheet of them, read by openpyxl: cells as they were stored, the values of formulas included."""

import io
import itertools
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .._text import counted, hint
from .delimited import check_distinct, names_columns
from .errors import UserError, reason

if TYPE_CHECKING:
    import pandas as pd

Row = tuple[Any, ...]
MOST_ROWS = 2**20
"""Rows that a sheet can have, the names of columns among them."""
_SAMPLE = 100


def read(
    shown: str,
    file: IO[bytes],
    sheet: str,
    header: bool | None,
    known: Collection[str],
    say: Callable[[str], None],
) -> "pd.DataFrame":
    """The rows of a sheet, of the first one for "".

    The first row that is not blank names the columns, or they are called x0, x1, ...: `header` says it, or it is recognised as in a
    text table, also by names that are `known`. Lines of one cell above the names (a title) are left out, and `say` is given a line
    on that; blank rows are none, nor are columns without a name and a value. Raises UserError, which begins with `shown`, for what
    is not such a workbook.
    """
    import pandas as pd

    with _sheet(shown, file, sheet, say) as rows:
        skipped, names, cells = _table(shown, rows, header, known, say)
        body = [row for row in cells if not _blank(row)]
        if skipped:
            say(
                f"{shown}: {counted(skipped, 'line')} above the names of the columns {'is' if skipped == 1 else 'are'} left out"
            )
        width = max(len(names), *(map(len, body)), 0)
        columns = [*names, *[""] * (width - len(names))]
        used = [i for i in range(width) if columns[i] or any(len(row) > i and row[i] is not None for row in body)]
        data = [[row[i] if i < len(row) else None for i in used] for row in body]
        frame = pd.DataFrame(data, columns=pd.RangeIndex(len(used)))
        return frame.set_axis([columns[i] or f"Unnamed: {i}" for i in used], axis=1)


def column_names(
    shown: str, file: IO[bytes], sheet: str, header: bool | None, known: Collection[str]
) -> list[str] | None:
    """The columns' names without the rows; None where some have no name."""
    with _sheet(shown, file, sheet, lambda line: None) as rows:
        _, names, _ = _table(shown, rows, header, known, lambda line: None)
    return names if names and all(names) else None


def write(frame: "pd.DataFrame", path: Path) -> None:
    """A workbook of one sheet. Raises UserError for more rows than a sheet has, or a text that it cannot hold."""
    import pandas as pd
    from openpyxl.utils.exceptions import IllegalCharacterError

    if len(frame) >= MOST_ROWS:
        raise UserError(
            f"an .xlsx sheet ends after {MOST_ROWS - 1} rows, there are {len(frame)}; write .parquet or .csv"
        )
    try:
        with path.open("wb") as file, pd.ExcelWriter(file, engine="openpyxl") as writer:
            frame.to_excel(writer, index=False)
            for cell in itertools.chain.from_iterable(writer.sheets["Sheet1"].iter_rows()):
                if cell.data_type == "f":  # a label that begins with =
                    cell.data_type = "s"
    except IllegalCharacterError as error:
        raise UserError(f"an .xlsx file cannot hold this text: {reason(error)}; write .parquet or .csv") from None


@contextmanager
def _sheet(shown: str, file: IO[bytes], sheet: str, say: Callable[[str], None]) -> Iterator[Iterator[Row]]:
    """The rows of a sheet from its first one."""
    from xml.etree.ElementTree import ParseError

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(io.BytesIO(file.read()), read_only=True, data_only=True)
        sheets = {one.title: one for one in book.worksheets}
        if not sheets:
            raise UserError(f"{shown}: the workbook has no sheet with cells")
        if sheet and sheet not in sheets:
            raise UserError(f"{shown}: the workbook has no sheet {sheet!r}{hint(sheet, sheets, 8)}")
        name = sheet or next(iter(sheets))
        if not sheet and len(sheets) > 1:
            say(
                f"{shown}: the first of {len(sheets)} sheets, {name!r}; ?sheet=NAME after the file's name reads another"
            )
        sheets[name].reset_dimensions()  # which some programs write wrongly; rows beyond them would be lost
        yield sheets[name].iter_rows(values_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ParseError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{shown}: is not an .xlsx workbook: {reason(error)}") from None


def _table(
    shown: str, rows: Iterator[Row], header: bool | None, known: Collection[str], say: Callable[[str], None]
) -> tuple[int, list[str], Iterator[Row]]:
    """How many lines stand above the table, the names of its columns ("" where there is none) and its rows."""
    sample = [row for row in itertools.islice(rows, _SAMPLE) if not _blank(row)]
    if not sample:
        raise UserError(f"{shown}: the sheet is empty")
    everything = itertools.chain(sample, rows)
    first, others = _texts(sample[0]), [_texts(row) for row in sample[1:]]
    named = names_columns(first, others, known, header)
    if not named:
        width = max(map(len, sample))
        names = [f"x{place}" for place in range(width)]
        say(
            f"{shown}: the first row holds values, so the columns are called {names[0]} to {names[-1]}; "
            "data.header = true takes it as their names"
        )
        return 0, names, everything
    skipped = _titles(sample)
    names = _texts(sample[skipped])
    while names and not names[-1]:
        names.pop()
    check_distinct(shown, [name for name in names if name])
    return skipped, names, itertools.islice(everything, skipped + 1, None)


def _titles(rows: Sequence[Row]) -> int:
    """How many of the first rows are titles: one cell, where the table has more columns."""
    filled = [sum(cell is not None for cell in row) for row in rows]
    if max(filled) < 2:
        return 0
    return next(place for place, count in enumerate(filled) if count > 1)


def _texts(row: Row) -> list[str]:
    return ["" if cell is None else str(cell).strip() for cell in row]


def _blank(row: Row) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)
