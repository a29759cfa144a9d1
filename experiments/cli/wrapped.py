"""Text that fits the terminal: tables whose last column wraps, for what is read in sentences."""

import shutil
import textwrap
from collections.abc import Sequence

from ..._text import escape_control_characters

NARROWEST, WIDEST = 60, 120  # characters; in a pipe it is 80
_LEAST = 20  # of the last column


def text_width() -> int:
    """How wide a text should be, in characters."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, NARROWEST), WIDEST)


def wrapped_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], width: int, right: Sequence[str] = ()
) -> list[str]:
    """Return the lines of a table of aligned columns, whose last one wraps at `width`; `right` names right-aligned columns."""
    cells = [[escape_control_characters(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(headers) - 1)]
    lines = []
    for *first, last in cells:
        padded = [
            cell.rjust(wide) if header in right else cell.ljust(wide)
            for cell, wide, header in zip(first, widths, headers, strict=False)
        ]
        start = "".join(f"{cell}  " for cell in padded)
        lines += hanging(start, last, width)
    return lines


def hanging(start: str, text: str, width: int) -> list[str]:
    """Return `start` and the text beside it, in lines of at most `width` characters."""
    wrapped = textwrap.wrap(text, max(width - len(start), _LEAST)) or [""]
    return [(start + wrapped[0]).rstrip(), *(" " * len(start) + line for line in wrapped[1:])]
