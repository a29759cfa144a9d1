"""Random values: uniform on every kind of range, and each a function of seed, trial and name alone."""

import math
from collections import Counter

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.stats import kstest, loguniform, uniform

from mlptune.search import Space, sampler
from mlptune.search.samplers import move_to
from mlptune.search.samplers.random import from_unit, prior_near

EVEN = (np.arange(2400) + 0.5) / 2400


@pytest.mark.parametrize(
    ("distribution", "values"),
    [
        (IntDistribution(-2, 5), range(-2, 6)),
        (IntDistribution(10, 30, step=10), (10, 20, 30)),
        (FloatDistribution(0.0, 1.0, step=0.25), (0.0, 0.25, 0.5, 0.75, 1.0)),
        (CategoricalDistribution(["a", None, 3, True]), ("a", None, 3, True)),
    ],
)
def test_each_of_finitely_many_values_has_the_same_share(distribution, values):
    found = Counter(from_unit(distribution, u) for u in EVEN)
    assert found == dict.fromkeys(values, 2400 // len(values))


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (FloatDistribution(-3.0, 5.0), uniform(-3.0, 8.0)),
        (FloatDistribution(1e-5, 1e2, log=True), loguniform(1e-5, 1e2)),
    ],
)
def test_values_of_a_range_are_distributed_as_scipy_says(distribution, expected):
    values = [from_unit(distribution, u) for u in EVEN]
    np.testing.assert_allclose(values, expected.ppf(EVEN), rtol=1e-12, atol=1e-12)
    study = optuna.create_study(sampler=sampler("random", 5))
    low, high, log = distribution.low, distribution.high, distribution.log
    drawn = [study.ask().suggest_float("x", low, high, log=log) for _ in range(2000)]
    assert kstest(drawn, expected.cdf).pvalue > 0.001


def test_integers_on_a_log_scale_have_the_share_of_their_stretch_of_the_scale():
    found = Counter(from_unit(IntDistribution(1, 8, log=True), u) for u in EVEN)
    for n in range(1, 9):
        stretch = math.log((n + 0.5) / (n - 0.5)) / math.log(8.5 / 0.5)
        assert found[n] / 2400 == pytest.approx(stretch, abs=1 / 2400)


@given(
    st.floats(-1e9, 1e9) | st.floats(1e-300, 1e300),
    st.floats(0, 1e9),
    st.booleans(),
    st.sampled_from([0.0, 0.5, 1 - 2.0**-53]) | st.floats(0, 1, exclude_max=True),
)
def test_rounding_leaves_no_value_outside_its_range(low, width, log, u):
    log = log and low > 0
    value = from_unit(FloatDistribution(low, low + width, log=log), u)
    assert low <= value <= low + width
    if abs(low) < 1e6 and width < 1e6 and (not log or low >= 1):
        low, high = math.ceil(low), math.ceil(low) + int(width)
        assert low <= from_unit(IntDistribution(low, high, log=log), u) <= high


def test_a_value_depends_on_nothing_but_seed_trial_and_name():
    def drawn(names, seed=0):
        study = optuna.create_study(sampler=sampler("random", seed))
        asked = [study.ask() for _ in range(3)]
        return {(t.number, name): t.suggest_float(name, 0, 1) for t in reversed(asked) for name in names}

    forwards, backwards, fewer = drawn("abc"), drawn("cba"), drawn("b")
    assert forwards == backwards
    assert fewer.items() <= forwards.items()
    assert len({*forwards.values(), *drawn("abc", seed=1).values()}) == 18


@pytest.mark.parametrize(
    "distribution",
    [
        IntDistribution(-2, 5),
        IntDistribution(10, 30, step=10),
        IntDistribution(1, 8, log=True),
        FloatDistribution(0.0, 1.0, step=0.25),
        CategoricalDistribution(["a", None, 3, True]),
    ],
)
def test_the_peak_of_a_prior_is_the_quantile_of_its_value(distribution):
    for value in dict.fromkeys(from_unit(distribution, u) for u in EVEN):
        assert from_unit(distribution, prior_near(distribution, value).place) == value


@given(st.floats(1e-6, 1.0), st.floats(1.1, 1e6), st.floats(0, 1), st.booleans())
def test_the_peak_on_a_continuous_range_is_where_the_value_is(low, ratio, u, log):
    distribution = FloatDistribution(low, low * ratio, log=log)
    value = from_unit(distribution, u)
    assert prior_near(distribution, value).place == pytest.approx(u, abs=1e-6)


PRIORS = {
    "x": {"low": 1e-4, "high": 1.0, "log": True, "prior": 0.003},
    "n": {"low": 1, "high": 5, "prior": 2},
    "c": {"choices": ["a", "b", "c"], "prior": "b"},
    "free": {"low": 0.0, "high": 1.0},
}


def draws(space, trials):
    study = optuna.create_study(sampler=sampler("random", 2, space=space))
    return [space.suggest(study.ask()) for _ in range(trials)]


def test_the_first_trial_has_what_the_priors_name_and_every_second_one_is_drawn_from_them():
    plain = Space.parse(
        {"x": {"low": 1e-4, "high": 1.0, "log": True}, "n": {"low": 1, "high": 5}, "c": ["a", "b", "c"]}
        | {"free": PRIORS["free"]}
    )
    drawn, without = draws(Space.parse(PRIORS), 400), draws(plain, 400)
    assert drawn[0] == {"x": 0.003, "n": 2, "c": "b", "free": without[0]["free"]}
    assert drawn[1::2] == without[1::2]
    assert [point["free"] for point in drawn] == [point["free"] for point in without]
    places = np.array([math.log(point["x"] / 1e-4) / math.log(1e4) for point in drawn[2::2]])
    expected = prior_near(FloatDistribution(1e-4, 1.0, log=True), 0.003)
    assert kstest(places, lambda x: np.searchsorted(expected.quantile(EVEN), x) / len(EVEN)).pvalue > 0.001
    assert Counter(point["c"] for point in drawn[2::2])["b"] > 110  # two thirds of 199; a third would be 66


def test_a_prior_goes_with_a_space_that_moves():
    space, made = Space.parse({"x": {"low": 0.0, "high": 1.0, "prior": 0.5}}), sampler("random", 0)
    study = optuna.create_study(sampler=made)
    move_to(made, space.with_ranges({"x": {"low": 0.4, "high": 2.0, "prior": 0.7}}))
    assert study.ask().suggest_float("x", 0.4, 2.0) == 0.7
