"""The rule of a hyperparameter: what it accepts, what it makes of it, and what it says of the rest."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.core.rules import Parameter, parameter, rows


@dataclass
class Table:
    size: int = parameter(3, "int", low=1, high=8)
    rate: float | None = parameter(None, "float", low=0.0, above=True, optional=True)
    shape: str = parameter("auto", "choice", table={"round": 1, "square": 2}, also=("auto",), by_layer=True)
    widths: tuple[int, ...] = parameter((4,), "sizes")
    flag: bool = parameter(False, "bool")


ROWS = rows(Table)
NUMBERS = st.sampled_from([-np.inf, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, np.inf, np.nan])


def test_rows_are_the_fields_with_their_names_and_defaults():
    assert list(ROWS) == [row.name for row in ROWS.values()] == ["size", "rate", "shape", "widths", "flag"]
    assert {name: row.default for name, row in ROWS.items()} == vars(Table())
    assert ROWS["shape"].choices == ("auto", "round", "square")


@given(NUMBERS, st.sampled_from([-1.0, 0.0]), st.sampled_from([0.5, 1.0]), st.booleans(), st.booleans())
def test_a_number_is_accepted_if_it_is_in_the_interval(value, low, high, above, below):
    row = Parameter("x", "float", None, low=low, high=high, above=above, below=below)
    closed = {(False, False): "both", (True, False): "right", (False, True): "left", (True, True): "neither"}
    if value in pd.Interval(low, high, closed=closed[above, below]):
        assert row.check(value) == value
    else:
        with pytest.raises(ValueError, match=r"^x must be a number (above|at least) \S+ and (below|at most) \S+, got"):
            row.check(value)


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("size", np.int16(5), 5),
        ("rate", np.float32(0.5), 0.5),
        ("rate", 2, 2.0),
        ("rate", None, None),
        ("shape", np.str_("round"), "round"),
        ("shape", ["round", "auto"], ("round", "auto")),
        ("widths", np.array([3, 4]), (3, 4)),
        ("widths", [], ()),
        ("flag", np.True_, True),
    ],
)
def test_what_is_accepted_becomes_a_plain_value_of_the_rows_type(name, value, plain):
    checked = ROWS[name].check(value)
    assert (type(checked), checked) == (type(plain), plain)
    for item in checked if isinstance(checked, tuple) else ():
        assert type(item) in (int, str)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("size", 9, "size must be a whole number at least 1 and at most 8, got 9"),
        ("size", 2.0, "size must be a whole number at least 1 and at most 8, got 2.0"),
        ("size", None, "size must be a whole number at least 1 and at most 8, got None"),
        ("rate", True, "rate must be a number above 0 or None, got True"),
        (
            "shape",
            ["round", "sqare"],
            "shape must be one of auto, round, square, got 'sqare'; did you mean 'square'?",
        ),
        ("widths", "34", "widths must be a list of whole numbers, each at least 1, got '34'"),
        ("flag", 1, "flag must be true or false, got 1"),
        ("flag", [True], "flag must be true or false, got [True]"),
    ],
)
def test_what_is_not_is_answered_with_name_rule_value_and_the_nearest(name, value, message):
    with pytest.raises(ValueError, match=r".") as error:
        ROWS[name].check(value)
    assert str(error.value) == message
