"""Times and names as short texts that cannot harm a terminal."""

from mlptune._text import escape_control_characters
from mlptune.experiments.short import time_text


def test_times_and_hostile_texts() -> None:
    assert [time_text(seconds) for seconds in (-1, 0.4, 59.6, 3600, 86400)] == [
        "0:00",
        "0:00",
        "1:00",
        "1:00:00",
        "24:00:00",
    ]
    assert escape_control_characters("a\u202eb\ud800\nc é") == "a\\u202eb\\ud800\\nc é"
