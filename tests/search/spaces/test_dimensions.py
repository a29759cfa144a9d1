"""One entry of the [space] table: what it may be, how a grid cuts it, and its values on the way to Optuna and back."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlptune.search import Space
from mlptune.search.spaces.dimensions import parse_dimension


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"x": {"low": 0.1, "high": 0.01}}, "space.x: low = 0.1 is above high = 0.01"),
        ({"x": {"low": 0, "high": 1, "log": True}}, "space.x: low = 0 must be above 0 on a log scale"),
        ({"x": {"low": -1.0, "high": 1, "log": True}}, "space.x: low = -1.0 must be above 0 on a log scale"),
        ({"x": {"low": 1}}, "space.x.high: missing; a range needs low and high"),
        ({"x": {}}, "space.x.low: missing; a range needs low and high"),
        ({"x": {"low": "a", "high": 1}}, "space.x.low: 'a' is not a number"),
        ({"x": {"low": False, "high": 1}}, "space.x.low: False is not a number"),
        ({"x": {"low": float("nan"), "high": 1}}, "space.x.low: nan is not finite"),
        ({"x": {"low": 0.0, "high": float("inf")}}, "space.x.high: inf is not finite"),
        (
            {"x": {"low": -1e308, "high": 1e308}},
            "space.x: the range from low = -1e+308 to high = 1e+308 is too wide",
        ),
        ({"x": {"low": 0, "high": 1, "step": 0}}, "space.x.step: 0 must be above 0"),
        ({"x": {"low": 0.0, "high": 1, "step": -0.1}}, "space.x.step: -0.1 must be above 0"),
        ({"x": {"low": 0, "high": 3, "step": 0.5}}, "space.x.step: 0.5 is not an integer, but both bounds are"),
        ({"x": {"low": 0, "high": 3, "step": 4}}, "space.x.step: 4 is wider than the range itself"),
        ({"x": {"low": 0.1, "high": 0.3, "step": 0.21}}, "space.x.step: 0.21 is wider than the range itself"),
        ({"x": {"low": 1, "high": 3, "step": 1, "log": True}}, "space.x.step: does not go together with log"),
        ({"x": {"low": 1, "high": 3, "step": 1, "points": 2}}, "space.x.step: does not go together with points"),
        ({"x": {"low": 0.0, "high": 1, "points": 1}}, "space.x.points: 1 is not an integer of at least 2"),
        ({"x": {"low": 0.0, "high": 1, "points": 2.0}}, "space.x.points: 2.0 is not an integer of at least 2"),
        ({"x": {"low": 0.0, "high": 1, "points": True}}, "space.x.points: True is not an integer of at least 2"),
        ({"x": {"low": 0.0, "high": 1, "log": 1}}, "space.x.log: 1 is neither true nor false"),
        ({"x": {"low": 0.0, "hihg": 1}}, "space.x.hihg: unknown key; did you mean 'high'?"),
        ({"x": {"choice": [1]}}, "space.x.choice: unknown key; did you mean 'choices'?"),
        ({"x": {"choices": [1], "low": 0}}, "space.x.low: does not go together with choices"),
        ({"x": {"choices": 3}}, "space.x.choices: expected a list, got 3"),
        ({"x": []}, "space.x: the list of choices is empty"),
        ({"x": {"choices": []}}, "space.x: the list of choices is empty"),
        ({"x": [1, 2, 1]}, "space.x: the choice 1 is given twice"),
        ({"x": [1, True]}, "space.x: the choice true is given twice"),
        ({"x": [[64], (64,)]}, "space.x: the choice [64] is given twice"),
        ({"x": [1.0, float("nan")]}, "space.x: the choice nan is not a finite JSON value"),
        ({"x": [object]}, "space.x: the choice <class 'object'> is not a finite JSON value"),
        ({"x": {"low": 0.0, "high": 1, "prior": 2}}, "space.x.prior: 2 is not in the range 0.0 to 1"),
        ({"x": {"low": 0.0, "high": 1, "prior": "a"}}, "space.x.prior: 'a' is not a number"),
        ({"x": {"low": 0.0, "high": 1, "prior": [0.1, 0.2]}}, "space.x.prior: [0.1, 0.2] is not a number"),
        ({"x": {"low": 0.0, "high": 1, "prior": True}}, "space.x.prior: True is not a number"),
        ({"x": {"low": 0.0, "high": 1, "prior": float("nan")}}, "space.x.prior: nan is not finite"),
        ({"x": {"low": 1, "high": 4, "prior": 2.5}}, "space.x.prior: 2.5 is not an integer"),
        (
            {"x": {"choices": ["relu", "tanh"], "prior": "rleu"}},
            "space.x.prior: 'rleu' is not one of the choices [\"relu\",\"tanh\"]; did you mean 'relu'?",
        ),
        ({"x": {"choices": [[8], [16]], "prior": 8}}, "space.x.prior: 8 is not one of the choices [[8],[16]]"),
        ({"x": {"prior": 8}}, "space.x.low: missing; a range needs low and high"),
        ({"x": 3}, "space.x: 3 is neither a range (low, high) nor a list of choices; fixed: see [model]"),
    ],
)
def test_a_bad_entry_is_refused_with_its_full_name_and_the_rule(table, line):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the line is compared below
        Space.parse(table)
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        ({"low": 1e-4, "high": 1e-1, "log": True, "points": 4}, [1e-4, 1e-3, 1e-2, 1e-1]),
        ({"low": 0.0, "high": 0.3, "step": 0.1}, [0.0, 0.1, 0.2, 0.3]),
        ({"low": 0.0, "high": 0.35, "step": 0.1}, [0.0, 0.1, 0.2, 0.3]),
        ({"low": 1, "high": 8, "step": 3}, [1, 4, 7]),
        ({"low": 1, "high": 3, "points": 9}, [1, 2, 3]),
        ({"low": 1, "high": 100, "log": True, "points": 3}, [1, 10, 100]),
        ({"low": 0.5, "high": 0.5}, [0.5]),
    ],
)
def test_how_a_grid_cuts_a_range(entry, values):
    assert [point["x"] for point in Space.parse({"x": entry}).grid()] == values


def test_a_grid_over_floats_without_points_says_what_is_missing():
    with pytest.raises(ValueError, match=r"space\.x: a grid needs points = 3"):
        Space.parse({"x": {"low": 0.0, "high": 1.0}}).grid_size()


@given(st.integers(-(10**4), 10**4), st.integers(1, 9999), st.integers(1, 60))
@example(100, 200, 1)
def test_steps_are_the_decimal_numbers_that_a_person_would_write(low, step, count):
    """Against whole numbers: thousandths, which are divided by 1000 once."""
    entry = parse_dimension({"low": low / 1000, "high": (low + step * count) / 1000, "step": step / 1000}, "space.x")
    values = [(low + step * i) / 1000 for i in range(count + 1)]
    assert entry.grid("x") == values
    assert [entry.decode(low / 1000 + i * (step / 1000)) for i in range(count + 1)] == values
    assert entry.last == values[-1]


@given(st.floats(1e-9, 1.0), st.floats(1.5, 1e9), st.integers(2, 40), st.booleans())
def test_the_points_of_a_grid_are_evenly_spaced_from_bound_to_bound(low, ratio, points, log):
    entry = parse_dimension({"low": low, "high": low * ratio, "log": log, "points": points}, "space.x")
    values = entry.grid("x")
    assert (values[0], values[-1], len(values)) == (low, low * ratio, points)
    scale = [math.log(value) for value in values] if log else values
    for i, value in enumerate(scale):
        assert value == pytest.approx(scale[0] + (scale[-1] - scale[0]) * i / (points - 1), rel=1e-9, abs=1e-9)


def test_a_choice_that_is_changed_by_its_user_stays_as_it_was():
    shapes = [[64], [64, 32], {"units": [8]}]
    entry = parse_dimension(shapes, "space.hidden")
    entry.decode("[64]").append(1)
    entry.table()[1].append(1)
    shapes[2]["units"].append(1)
    assert entry.table() == [[64], [64, 32], {"units": [8]}]
    assert [entry.decode(encoded) for encoded in entry.encoded] == entry.table()
    assert entry.encode((64, 32), "hidden") == "[64,32]"


@pytest.mark.parametrize(
    ("entry", "guess"),
    [
        ({"low": 1e-4, "high": 0.1, "log": True, "prior": 0.003}, 0.003),
        ({"low": 1, "high": 5, "prior": 5}, 5),
        ({"low": 0.0, "high": 0.5, "step": 0.1, "prior": 0.3}, 0.3),
        ({"choices": ["relu", "tanh"], "prior": "tanh"}, "tanh"),
        ({"choices": [[8], [16, 8]], "prior": [16, 8]}, "[16,8]"),
        ({"choices": [True, None], "prior": None}, None),
    ],
)
def test_a_prior_stays_with_its_space(entry, guess):
    space = Space.parse({"x": entry, "y": [1, 2]})
    assert space.guess == {"x": guess}
    assert space.table() == {"x": entry, "y": [1, 2]}
    assert Space.parse(space.table()) == space
    assert space != Space.parse({"x": {k: v for k, v in entry.items() if k != "prior"}, "y": [1, 2]})


def test_of_a_range_of_steps_a_prior_is_the_nearest():
    entry = parse_dimension({"low": 0.0, "high": 0.5, "step": 0.1, "prior": 0.27}, "space.x")
    assert entry.prior == 0.3
    assert parse_dimension({"low": 0.0, "high": 0.55, "step": 0.1, "prior": 0.5}, "space.x").prior == 0.5
