"""A curve in one line of characters."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.sparkline import ASCII, BLOCKS, levels_for, sparkline


def test_the_lowest_and_the_highest_value_have_the_ends_of_the_scale() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20) == BLOCKS
    assert sparkline([7, 0], 20, ASCII) == "#_"
    assert sparkline([3, 3, 3], 20) in ("▄▄▄", "▅▅▅")
    assert sparkline([0, 0, 0, 1, 1, 1], 2) == "▁█"
    assert sparkline([0.0, math.nan, 1.0, math.inf], 9) == "▁ █ "
    assert sparkline([math.nan], 9) == sparkline([], 9) == sparkline([1.0], 0) == ""


@given(st.lists(st.floats()), st.integers(-3, 40))
def test_it_fits_whatever_the_values(values: list[float], width: int) -> None:
    shown = sparkline(values, width)
    assert len(shown) <= max(width, 0)
    assert set(shown) <= {*BLOCKS, " "}


@pytest.mark.parametrize(
    ("encoding", "levels"), [("utf-8", BLOCKS), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII), ("none", ASCII)]
)
def test_a_stream_gets_what_it_can_show(encoding: str | None, levels: str) -> None:
    assert levels_for(encoding) == levels
