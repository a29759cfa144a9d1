"""Dates and times of day in the forms that tables hold."""

import datetime

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.data.dates import recognised, seconds


def stamps(cells: list, order: str) -> list[str | None]:
    found = seconds(pd.Series(cells, dtype=object), order)
    return [None if np.isnan(value) else str(pd.Timestamp(value, unit="s")) for value in found]


@pytest.mark.parametrize(
    ("order", "cell", "expected"),
    [
        ("ymd", "2024-03-01", "2024-03-01 00:00:00"),
        ("ymd", "2024/3/1 10:30", "2024-03-01 10:30:00"),
        ("ymd", "2024-03-01T10:00:00.5Z", "2024-03-01 10:00:00.500000"),
        ("ymd", "2024-03-01T10:00:00+02:00", "2024-03-01 08:00:00"),
        ("ymd", "2024-07", "2024-07-01 00:00:00"),
        ("ymd", "31-Jul-18", "2018-07-31 00:00:00"),
        ("ymd", "Sep-63", "1963-09-01 00:00:00"),
        ("ymd", "July 31, 2018", "2018-07-31 00:00:00"),
        ("ymd", "5. März 2020", "2020-03-05 00:00:00"),
        ("ymd", datetime.date(2024, 3, 1), "2024-03-01 00:00:00"),
        ("dmy", pd.Timestamp("2024-03-01 12:00"), "2024-03-01 12:00:00"),
        ("mdy", pd.Period("2024-03"), "2024-03-01 00:00:00"),
        ("dmy", "01.03.2024 13:08", "2024-03-01 13:08:00"),
        ("dmy", "13/3/24", "2024-03-13 00:00:00"),
        ("mdy", "3/13/24 1:08 pm", "2024-03-13 13:08:00"),
        ("clock", "13:08", "1970-01-01 13:08:00"),
        ("clock", datetime.time(1, 2, 3), "1970-01-01 01:02:03"),
        ("digits", "20240301", "2024-03-01 00:00:00"),
        ("digits", 20240301.0, "2024-03-01 00:00:00"),
        ("digits", 70101, "2007-01-01 00:00:00"),
        ("mdy", "13/3/24", None),
        ("dmy", "30.02.2024", None),
        ("ymd", "marble 1999", None),
        ("ymd", 20240301, None),
        ("clock", "125:30", "1970-01-06 05:30:00"),
        ("clock", "1:02:33.5", "1970-01-01 01:02:33.500000"),
        ("clock", "25:61", None),
        ("ymd", "2024-03-01 25:00", None),
        ("ymd", None, None),
    ],
)
def test_a_cell_is_a_date_or_not(order, cell, expected):
    assert stamps([cell], order) == [expected]


@pytest.mark.parametrize(
    ("name", "cells", "order"),
    [
        ("x", ["2024-03-01", datetime.date(2024, 1, 1)], "ymd"),
        ("x", ["01.03.24", "02.04.24"], "dmy"),
        ("x", ["01.03.2024", "02.04.2024"], "ymd"),
        ("x", ["01/03/2024", "02/04/2024"], "mdy"),
        ("x", ["01/03/2024", "13/04/2024"], "dmy"),
        ("x", ["13:08", "9:15"], "clock"),
        ("x", ["2024-03-01", "x"], ""),
        ("x", [f"2024-03-{day:02d}" for day in range(1, 31)] + ["?!"], "ymd"),
        ("sale_date", [20140502, 20141231], "digits"),
        ("sale_date", [20140502, 20141332], ""),
        ("price", [20140502, 20141231], ""),
        ("x", [], ""),
        ("x", ["12", "may", "x"], ""),
    ],
)
def test_columns_of_dates_are_recognised(name, cells, order):
    assert recognised(name, cells, np.ones(len(cells), dtype=np.int64)) == order
