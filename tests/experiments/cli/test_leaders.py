"""The table of the best trials, whatever the width and however many hyperparameters."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mlptune.experiments.cli.leaders import GAP, column_widths, cut, leaders_table
from mlptune.tracking.records import TrialRecord


def drawn(leaders: list[TrialRecord], width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(leaders_table(leaders, width))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_each_hyperparameter_has_a_column_and_one_that_a_trial_lacks_is_empty() -> None:
    leaders = [
        TrialRecord(7, "complete", 0.9, params={"layers": 1, "units_1": 64}, epochs=9),
        TrialRecord(3, "complete", 0.8, params={"layers": 2, "units_1": 32, "units_2": 16}, epochs=20),
    ]
    assert drawn(leaders, 80) == [
        "   best  trial  epochs  layers  units_1  units_2",
        "0.90000      7       9       1       64",
        "0.80000      3      20       2       32       16",
    ]


@pytest.mark.parametrize(
    ("width", "heading"),
    [
        (60, "   best  trial  epochs  learning_rate  class_weight_of_it"),
        (50, "   best  trial  learning_rate  class_weight_of_it"),
        (46, "   best  trial  learning_rate  class_weight_o…"),
        (32, "   best  trial  learni…  class_…"),
        (31, "   best  trial  learning_r…  +1"),
        (14, "   best  +3"),
        (5, " best"),
    ],
)
def test_headings_are_cut_before_columns_are_left_out(width: int, heading: str) -> None:
    leader = TrialRecord(7, "complete", 0.9, params={"learning_rate": 0.001, "class_weight_of_it": 1.5}, epochs=9)
    assert drawn([leader], width)[0] == heading


def test_of_a_trial_that_has_copied_others_the_last_values_are_shown() -> None:
    configuration = {"learning_rate": 0.1, "hidden": [8], "changes": [[4, {"learning_rate": 0.05}]]}
    leader = TrialRecord(
        1, "complete", 0.9, params={"learning_rate": 0.3}, epochs=9, configuration=configuration, copied=((3, 0),)
    )
    assert drawn([leader], 80)[1].split() == ["0.90000", "1", "9", "0.05"]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), min_size=1, max_size=20),
    st.integers(1, 200),
)
def test_what_is_shown_fits(sizes: list[tuple[int, int]], width: int) -> None:
    widths, left_out = column_widths({str(place): size for place, size in enumerate(sizes)}, width)
    assert list(widths) == [str(place) for place in range(len(widths))]
    assert sum(widths.values()) + GAP * (len(widths) - 1) <= width
    assert left_out in (0, len(sizes) - len(widths))
    assert len(cut("x" * 30, widths["0"])) <= widths["0"]
