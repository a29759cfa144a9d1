"""Curves as characters: dots in colour where the terminal has both, else a letter for each trial.

A plotting library for the terminal is not worth a dependency: axes and ticks are those of the report's charts, the rest is a grid.
"""

import math
from collections.abc import Iterable, Sequence

from rich.text import Text

from ..curves import Curve, Curves
from ..report.charts import Axis

COLOURS = ("green", "cyan", "yellow", "magenta", "blue", "red", "white")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Which bit of a braille character is the dot in a row and a column of its cell."""
LOG_RATIO = 30.0
"""Losses that differ by more than this factor are drawn on a log scale."""
LEAST_WIDTH, LEAST_HEIGHT = 20, 4


class Grid:
    """Cells of characters; with `braille` each has two by four dots. What is drawn last is on top."""

    def __init__(self, width: int, height: int, *, braille: bool) -> None:
        self.width, self.height = width, height
        self._fine = (2, 4) if braille else (1, 1)
        self._cells: dict[tuple[int, int], tuple[int, int]] = {}

    def draw(self, points: Iterable[tuple[float, float]], curve: int) -> None:
        """A line through points in the unit square, y upwards; one that is not finite breaks it."""
        wide, high = self.width * self._fine[0] - 1, self.height * self._fine[1] - 1
        before: tuple[float, float] | None = None
        for x, y in points:
            if not math.isfinite(y):
                before = None
                continue
            place = x * wide, (1.0 - y) * high
            first = before or place
            steps = max(1, math.ceil(max(abs(place[0] - first[0]), abs(place[1] - first[1]))))
            for step in range(steps + 1):
                share = step / steps
                self._dot(
                    round(first[0] + share * (place[0] - first[0])),
                    round(first[1] + share * (place[1] - first[1])),
                    curve,
                )
            before = place

    def _dot(self, x: int, y: int, curve: int) -> None:
        column, row = x // self._fine[0], y // self._fine[1]
        bits = self._cells.get((column, row), (0, curve))[0] | DOTS[y % self._fine[1]][x % self._fine[0]]
        self._cells[column, row] = bits, curve

    def row(self, row: int, marks: Sequence[tuple[str, str]]) -> Text:
        """A row of cells, given each curve's character ("" for its dots) and colour."""
        text = Text()
        for column in range(self.width):
            bits, curve = self._cells.get((column, row), (0, -1))
            character, colour = marks[curve] if bits else (" ", "")
            text.append(character or chr(BRAILLE + bits), colour)
        return text


def marks_of(count: int, *, braille: bool) -> list[tuple[str, str]]:
    """A character and a colour for each curve."""
    return [("" if braille else LETTERS[i % len(LETTERS)], COLOURS[i % len(COLOURS)]) for i in range(count)]


def plot(curves: Curves, width: int, height: int, *, braille: bool, ascii_only: bool = False) -> list[Text]:
    """The lines of a plot with its axes, `width` by `height` characters at least 20 by 4; the first curve is on top."""
    x_axis, y_axis = axes(curves)
    corner, vertical, horizontal, tick = "+|-+" if ascii_only else "└│─┤"
    rows = max(height - 2, LEAST_HEIGHT)
    y_ticks = _by_row(y_axis, rows)
    left = max(map(len, y_ticks.values()), default=0)
    grid = Grid(max(width - left - 2, LEAST_WIDTH), rows, braille=braille)
    marks = marks_of(len(curves.curves), braille=braille)
    for i, curve in reversed(list(enumerate(curves.curves))):
        grid.draw(((x_axis.place(epoch), _place(y_axis, value)) for epoch, value in enumerate(curve.values, 1)), i)
    lines = []
    for row in range(rows):
        label = y_ticks.get(row, "")
        line = Text(f"{label:>{left}} {tick if label else vertical}", "dim")
        line.append_text(grid.row(row, marks))
        lines.append(line)
    below = f"{'':>{left}} {corner}{horizontal * grid.width}"
    return [*lines, Text(below, "dim"), Text(" " * (left + 2) + _x_labels(x_axis, grid.width), "dim")]


def axes(curves: Curves) -> tuple[Axis, Axis]:
    """The axes of epochs and of values."""
    values = [value for curve in curves.curves for value in curve.values if math.isfinite(value)]
    longest = max(len(curve.values) for curve in curves.curves)
    is_log = "loss" in curves.metric and bool(values) and min(values) > 0 and max(values) > LOG_RATIO * min(values)
    return Axis(1.0, max(longest, 2.0), "epoch"), Axis.of(values, curves.metric, log=is_log)


def _place(axis: Axis, value: float) -> float:
    return axis.place(value) if math.isfinite(value) else math.nan


def _by_row(axis: Axis, rows: int) -> dict[int, str]:
    """The texts of the ticks by the row that each stands in."""
    ticks = axis.ticks(max(rows // 3, 1))
    return {round((1.0 - axis.place(value)) * (rows - 1)): text for value, text in ticks}


def _x_labels(axis: Axis, width: int) -> str:
    """The epochs below the axis, as many as have room; the axis' name at its end."""
    last = f"{axis.high:g} {axis.title}"
    line = "1"
    for value, text in axis.ticks(max(width // 12, 1)):
        place = round(axis.place(value) * (width - 1))
        if place > len(line) + 1 and place + len(text) < width - len(last) - 1:
            line = line.ljust(place) + text
    return line.ljust(width - len(last)) + last


def legend_marks(curves: Sequence[Curve], *, braille: bool, ascii_only: bool = False) -> list[Text]:
    """What each curve is drawn with: a line of its colour, or its letter."""
    line = "-" if ascii_only else "━"
    return [Text.assemble((character or line, colour)) for character, colour in marks_of(len(curves), braille=braille)]
