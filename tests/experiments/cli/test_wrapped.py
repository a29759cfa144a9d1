"""A table whose last column wraps loses no word and no alignment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.cli.wrapped import hanging, text_width, wrapped_table

CELL = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
TEXT = st.lists(CELL, max_size=30).map(" ".join)


@given(st.lists(st.tuples(CELL, CELL, TEXT), min_size=1, max_size=5), st.integers(60, 120))
def test_lines_fit_and_every_word_is_there(rows: list[tuple[str, str, str]], width: int) -> None:
    lines = wrapped_table(["a", "b", "c"], rows, width, right=["b"])
    assert all(len(line) <= width for line in lines)
    assert " ".join(lines).split() == [
        word for row in [("a", "b", "c"), *rows] for cell in row for word in cell.split()
    ]


def test_what_wraps_stands_below_its_column() -> None:
    assert hanging("ab  ", "one two three four five six", 24) == ["ab  one two three four", "    five six"]
    assert hanging("ab  ", "", 24) == ["ab"]


@pytest.mark.parametrize(("columns", "width"), [("10", 60), ("90", 90), ("500", 120)])
def test_the_terminal_has_its_limits(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert text_width() == width
