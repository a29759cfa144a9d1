"""The expected improvement of the hypervolume against the mean of many improvements that Optuna's hypervolume gives."""

import numpy as np
import pytest
from optuna._hypervolume import compute_hypervolume
from scipy.stats import norm

from mlptune.search.surrogate import hypervolume
from mlptune.search.surrogate.acquisition import log_expected_improvement
from mlptune.search.surrogate.hypervolume import log_expected_hypervolume_improvement

FRONT = np.array([[0.2, 3.0], [0.5, 1.0], [0.3, 2.0], [0.6, 2.5]])  # one point is dominated
REFERENCE = (0.9, 4.0)
QUANTILES = (np.arange(100_000) + 0.5) / 100_000
# Between these values the improvement is linear in the value.
KNOTS = np.array([-3.0, 0.2, 0.3, 0.5, 0.6, 0.9, 4.0])


def mean_improvement(mean, deviation, costs, front, reference):
    before = compute_hypervolume(front, np.array(reference))
    points = [np.minimum([value, *costs], reference) for value in KNOTS]
    gains = [compute_hypervolume(np.vstack([front, point]), np.array(reference)) - before for point in points]
    return np.interp(norm.ppf(QUANTILES, mean, deviation), KNOTS, gains).mean()


@pytest.mark.parametrize("cost", [0.0, 0.5, 1.0, 1.7, 2.2, 3.5])
@pytest.mark.parametrize(("mean", "deviation"), [(0.1, 0.05), (0.4, 0.2), (0.7, 0.3), (1.2, 0.4)])
def test_it_is_the_mean_improvement(mean, deviation, cost):
    expected = mean_improvement(mean, deviation, [cost], FRONT, REFERENCE)
    found = log_expected_hypervolume_improvement(
        np.array([mean]), np.array([deviation]), np.array([[cost]]), FRONT, REFERENCE
    )
    assert np.exp(found[0]) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("m", [2, 3])
def test_with_several_costs_too_whatever_front_and_however_many_at_once(m, monkeypatch):
    random = np.random.default_rng(m)
    # Costs of few values, so that points share some of them, and some points are dominated.
    front = np.column_stack([KNOTS[random.integers(1, 5, 9)], random.integers(0, 4, (9, m))])
    reference = (KNOTS[5], *[3.5] * m)
    means, deviations, costs = random.uniform(0, 1, 20), random.uniform(0.05, 0.4, 20), random.uniform(-1, 4, (20, m))
    found = log_expected_hypervolume_improvement(means, deviations, costs, front, reference)
    expected = [
        mean_improvement(*point, front, reference) for point in zip(means, deviations, costs.tolist(), strict=True)
    ]
    assert np.count_nonzero(expected) > 5
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-3, atol=1e-12)
    monkeypatch.setattr(hypervolume, "_AT_ONCE", 7 * 5**m)
    np.testing.assert_allclose(
        log_expected_hypervolume_improvement(means, deviations, costs, front, reference), found, rtol=1e-12
    )


def test_small_improvements_still_differ_and_impossible_ones_are_none():
    cost = np.array([[0.5], [0.6], [4.0], [9.0], [np.inf]])
    found = log_expected_hypervolume_improvement(np.full(5, 50.0), np.full(5, 0.1), cost, FRONT, REFERENCE)
    assert np.isfinite(found[:2]).all()
    assert found[0] > found[1]
    assert (found[2:] == -np.inf).all()
    assert (log_expected_hypervolume_improvement(np.zeros(2), np.ones(2), cost[3:], FRONT, REFERENCE) == -np.inf).all()


def test_where_all_cost_the_same_it_is_the_expected_improvement():
    mean, deviation = np.linspace(0, 1, 9), np.linspace(0.1, 0.4, 9)
    front = np.array([[0.4, 1.0], [0.3, 1.0]])
    found = log_expected_hypervolume_improvement(mean, deviation, np.ones((9, 1)), front, (0.9, 3.0))
    np.testing.assert_allclose(found, np.log(2.0) + log_expected_improvement(mean, deviation, 0.3), rtol=1e-12)
