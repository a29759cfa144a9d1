"""Charts as static SVG: they need no library in the page, can be read on paper, and grow with the screen.

What belongs to a trial carries `data-trial`, by which the page's script joins the charts. All texts are escaped.
"""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Point = tuple[float, float]

WIDTH, HEIGHT = 480, 280
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 14, 40


@dataclass(frozen=True)
class Axis:
    """One axis: from where to where, whether on a log scale, and what is written on it.

    `labels` are the names of places 0, 1, ... of an axis of choices; `whole` is for what is counted, as epochs are.
    """

    low: float
    high: float
    title: str = ""
    log: bool = False
    labels: Sequence[str] = ()
    whole: bool = False

    @classmethod
    def of(cls, values: Iterable[float], title: str = "", *, log: bool = False) -> "Axis":
        """An axis that holds the finite ones of these values, with a little room."""
        finite = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
        if not finite:
            return cls(0.0, 1.0, title)
        low, high = min(finite), max(finite)
        if log:
            room = (high / low) ** 0.03 if high > low else 2.0
            return cls(low / room, high * room, title, log=True)
        room = 0.04 * (high - low) or max(abs(high) * 0.05, 1e-9)
        return cls(low - room, high + room, title)

    def place(self, value: float) -> float:
        """From 0 to 1 along the axis; values beyond an end stand at it."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log(max(value, low)), math.log(low), math.log(high)
        return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5

    def ticks(self, about: int = 5) -> list[tuple[float, str]]:
        """Round values with their texts."""
        if self.labels:
            return [(float(i), label) for i, label in enumerate(self.labels)]
        if self.log:
            return self._log_ticks(about)
        step = _round_step(max((self.high - self.low) / max(about, 1), 1.0 if self.whole else 0.0))
        first = math.ceil(self.low / step - 1e-9)
        count = int((self.high - first * step) / step + 1e-9) + 1
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        values = [(first + i) * step for i in range(count)]
        return [(v, _tick_text(v, digits)) for v in values]

    def _log_ticks(self, about: int) -> list[tuple[float, str]]:
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        for parts in ((1, 2, 5), (1, 3)):
            values = [part * 10.0**e for e in range(first - 1, last + 1) for part in parts]
            within = [v for v in values if self.low * (1 - 1e-9) <= v <= self.high * (1 + 1e-9)]
            if 3 <= len(within) <= about + 2:
                return [(v, f"{v:g}") for v in within]
        decades = range(first, last + 1)
        if len(decades) >= 2:
            every = math.ceil(len(decades) / (about + 1))
            return [(10.0**e, f"{10.0**e:g}") for e in decades if (e - first) % every == 0]
        low, high = math.log(self.low), math.log(self.high)
        values = [math.exp(low + (high - low) * i / 3) for i in range(4)]
        rounded = [float(f"{v:.2g}") for v in values]
        return [(v, f"{v:g}") for v in rounded]


def _round_step(raw: float) -> float:
    """1, 2 or 5 times a power of ten, at least `raw`."""
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    return next((m * power for m in (1.0, 2.0, 5.0) if m * power >= raw * 0.999), 10.0 * power)


def _tick_text(value: float, digits: int) -> str:
    if abs(value) >= 1e5 or (digits > 4 and value):
        return f"{value:.3g}"
    return f"{value:,.{digits}f}"


@dataclass(frozen=True)
class Mark:
    """Something drawn: a line through its points, or with `dot` a dot at each.

    Attributes:
        points: Where, in the axes' units.
        css: Classes of the page's style.
        trial: The trial that it belongs to.
        shade: From 0 (worst) to 1 (best), for the colour; None: the class's own.
        title: What is shown when the pointer is over it.
    """

    points: Sequence[Point]
    css: str = "line"
    trial: int | None = None
    shade: float | None = None
    title: str = ""
    dot: bool = False


@dataclass(frozen=True)
class Chart:
    """Marks between two axes, over a field where there is one.

    Attributes:
        x: The horizontal axis.
        y: The vertical one.
        marks: What is drawn, the last on top.
        title: What it shows, for those who cannot see it.
        legend: What classes of the page's style stand for.
        height: In the units of the drawing.
        field: Shades from 0 to 1 of equal cells that fill the space between the axes, row by row from the top; None: empty.
    """

    x: Axis
    y: Axis
    marks: Sequence[Mark]
    title: str
    legend: Mapping[str, str] = field(default_factory=dict)
    height: int = HEIGHT
    field: Sequence[Sequence[float | None]] = ()

    def svg(self) -> str:
        """The chart as an <svg> element that takes its parent's width."""
        body = [*self._cells(), *self._grid(), *(self._mark(mark) for mark in self.marks), *self._legend()]
        return _svg(self.title, WIDTH, self.height, body)

    @cached_property
    def _left(self) -> float:
        """Room for the texts at the axis and for its title beside them."""
        return max(LEFT, 26 + 6.6 * max((len(text) for _, text in self.y.ticks()), default=0))

    @property
    def _top(self) -> int:
        return TOP + 16 if self.legend else TOP

    def _x(self, value: float) -> float:
        return self._left + self.x.place(value) * (WIDTH - self._left - RIGHT)

    def _y(self, value: float) -> float:
        return self._top + (1 - self.y.place(value)) * (self.height - self._top - BOTTOM)

    def _cells(self) -> Iterable[str]:
        left, top, rows = self._left, self._top, self.field
        down = (self.height - BOTTOM - top) / max(len(rows), 1)
        for i, row in enumerate(rows):
            along = (WIDTH - RIGHT - left) / len(row)
            for j, shade in enumerate(row):
                if shade is not None:
                    at, size = (left + j * along, top + i * down), (along + 0.3, down + 0.3)  # no seam between cells
                    place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}"'
                    yield f'<rect class="field" style="--s:{shade:.2f}" {place}/>'

    def _grid(self) -> Iterable[str]:
        bottom, right = self.height - BOTTOM, WIDTH - RIGHT
        for value, text in self.x.ticks():
            x = self._x(value)
            yield f'<path class="grid" d="M{x:.1f} {self._top}V{bottom}"/>'
            yield _text(min(x, WIDTH - 3.3 * len(text)), bottom + 15, text, "tick", "middle")
        for value, text in self.y.ticks():
            y = self._y(value)
            yield f'<path class="grid" d="M{self._left:.1f} {y:.1f}H{right}"/>'
            yield _text(self._left - 6, y + 4, text, "tick", "end")
        yield _text((self._left + right) / 2, self.height - 6, self.x.title, "axis", "middle")
        middle = (self._top + bottom) / 2
        title = html.escape(self.y.title)
        yield f'<text class="axis" text-anchor="middle" transform="translate(13 {middle:.1f}) rotate(-90)">{title}</text>'

    def _mark(self, mark: Mark) -> str:
        places = [(self._x(x), self._y(y)) for x, y in mark.points if math.isfinite(x) and math.isfinite(y)]
        if not places:
            return ""
        about = _attributes(mark)
        if mark.dot:
            return "".join(
                f'<circle{about} cx="{x:.1f}" cy="{y:.1f}" r="4">{_title(mark.title)}</circle>' for x, y in places
            )
        return f'<path{about} d="{_path(places)}">{_title(mark.title)}</path>'

    def _legend(self) -> Iterable[str]:
        x = self._left
        for css, name in self.legend.items():
            yield f'<path class="{css}" d="M{x:.0f} 8h18"/>'
            yield _text(x + 23, 12, name, "tick", "start")
            x += 36 + 6.2 * len(name)


