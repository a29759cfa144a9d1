"""Values as short texts."""

from typing import Any

import pytest

from mlptune.experiments.short import number_text, params_text, value_text


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
