"""Values, times and names as short texts that cannot harm a terminal."""

from typing import Any

import pytest

from mlptune._text import escape_control_characters
from mlptune.experiments.cli.text import time_text, value_text


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


def test_times_and_hostile_texts() -> None:
    assert [time_text(seconds) for seconds in (-1, 0.4, 59.6, 3600, 86400)] == [
        "0:00",
        "0:00",
        "1:00",
        "1:00:00",
        "24:00:00",
    ]
    assert escape_control_characters("a\u202eb\ud800\nc é") == "a\\u202eb\\ud800\\nc é"
