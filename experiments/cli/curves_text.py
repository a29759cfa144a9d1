"""What `mlptune curves` prints: the plot, and below it which curve is which."""

import sys

from rich.console import Console
from rich.text import Text

from ..._text import escape_control_characters
from ..curves import Curves
from ..short import number_text, params_text
from ..sparkline import BLOCKS, levels_for
from .leaders import cut
from .text_plot import legend_marks, plot

HEIGHT, WIDTH = 20, 120
"""Characters of a plot at most: more of them show no more."""


def print_curves(curves: Curves) -> None:
    """Print the plot on standard output: in colour in a terminal, with letters where there is none."""
    console = Console(file=sys.stdout, highlight=False)
    shown = console.width if console.is_terminal else None
    ascii_only = levels_for(console.encoding) is not BLOCKS
    braille = console.color_system is not None and not ascii_only
    legend = _legend(curves, shown, braille=braille, ascii_only=ascii_only)
    height = min(HEIGHT, console.height - len(legend) - 3) if shown else HEIGHT
    lines = plot(curves, min(console.width - 1, WIDTH), height, braille=braille, ascii_only=ascii_only)
    for line in (Text(escape_control_characters(f"{curves.name}: {curves.metric} by epoch")), *lines, *legend):
        line.rstrip()
        console.print(line, soft_wrap=True)


def _legend(curves: Curves, width: int | None, *, braille: bool, ascii_only: bool) -> list[Text]:
    rows = [
        (
            f"trial {curve.number}",
            number_text(curve.value),
            curve.role or ("" if curve.state == "complete" else curve.state),
        )
        for curve in curves.curves
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    marks = legend_marks(curves.curves, braille=braille, ascii_only=ascii_only)
    lines = []
    for mark, row, curve in zip(marks, rows, curves.curves, strict=True):
        number, value, role = (cell.ljust(wide) for cell, wide in zip(row, widths, strict=True))
        rest = f" {number}  {curves.objective} {value}  {role}{'  ' if widths[2] else ''}"
        text = escape_control_characters(rest + params_text(curve.params))
        lines.append(mark + (text if width is None else cut(text, width - 1, "~" if ascii_only else "…")))
    return lines
