"""The table of `mlptune columns`: a row for each column, its words wrapped so that it fits the terminal."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..._text import counted, escape_control_characters
from .wrapped import text_width, wrapped_table

if TYPE_CHECKING:
    from ..columns import Description
    from ..data.understanding import Column

LONGEST_NAME = 20
LEGEND = "In brackets: the key of a sweep file that says it instead (or --set)."


def columns_text(description: "Description", source: str, width: int | None = None) -> str:
    """Return what was understood of a table, at most `width` characters wide (the terminal's)."""
    width = text_width() if width is None else width
    columns = description.columns
    used = sum(column.used for column in columns if column.kind != "target")
    inputs = sum(column.inputs for column in columns)
    head = (
        f"{source}: {counted(description.n_rows, 'row')}, {counted(len(columns), 'column')}; "
        f"{used} used, as {counted(inputs, 'input')}"
    )
    lines = textwrap.wrap(escape_control_characters(head), width)
    table = table_lines(columns, width)
    legend = [LEGEND] if any("(data." in f"{column.reason} {column.remarks}" for column in columns) else []
    return "\n".join([*lines, *table, *legend])


def table_lines(columns: "Sequence[Column]", width: int) -> list[str]:
    """Return the table, its head first, each line at most `width` characters."""
    headers = ["name", "kind", "missing", "levels", "what becomes of it"]
    rows = [[_short(c.name), c.kind, str(c.missing), str(c.levels), _words(c)] for c in columns]
    return wrapped_table(headers, rows, width, right=["missing", "levels"])


def _words(column: "Column") -> str:
    use = column.becomes if column.used else f"left out: {column.reason}"
    return "; ".join([use, *column.remarks])


def _short(name: str) -> str:
    text = escape_control_characters(name)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."
