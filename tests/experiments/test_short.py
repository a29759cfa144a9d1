"""Values as short texts."""

from datetime import datetime
from typing import Any

import pytest

from mlptune.experiments.short import clock_text, number_text, params_text, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00012345, "0.0001234"),
        (3, "3"),
        (True, "true"),
        ([64, [1.5]], "[64,[1.5]]"),
        ("relu", "relu"),
        (1e-7, "1e-07"),
    ],
)
def test_values_are_short(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_parameters_and_scores_are_short() -> None:
    assert params_text({"hidden": [64], "l2": 0.000012345}) == "hidden=[64]  l2=1.234e-05"
    assert [number_text(value) for value in (None, 0.5, 123456.0)] == ["-", "0.50000", "1.2346e+05"]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 4, 23, 59), "23:59"),
        (datetime(2026, 3, 5, 0, 1), "Thu 00:01"),
        (datetime(2026, 3, 11, 7, 5), "11 Mar 07:05"),
    ],
)
def test_a_time_of_day_names_a_day_that_is_not_today(moment: datetime, text: str) -> None:
    assert clock_text(moment, datetime(2026, 3, 4, 22)) == text
