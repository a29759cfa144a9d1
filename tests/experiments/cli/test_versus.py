"""The text of a comparison: a column for each launch, and the difference in words."""

from mlptune.experiments.cli.versus import comparison_text


def launch(number: int, values: list[float | None]) -> dict[str, object]:
    return {
        "name": "cars",
        "launch": number,
        "state": "finished",
        "metric": "val_score",
        "trials": len(values),
        "best_value": values[-1],
        "best_so_far": values,
        "expected": {"score": 0.5, "low": 0.25, "high": 0.75} if number == 1 else None,
        "test_score": None,
    }


def test_one_column_a_launch_and_the_difference_in_words() -> None:
    document = {
        "launches": [launch(1, [None, 0.25, 0.5, 0.75]), launch(2, [0.5])],
        "settings": [
            {"key": "space.l2", "values": [{"low": 0.1, "high": 1.0}, None]},
            {"key": "a\x1b", "values": ["x" * 99, 1]},
        ],
        "same_question": False,
        "differences": [{"better": 0, "other": 1, "by": 0.25, "of": "best", "beyond_noise": None}],
    }
    assert comparison_text(document).splitlines() == [
        "             cars#1                          cars#2",
        "state        finished                        finished",
        "space.l2     { low = 0.1, high = 1.0 }       -",
        f"a\\x1b        {'x' * 27}...  1",
        "metric       val_score                       val_score",
        "first trial  -                               0.50000",
        "best of 4    0.75000                         -",
        "best         0.75000                         0.50000",
        "expected     0.5 (0.25 to 0.75)              -",
        "test         -                               -",
        "their data, the split or the metric differ, so not all scores can be compared",
        "cars#1 is better than cars#2 by 0.25000 (best value)",
    ]
