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

from mlptune.search import sampler
from mlptune.search.samplers.random import from_unit

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
