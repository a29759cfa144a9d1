"""Cells are read by their value: the same number, category or date whatever the dtype of its column."""

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.data.values import (
    category,
    category_codes,
    factorize,
    mean_and_scale,
    number,
    numbers,
)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (" 1.50 ", 1.5),
        ("+3e2", 300.0),
        ("True", 1.0),
        (np.bool_(False), 0.0),
        (Decimal("2.5"), 2.5),
        ("inf", math.inf),
        ("1,5", 1.5),
        ("1.5.1", None),
        ("x", None),
        ("0x1f", None),
        ("?", math.nan),
        ("N/A", math.nan),
        (None, math.nan),
        (pd.NaT, math.nan),
        (Decimal("sNaN"), math.nan),
        (10**400, math.inf),
    ],
)
def test_a_cell_is_a_number_missing_or_neither(cell, expected):
    found = number(cell)
    assert found == expected or (expected is not None and math.isnan(expected) and math.isnan(found))


@pytest.mark.parametrize("cells", [[1, 1.0, "1", "1.0", Decimal(1)], [True, "true", "TRUE "], ["01", "01 "]])
def test_equal_values_are_one_category(cells):
    assert len({category(cell) for cell in cells}) == 1


def test_codes_with_a_leading_zero_are_not_numbers():
    assert category("01") == "01"
    assert category("1") == "1"


def test_factorizing_keeps_types_apart_and_category_codes_join_them():
    column = pd.Series([1, True, "1", None, 1.0, [2], [2]], dtype=object)
    codes, cells = factorize(column)
    assert codes.tolist() == [0, 1, 2, -1, 3, 4, 4]
    assert len(cells) == 5
    codes, names = category_codes(column)
    assert names == ["1", "True", "[2]"]
    assert codes.tolist() == [0, 1, 0, -1, 0, 2, 2]


@pytest.mark.parametrize("dtype", ["object", "float64", "Float64", "str"])
def test_numbers_do_not_depend_on_the_dtype(dtype):
    read = numbers(pd.Series([1.0, 2.5, None], dtype=dtype))
    np.testing.assert_array_equal(read.values, [1.0, 2.5, np.nan])
    assert not read.non_numeric.any()
    assert not read.infinite.any()


def test_other_cells_and_infinite_ones_are_marked():
    read = numbers(pd.Series(["1", "x", "inf", None], dtype=object))
    assert read.non_numeric.tolist() == [False, True, False, False]
    assert read.infinite.tolist() == [False, False, True, False]
    np.testing.assert_array_equal(read.values, [1.0, np.nan, np.nan, np.nan])


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_mean_and_scale_are_numpys_up_to_constants(values):
    array = np.array(values)
    mean, scale = mean_and_scale(array)
    assert scale > 0
    np.testing.assert_allclose(mean, array.mean(), atol=1e-9 * max(1.0, np.abs(array).max()))
    if array.std() > 1e-6 * np.abs(array).max():
        np.testing.assert_allclose(scale, array.std(), rtol=1e-6)


def test_constants_are_only_centred():
    assert mean_and_scale(np.full(5, 3.0)) == (3.0, 1.0)


def test_time_spans_as_pandas_writes_them_are_seconds():
    spans = pd.to_timedelta(["5h 3min", "-90s", "3 days 04:00:00.25", "0s"]).to_series()
    np.testing.assert_array_equal(numbers(spans.astype(str)).values, numbers(spans).values)
    assert number("3 days") is None
