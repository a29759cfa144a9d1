"""The table of `mlptune columns`: a row for each column, its words wrapped so that it fits the terminal."""

import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..._text import counted, escape_control_characters

if TYPE_CHECKING:
    from ..columns import Description
    from ..data.understanding import Column

LONGEST_NAME = 20
LEGEND = "In brackets: the key of a sweep file that says it instead (or --set)."
NARROWEST, WIDEST = 60, 120  # characters; in a pipe it is 80


def columns_text(description: "Description", source: str, width: int | None = None) -> str:
    """Return what was understood of a table, at most `width` characters wide (the terminal's)."""
    width = min(max(shutil.get_terminal_size((80, 24)).columns if width is None else width, NARROWEST), WIDEST)
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
    names = [_short(column.name) for column in columns]
    cells = [("name", "kind", "missing", "levels")]
    cells += [(name, c.kind, str(c.missing), str(c.levels)) for name, c in zip(names, columns, strict=True)]
    widths = [max(len(row[place]) for row in cells) for place in range(4)]
    texts = ["what becomes of it", *map(_words, columns)]
    lines = []
    for (name, kind, missing, levels), text in zip(cells, texts, strict=True):
        start = (
            f"{name.ljust(widths[0])}  {kind.ljust(widths[1])}  {missing.rjust(widths[2])}  {levels.rjust(widths[3])}  "
        )
        wrapped = textwrap.wrap(escape_control_characters(text), max(width - len(start), 20)) or [""]
        lines += [(start + wrapped[0]).rstrip(), *(" " * len(start) + line for line in wrapped[1:])]
    return lines


def _words(column: "Column") -> str:
    use = column.becomes if column.used else f"left out: {column.reason}"
    return "; ".join([use, *column.remarks])


def _short(name: str) -> str:
    text = escape_control_characters(name)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."