def bars(rows: Sequence[tuple[str, float]], title: str, texts: Sequence[str] = ()) -> str:
    """Horizontal bars, one a row, negative ones to the left; `texts` are written behind them."""
    line, left = 22, 150
    height = line * len(rows) + 8
    low, high = min(0.0, *(v for _, v in rows)), max(0.0, *(v for _, v in rows)) or 1.0
    scale = (WIDTH - left - 70) / (high - low)
    zero = left - low * scale
    body = []
    for i, (name, value) in enumerate(rows):
        y, width = 4 + i * line, abs(value) * scale
        x = zero if value >= 0 else zero - width
        shown = texts[i] if texts else f"{value:.3g}"
        body.append(_text(left - 8, y + 15, _cut(name, 22), "tick", "end", name))
        body.append(f'<rect class="bar" x="{x:.1f}" y="{y + 3}" width="{max(width, 0.5):.1f}" height="{line - 7}"/>')
        body.append(_text(max(x + width, zero) + 6, y + 15, shown, "tick", "start"))
    return _svg(title, WIDTH, height, body)


def matrix(counts: Sequence[Sequence[int]], labels: Sequence[str], title: str) -> str:
    """A confusion matrix: rows are the true classes, columns the predicted ones, shaded by the share of the row."""
    n = len(counts)
    cell = max(14.0, min(56.0, (WIDTH - 110) / n))
    left, top = 100, 30
    body = [
        _text(left + n * cell / 2, 12, "predicted", "axis", "middle"),
        _text(left - 6, top - 5, "true", "axis", "end"),
    ]
    for i, row in enumerate(counts):
        total = sum(row) or 1
        y = top + i * cell
        body.append(_text(left - 6, y + cell / 2 + 4, _cut(labels[i], 14), "tick", "end", labels[i]))
        if n <= 12:
            body.append(
                _text(left + (i + 0.5) * cell, top - 5, _cut(labels[i], int(cell / 6)), "tick", "middle", labels[i])
            )
        for j, count in enumerate(row):
            x, share = left + j * cell, count / total
            css = "cell right" if i == j else "cell"
            body.append(
                f'<rect class="{css}" style="--s:{share:.3f}" x="{x:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" '
                f'height="{cell - 1:.1f}">{_title(f"{labels[i]} predicted as {labels[j]}: {count} ({share:.0%})")}</rect>'
            )
            if cell >= 26:
                body.append(_text(x + cell / 2, y + cell / 2 + 4, str(count), "tick", "middle"))
    return _svg(title, WIDTH, int(top + n * cell + 8), body)


