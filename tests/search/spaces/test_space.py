"""The [space] table: what it accepts and refuses, and the points, grids and values of a space."""

import itertools
import json
import subprocess
import sys

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.search import Space, configuration

LAYERS = {"layers": {"low": 1, "high": 2}, "units_1": [8, 16], "units_2": [4, 8]}


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({**LAYERS, "hidden": [[1]]}, "space.layers: cannot be searched together with space.hidden; choose one"),
        ({"units_1": [4], "hidden": [[1]]}, "space.units_1: cannot be searched together with space.hidden"),
        ({"layers": {"low": 1, "high": 3}, "units_1": [4], "units_3": [4]}, "space.units_2: missing, but layers goes"),
        ({"units_1": [4]}, "space.units_1: needs space.layers"),
        ({**LAYERS, "units_3": [4]}, "space.units_3: never used, layers goes up to 2"),
        ({"layers": {"low": 1.0, "high": 2.0}}, "space.layers: 1.0 is not a number of layers"),
        ({"layers": [1, "two"]}, "space.layers: 'two' is not a number of layers"),
        ({"layers": {"low": -1, "high": 2}}, "space.layers: -1 is not a number of layers"),
        ({"skip_1": [True], "hidden": [[1]]}, "space.skip_1: cannot be searched together with space.hidden"),
        ({"skip_1": [True]}, "space.skip_1: needs space.layers"),
        ({**LAYERS, "skip_3": [True]}, "space.skip_3: never used, layers goes up to 2"),
        ({**LAYERS, "skip_2": [True]}, "space.skip_1: missing, but layers goes up to 2; [model] skip would do for the"),
        ([1], "space: expected a table of names, got [1]"),
    ],
)
def test_a_bad_table_is_refused_with_its_full_name_and_the_rule(table, line):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the line is compared below
        Space.parse(table)
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


def test_units_given_under_model_need_not_be_searched():
    Space.parse({"layers": [1, 2], "units_1": [4, 8]}, fixed={"units_2": 3})
    space = Space.parse({"units_1": [4, 8]}, fixed={"layers": 1})
    assert list(space.grid()) == [{"units_1": 4}, {"units_1": 8}]
    with pytest.raises(ValueError, match=r"space\.units_2: missing, but layers goes up to 2"):
        Space.parse({"units_1": [4, 8]}, fixed={"layers": 2})


def test_one_choice_for_all_layers_stands_for_those_without_their_own():
    Space.parse({**LAYERS, "activation_2": ["relu", "tanh"]}, fixed={"activation": "relu"})
    Space.parse({**LAYERS, "activation_2": ["relu", "tanh"], "activation": ["elu", "selu"]})
    Space.parse({**LAYERS, "activation_2": ["relu", "tanh"]}, fixed={"activation_1": "relu"})
    assert Space.parse({"skip_1": [True], "skip_2": [True, False]}, fixed={"hidden": [3, 4]}).grid_size() == 2
    with pytest.raises(ValueError, match=r"space\.skip_2: cannot be combined with the list skip in \[model\]"):
        Space.parse({"skip_2": [True, False]}, fixed={"hidden": [3, 4], "skip": [False, True]})
    with pytest.raises(ValueError, match=r"space\.skip_2: never used, hidden has 1"):
        Space.parse({"skip_1": [True], "skip_2": [True, False]}, fixed={"hidden": [3]})


def test_choices_of_layers_are_part_of_a_point_where_the_layer_is():
    space = Space.parse(
        {"skip_2": [True, False], "skip_1": [True], "activation_2": ["a", "b"], **LAYERS}, fixed={"activation": "c"}
    )
    assert space.names[:2] == ["layers", "skip_2"]
    assert space.grid_size() == len(list(space.grid())) == 2 + 2 * 2 * 2 * 2
    for number in range(6):
        point = space.suggest(optuna.create_study(sampler=optuna.samplers.RandomSampler(number)).ask())
        names = {"layers", "units_1", "skip_1"} | (
            {"units_2", "skip_2", "activation_2"} if point["layers"] == 2 else set()
        )
        assert set(point) == names
        folded = configuration(point, {"activation": "c"})
        assert folded["activation"] == (["c", point["activation_2"]] if point["layers"] == 2 else "c")
        assert folded["skip"] == [point[f"skip_{i}"] for i in range(1, point["layers"] + 1)]
        assert set(folded) == {"hidden", "activation", "skip"}


