"""Values become features and come back; what is near in meaning is near in features."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from mlptune.search import Space
from mlptune.search.surrogate.features import Axis, Features


@st.composite
def distributions(draw):
    kind = draw(st.sampled_from(["int", "float", "step", "choices", "numbers", "shapes"]))
    if kind == "int":
        low, log = draw(st.integers(1, 50)), draw(st.booleans())
        step = 1 if log else draw(st.integers(1, 7))
        return IntDistribution(low, low + step * draw(st.integers(0, 500)), log=log, step=step)
    if kind == "float":
        low = draw(st.floats(1e-6, 1e3))
        return FloatDistribution(low, low * draw(st.just(1.0) | st.floats(1.001, 1e6)), log=draw(st.booleans()))
    if kind == "step":
        return FloatDistribution(0.0, draw(st.integers(0, 200)) * 0.25, step=0.25)
    if kind == "choices":
        return CategoricalDistribution(draw(st.lists(st.text(), min_size=1, max_size=5, unique=True)))
    if kind == "numbers":
        return CategoricalDistribution(draw(st.lists(st.integers(-9, 9), min_size=1, max_size=5, unique=True)))
    shapes = draw(st.lists(st.lists(st.sampled_from([16, 64]), max_size=3), min_size=1, max_size=5, unique_by=tuple))
    return CategoricalDistribution([json.dumps(shape) for shape in shapes])


@given(distributions(), st.floats(0, 1, exclude_max=True))
def test_a_value_comes_back_from_its_code(distribution, u):
    axis = Axis("x", distribution)
    value = axis.value(axis.from_unit(np.array([u]))[0])
    assert distribution._contains(distribution.to_internal_repr(value))
    code = axis.code(value)
    again = axis.value(code)
    assert type(value) in (int, float, str)  # and not of NumPy, whose numbers no store takes
    if isinstance(value, float) and not axis.size:
        # A thousandth of the range is as near as it needs to be.
        span = (
            math.log(distribution.high / distribution.low) if distribution.log else distribution.high - distribution.low
        )
        off = math.log(again / value) if distribution.log else again - value
        assert abs(off) <= span / 1024 + 1e-12
    else:
        assert again == value
    features = axis.features(np.array([axis.code(value)]))
    assert features.shape == (1, axis.columns)
    assert ((features >= 0) & (features <= 1)).all()


@given(distributions())
def test_the_bounds_can_be_reached(distribution):
    axis = Axis("x", distribution)
    if not isinstance(distribution, CategoricalDistribution):
        codes = (0.0, axis.size - 1.0) if axis.size else (0.0, 1.0)
        assert [axis.value(code) for code in codes] == pytest.approx([distribution.low, distribution.high])


@given(distributions(), st.floats(0, 1, exclude_max=True))
def test_equal_values_have_equal_codes(distribution, u):
    axis = Axis("x", distribution)
    code = axis.from_unit(np.array([u]))[0]
    assert axis.code(axis.value(code)) == code


def test_numbers_have_an_order_whatever_the_list_says():
    axis = Axis("batch", CategoricalDistribution([64, 16, 256]))
    assert [axis.value(code) for code in range(3)] == [16, 64, 256]
    assert axis.features(np.arange(3.0))[:, 0].tolist() == [0, 0.5, 1]


def test_words_are_all_equally_far_from_one_another():
    axis = Axis("activation", CategoricalDistribution(["relu", None, True, 1.5]))
    F = axis.features(np.arange(4.0))
    distances = ((F[:, None] - F) ** 2).sum(axis=-1)
    np.testing.assert_allclose(distances, 1 - np.eye(4))
    two = Axis("normalised", CategoricalDistribution([False, True]))
    assert two.features(np.arange(2.0)).tolist() == [[0], [1]]


def test_layer_sizes_are_near_where_they_are_alike():
    axis = Axis("hidden", CategoricalDistribution(["[16]", "[16,16]", "[512,512]", "[512]"]))
    F = axis.features(np.arange(4.0))
    assert F.shape == (4, 2)  # depth and width; none of them narrows
    assert ((F[0] - F[3]) ** 2).sum() == ((F[0] - F[1]) ** 2).sum() == 1
    assert ((F[0] - F[2]) ** 2).sum() == 2


def test_a_logarithmic_range_is_even_in_the_logarithm():
    axis = Axis("lr", FloatDistribution(1e-4, 1.0, log=True))
    assert axis.code(1e-2) == pytest.approx(0.5)
    assert axis.value(0.25) == pytest.approx(1e-3)


@pytest.mark.parametrize("value", ["huge", None, True, 17.0, -5.0])
def test_a_value_that_the_range_does_not_have_is_put_somewhere_in_it(value):
    for distribution in (FloatDistribution(0, 1), IntDistribution(1, 9), CategoricalDistribution(["a", "b"])):
        axis = Axis("x", distribution)
        code = axis.code(value)
        assert distribution._contains(distribution.to_internal_repr(axis.value(code)))


SPACE = Space.parse({"layers": {"low": 1, "high": 3}, "units_1": [8, 16], "units_2": [8, 16], "units_3": [8, 16]})


def test_points_that_differ_in_an_inactive_value_alone_are_one():
    features = Features(SPACE.distributions, SPACE)
    everything = features.all_points()
    assert len(everything) == len(list(SPACE.grid())) == 2 + 4 + 8
    decoded = [features.decode(row) for row in everything]
    active = {tuple((k, v) for k, v in point.items() if SPACE.active(k, point)) for point in decoded}
    assert len(active) == 14
    codes = features.encode({"layers": 1, "units_1": 8})
    assert any((codes == row).all() for row in everything)


def test_a_space_that_cannot_be_counted_has_infinitely_many_points():
    assert Features({"x": FloatDistribution(0, 1), "y": IntDistribution(1, 3)}).points == math.inf
    assert Features({"x": IntDistribution(1, 3), "y": CategoricalDistribution("ab")}).points == 6