def parallel(axes: Sequence[tuple[str, Axis]], lines: Sequence[Mark], title: str) -> str:
    """Parallel coordinates: a vertical axis for each name, and a line through (place of the axis, value) for each mark."""
    width, height, top, bottom = max(WIDTH * 2, 110 * len(axes)), 320, 34, 16
    step = (width - 140) / max(len(axes) - 1, 1)

    def at(i: float, value: float) -> Point:
        axis = axes[int(i)][1]
        return 70 + i * step, top + (1 - axis.place(value)) * (height - top - bottom)

    body = []
    for mark in lines:
        places = [at(i, value) for i, value in mark.points]
        if places:
            body.append(f'<path{_attributes(mark)} d="{_path(places)}">{_title(mark.title)}</path>')
    for i, (name, axis) in enumerate(axes):
        x = 70 + i * step
        body.append(f'<path class="rule" d="M{x:.1f} {top}V{height - bottom}"/>')
        body.append(_text(x, 16, _cut(name, int(step / 6.5)), "axis", "middle", name))
        for value, text in axis.ticks():
            body.append(_text(x - 5, at(i, value)[1] + 4, _cut(text, 12), "tick halo", "end", text))
    return _svg(title, width, height, body)


def _svg(title: str, width: float, height: float, body: Iterable[str]) -> str:
    name = html.escape(title, quote=True)
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{name}">{"".join(body)}</svg>'


def _path(places: Sequence[Point]) -> str:
    if len(places) == 1:
        (x, y) = places[0]
        return f"M{x:.1f} {y:.1f}h.1"
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _attributes(mark: Mark) -> str:
    trial = "" if mark.trial is None else f' data-trial="{mark.trial}"'
    shade = "" if mark.shade is None else f' style="--s:{mark.shade:.2f}"'
    return f' class="{mark.css}"{trial}{shade}'


def _text(x: float, y: float, text: Any, css: str, anchor: str, title: str = "") -> str:
    inner = html.escape(str(text)) + (_title(title) if title and title != text else "")
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{inner}</text>'


def _title(text: str) -> str:
    return f"<title>{html.escape(text)}</title>" if text else ""


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= max(limit, 3) else text[: max(limit, 3) - 1] + "…"
