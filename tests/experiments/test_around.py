"""`--around best`: half of each range around the best value, and a launch that is begun there."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlptune
from mlptune.experiments.around import near
from mlptune.experiments.errors import UserError
from mlptune.search.spaces.dimensions import Range
from tests.support.sweeps import iris


@given(st.floats(1e-6, 1.0), st.floats(1.1, 1e4), st.floats(0, 1), st.booleans())
def test_half_of_a_range_holds_the_value_and_is_inside(low: float, factor: float, u: float, log: bool) -> None:
    high = low * factor
    value = low * factor**u if log else low + u * (high - low)
    value = min(max(value, low), high)
    first, last = near(Range(low, high, log), value)
    assert low <= first < last <= high
    slack = 0.01 * (high - low)
    assert first - slack <= value <= last + slack
    part = math.log(last / first) / math.log(high / low) if log else (last - first) / (high - low)
    if factor > 1.5:
        assert part == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("dimension", "value", "bounds"),
    [
        (Range(1e-4, 1.0, log=True), 1e-2, (1e-3, 0.1)),
        (Range(1e-4, 1.0, log=True), 1.0, (1e-2, 1.0)),
        (Range(0.0, 0.5), 0.0, (0.0, 0.25)),
        (Range(16, 144, step=16), 64, (32, 96)),
        (Range(1, 10), 10, (5, 10)),
        (Range(0.0, 0.9, step=0.3), 0.3, (0.0, 0.6)),
        (Range(3, 3), 3, (3, 3)),
    ],
)
def test_what_half_of_a_range_is(dimension: Range, value: float, bounds: Any) -> None:
    assert near(dimension, value) == bounds


def test_a_new_launch_begins_around_the_best(store: str) -> None:
    with pytest.raises(UserError, match=r"^--around: "):
        mlptune.run_sweep(iris(), around="best")
    prior = {"low": 1e-4, "high": 1e-1, "log": True, "points": 3, "prior": 1e-4}
    first = mlptune.run_sweep(iris(search__trials=4, space__learning_rate=prior), workers=1)
    best = first.best["params"]
    again = mlptune.run_sweep(iris(search__trials=4, space__learning_rate=prior), workers=1, around="best")
    assert again.run_id != first.run_id
    rates = [trial["params"]["learning_rate"] for trial in again.summary()["trials"]]
    low, high = near(Range(1e-4, 1e-1, log=True), best["learning_rate"])
    assert all(low <= rate <= high for rate in rates)
    for arguments, rule in (
        ({"around": "worst"}, "must be best"),
        ({"around": "best", "resume": True}, "begins a new"),
    ):
        with pytest.raises(UserError, match=rule):
            mlptune.run_sweep(iris(), **arguments)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"no \[space\] with ranges"):
        mlptune.run_sweep(iris(space={"hidden": [[4], [8]]}), around="best")
