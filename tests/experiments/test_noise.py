"""The difference of two launches: only of the same question, in the right direction, and against its noise."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mlptune.experiments.noise import Difference, difference
from mlptune.tracking import schema
from mlptune.tracking.records import LaunchRecord, TrialRecord


def launch(
    score: float | None, half: float = 0.1, direction: str = "maximize", value: float | None = None
) -> LaunchRecord:
    expected = None if score is None else {"score": score, "low": score - half, "high": score + half}
    best = TrialRecord(0, "complete", value)
    tags = {schema.DATA: "abc", schema.METRIC: "val_score", schema.DIRECTION: direction}
    began = datetime(2026, 1, 1, tzinfo=UTC)
    return LaunchRecord("id", "cars", 1, "finished", "random", began, None, 1, {}, best, None, [], expected, None, tags)


def test_a_difference_is_beyond_noise_where_it_exceeds_that_of_independent_errors() -> None:
    assert difference(launch(0.9), launch(0.76)) == Difference(pytest.approx(0.14), "expected", False)  # < sqrt(2) / 10
    assert difference(launch(0.9), launch(0.75)) == Difference(pytest.approx(0.15), "expected", True)
    assert difference(launch(0.75), launch(0.9)) == Difference(pytest.approx(-0.15), "expected", True)


def test_only_the_sides_of_the_intervals_count_that_point_to_the_other_score() -> None:
    wide_above = replace(launch(0.9), expected={"score": 0.9, "low": 0.89, "high": 1.0})
    wide_below = replace(launch(0.87), expected={"score": 0.87, "low": 0.5, "high": 0.88})
    found = difference(wide_above, wide_below)
    assert found is not None
    assert found.beyond_noise


def test_less_is_better_where_it_is_minimised() -> None:
    found = difference(launch(0.1, 0.01, "minimize"), launch(0.5, 0.01, "minimize"))
    assert found == Difference(pytest.approx(0.4), "expected", True)


def test_without_intervals_values_are_compared_and_other_questions_are_not() -> None:
    assert difference(launch(None, value=0.5), launch(0.9, value=0.25)) == Difference(0.25, "best", None)
    assert difference(launch(None), launch(0.9)) is None
    other = launch(0.9)
    assert difference(launch(0.9), replace(other, tags={**other.tags, schema.DATA: "another"})) is None
