"""Dates as features: elapsed time, the year, and cycles without a seam."""

import json

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.data.calendar import Calendar
from mlptune.experiments.data.reading import Reading

DAYS = pd.Series(pd.date_range("2021-01-01", "2023-12-31", freq="7h").astype(str))


def encoded(feature: Calendar, cells: pd.Series) -> pd.DataFrame:
    out = np.zeros((len(cells), len(feature.names)), dtype=np.float32)
    feature.write(cells, out)
    return pd.DataFrame(out, columns=feature.names)


def test_a_date_has_the_parts_that_differ_in_training():
    feature = Calendar.fit("day", DAYS, None, Reading(order="ymd"))
    assert feature.names == [
        *("day", "day=<year>", "day=<sin month>", "day=<cos month>"),
        *("day=<sin weekday>", "day=<cos weekday>", "day=<sin hour>", "day=<cos hour>"),
    ]
    found = encoded(feature, DAYS)
    assert abs(found["day"].mean()) < 1e-5
    assert found["day"].is_monotonic_increasing
    assert found["day=<year>"].nunique() == 3
    stamps = pd.to_datetime(DAYS)
    angle = np.arctan2(found["day=<sin weekday>"], found["day=<cos weekday>"]) % (2 * np.pi)
    np.testing.assert_array_equal((angle * 7 / (2 * np.pi)).round() % 7, stamps.dt.day_of_week)
    angle = np.arctan2(found["day=<sin month>"], found["day=<cos month>"]) % (2 * np.pi)
    np.testing.assert_array_equal((angle * 12 / (2 * np.pi)).round() % 12 + 1, stamps.dt.month)
    mondays = Calendar.fit("day", pd.Series(["2024-01-01", "2024-01-08", None]), None, Reading(order="ymd"))
    assert mondays.names == ["day", "day=<missing>"]
    times = Calendar.fit("time", pd.Series(["13:08", "9:15"]), None, Reading(order="clock"))
    assert times.names == ["time", "time=<sin hour>", "time=<cos hour>"]
    assert Calendar.fit("took", pd.Series(["13:08", "125:30"]), None, Reading(order="clock")).names == ["took"]


def test_missing_dates_are_the_median_and_no_place_on_a_circle():
    feature = Calendar.fit(
        "day", pd.Series(["2024-01-01", "2024-02-06", "2025-03-03", None]), None, Reading(order="ymd")
    )
    found = encoded(feature, pd.Series(["2024-02-06", None, "soon"]))
    assert found["day=<missing>"].tolist() == [0, 1, 1]
    assert found["day"].nunique() == 1
    assert found[["day=<sin month>", "day=<cos month>"]].iloc[1:].to_numpy().tolist() == [[0, 0]] * 2
    unread = feature.unread(pd.Series(["2024-02-06", None, "soon"]))
    assert unread.cells.tolist() == [False, False, True]


def test_it_goes_through_json_and_folds_have_one_width():
    feature = Calendar.fit("day", DAYS, None, Reading(order="ymd"))
    again = Calendar.from_json(json.loads(json.dumps(feature.to_json(), allow_nan=False)))
    assert again == feature
    fold = Calendar.fit("day", DAYS[:3], feature, Reading(order="ymd"))
    assert fold.names == feature.names


@pytest.mark.parametrize(
    "change",
    [{"cycles": ["moon"]}, {"scale": 0.0}, {"year": 3}, {"reading": None}, {"year": {"mean": 1.0, "scale": -1.0}}],
)
def test_nonsense_is_refused(change):
    feature = Calendar.fit("day", DAYS, None, Reading(order="ymd"))
    with pytest.raises(ValueError, match="encoder: "):
        Calendar.from_json(feature.to_json() | change)
