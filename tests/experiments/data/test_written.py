"""What is written for a column is what its reading reads: the way there and back."""

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.data.calendar import Calendar
from mlptune.experiments.data.features import Numeric
from mlptune.experiments.data.reading import Reading
from mlptune.experiments.data.written import written

DAYS = ["2021-03-04", "2022-11-30", "2020-02-29", "1999-12-31"]


@pytest.mark.parametrize("deviations", [-1.5, 0.0, 0.7])
@pytest.mark.parametrize("decimal", [".", ","])
def test_numbers(decimal: str, deviations: float) -> None:
    reading = Reading(decimal)
    feature = Numeric.fit("x", "numeric", pd.Series([1.5, -20.25, 300.0]), None, reading)
    [value] = reading.apply(pd.Series([written(feature.to_json(), deviations)])).values
    assert value == pytest.approx(feature.mean + deviations * feature.scale, rel=1e-12)


@pytest.mark.parametrize("deviations", [-1.5, 0.0, 0.7])
@pytest.mark.parametrize("order", ["ymd", "dmy", "mdy", "digits"])
def test_dates(order: str, deviations: float) -> None:
    reading = Reading(order=order)
    feature = Calendar.fit("x", pd.Series(pd.to_datetime(DAYS)), None, Reading(order="ymd"))
    stored = {**feature.to_json(), "reading": reading.to_json()}
    [seconds] = reading.apply(pd.Series([written(stored, deviations)])).values
    expected = 86400 * (feature.elapsed[0] + deviations * feature.elapsed[1])
    assert 0 <= expected - seconds < 86400 or np.isclose(expected, seconds)


def test_times_of_day() -> None:
    reading = Reading(order="clock")
    feature = Calendar.fit("x", pd.Series(["06:00", "18:00"]), None, reading)
    assert written(feature.to_json(), 0.0) == "12:00"