def test_checking_a_table_does_not_import_optuna():
    code = "import sys; from mlptune.search import Space; Space.parse({'x': [1]}); sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


numbers = st.one_of(st.integers(-1000, 1000), st.floats(-1e6, 1e6))


scalars = st.one_of(st.none(), st.booleans(), st.integers(-99, 99), st.floats(-9, 9), st.text(max_size=3))


choices = st.lists(
    st.one_of(scalars, st.lists(st.integers(0, 300), max_size=3)), min_size=1, max_size=5, unique_by=json.dumps
).filter(lambda values: len({json.dumps(v) if isinstance(v, list) else v for v in values}) == len(values))


@st.composite
def ranges(draw):
    low, high = sorted([draw(numbers), draw(numbers)])
    table = {"low": low, "high": high}
    integer = isinstance(low, int) and isinstance(high, int)
    extra = draw(st.sampled_from(["", "log", "step", "points", "log points"]))
    if "log" in extra and low > 1e-300:
        table["log"] = True
    if "points" in extra:
        table["points"] = draw(st.integers(2, 5))
    if extra == "step" and high - low > 0.001:
        table["step"] = draw(st.integers(1, high - low) if integer else st.floats((high - low) / 7, high - low))
    return table


tables = st.dictionaries(st.text("abc", min_size=1), st.one_of(choices, ranges()), max_size=4)


@given(tables)
def test_a_space_and_its_table_are_the_same(table):
    space = Space.parse(table)
    assert Space.parse(space.table()) == space
    assert json.loads(json.dumps(space.table())) == space.table()


@given(tables, st.integers(0, 5))
def test_every_point_survives_the_way_through_optuna(table, number):
    space = Space.parse(table)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(number))
    trial = study.ask()
    point = space.suggest(trial)
    stored = study.trials[0]
    assert list(point) == space.names
    assert space.decode(stored.params) == point
    assert space.decode(space.encode(point)) == point
    assert stored.distributions == space.distributions
    for name, value in point.items():
        if isinstance(table[name], list):
            assert any(value == own and type(value) is type(own) for own in table[name])
        else:
            assert table[name]["low"] <= value <= table[name]["high"]


@given(tables)
def test_the_points_of_a_grid_are_distinct_and_inside(table):
    for entry in table.values():
        if isinstance(entry, dict) and "step" not in entry:
            entry.setdefault("points", 3)
    space = Space.parse(table)
    points = list(space.grid())
    assert len({json.dumps(point) for point in points}) == len(points) == space.grid_size()
    for point in points:
        space.encode(point)


def test_the_grid_runs_in_stated_order_with_the_last_name_fastest():
    space = Space.parse({"b": [2, 1], "a": {"low": 0, "high": 2}, "c": ["x", [1]]})
    product = itertools.product([2, 1], [0, 1, 2], ["x", [1]])
    assert list(space.grid()) == [dict(zip("bac", values, strict=True)) for values in product]


def test_the_grid_enumerates_units_only_where_layers_admits_them():
    space = Space.parse({"a": [0, 1], "units_2": [4, 8], **LAYERS, "z": ["p", "q"]})
    loops = []
    for a in (0, 1):
        for layers in (1, 2):
            for second in (4, 8) if layers > 1 else (None,):
                for first in (8, 16):
                    for z in "pq":
                        point = {"a": a, "layers": layers, "units_2": second, "units_1": first, "z": z}
                        loops.append({name: value for name, value in point.items() if value is not None})
    assert list(space.grid()) == loops
    assert space.grid_size() == len(loops) == 24


def test_a_grid_point_outside_is_an_index_error():
    with pytest.raises(IndexError, match="grid point 2 does not exist: the grid has 2 points"):
        Space.parse({"x": [1, 2]}).grid_point(2)


def test_a_value_from_elsewhere_is_refused():
    space = Space.parse({"x": {"low": 0, "high": 3}, "hidden": [[1], [2]]})
    for params in ({"x": 4}, {"x": 1.5}, {"x": "1"}, {"hidden": [3]}, {"hiden": [1]}):
        with pytest.raises(ValueError, match=r"x|hid"):
            space.encode(params)
    with pytest.raises(ValueError, match="did you mean 'hidden'"):
        space.decode({"hiden": 1})
