"""A plot of characters stands where its numbers say."""

import math

from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.cli.text_plot import LEAST_WIDTH, Grid, axes, marks_of, plot
from mlptune.experiments.curves import Curve, Curves


def of(*values: list[float], metric: str = "val_score") -> Curves:
    return Curves(
        "a", metric, metric, [Curve(i, "", "complete", v[-1] if v else None, {}, v) for i, v in enumerate(values)]
    )


def rows(grid: Grid, letters: bool) -> list[str]:
    marks = marks_of(2, braille=not letters)
    return [grid.row(row, marks).plain for row in range(grid.height)]


def test_a_diagonal_in_letters_and_in_dots() -> None:
    letters, dots = Grid(3, 3, braille=False), Grid(1, 1, braille=True)
    for grid in (letters, dots):
        grid.draw([(0.0, 0.0), (1.0, 1.0)], 0)
    assert rows(letters, letters=True) == ["  a", " a ", "a  "]
    [cell] = rows(dots, letters=False)
    assert bin(ord(cell) - 0x2800).count("1") == 4  # one dot in each of its four rows


def test_a_gap_breaks_the_line_and_the_last_curve_is_on_top() -> None:
    grid = Grid(5, 1, braille=False)
    grid.draw([(0.0, 0.0), (0.25, math.nan), (0.5, 0.0), (1.0, 0.0)], 0)
    assert rows(grid, letters=True) == ["a aaa"]
    grid.draw([(1.0, 0.0)], 1)
    assert rows(grid, letters=True) == ["a aab"]


def test_a_rising_curve_goes_from_the_lower_left_to_the_upper_right() -> None:
    lines = [line.plain for line in plot(of([0.0, 0.5, 1.0]), 40, 12, braille=False, ascii_only=True)]
    inside = [line.partition("|")[2] or line.partition("+")[2] for line in lines[:-2]]
    marked = [row for row in inside if "a" in row]
    assert marked[0].rstrip().endswith("a")
    assert marked[-1].startswith("a")
    columns = [row.index("a") for row in marked]
    assert columns == sorted(columns, reverse=True)
    assert lines[-1].split() == ["1", "2", "3", "epoch"] or lines[-1].split() == ["1", "3", "epoch"]
    assert all(line.isascii() for line in lines)


def test_losses_over_orders_of_magnitude_are_on_a_log_scale() -> None:
    assert axes(of([100.0, 0.1], metric="val_loss"))[1].log
    assert not axes(of([100.0, 0.1], metric="val_score"))[1].log
    assert not axes(of([0.2, 0.1], metric="val_loss"))[1].log


@given(
    st.lists(st.lists(st.floats(width=32), min_size=1, max_size=30), min_size=1, max_size=4),
    st.integers(1, 150),
    st.integers(1, 40),
    st.booleans(),
)
def test_every_curve_fits(values: list[list[float]], width: int, height: int, braille: bool) -> None:
    lines = plot(of(*values, metric="val_loss"), width, height, braille=braille)
    left = max(line.plain.find("│") for line in lines[:-2]) if any("│" in line.plain for line in lines[:-2]) else 12
    assert len(lines) == max(height, 6)
    assert max(len(line.plain) for line in lines) <= max(width, LEAST_WIDTH + max(left, 0) + 14)
