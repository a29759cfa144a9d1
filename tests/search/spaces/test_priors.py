"""Priors on the unit scale: densities, and the uniform numbers that are turned into draws from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import truncnorm

from mlptune.search.spaces.priors import ODDS, WIDTH, Favourite, Normal, follows

GRID = (np.arange(3000) + 0.5) / 3000
places = st.floats(0, 1)
priors = places.map(Normal) | st.integers(1, 9).flatmap(
    lambda n: st.integers(0, n - 1).map(lambda index: Favourite(index, n))
)


@given(places)
def test_a_number_has_the_normal_distribution_of_scipy_between_its_bounds(place: float) -> None:
    expected = truncnorm(-place / WIDTH, (1 - place) / WIDTH, loc=place, scale=WIDTH)
    np.testing.assert_allclose(Normal(place).quantile(GRID), expected.ppf(GRID), atol=1e-9)
    np.testing.assert_allclose(Normal(place).log_density(GRID), expected.logpdf(GRID), atol=1e-9)


@given(priors)
def test_a_density_is_one_in_the_mean_and_its_peak_is_where_the_prior_is(prior: Normal | Favourite) -> None:
    densities = np.exp(prior.log_density(GRID))
    assert densities.mean() == pytest.approx(1.0, abs=0.01)
    assert prior.log_density(np.array([prior.place]))[0] >= prior.log_density(GRID).max() - 1e-3


@given(priors)
def test_draws_have_the_density(prior: Normal | Favourite) -> None:
    drawn = prior.quantile(GRID)
    assert (drawn >= 0).all()
    assert (drawn < 1).all()
    for low, high in ((0.0, 0.5), (0.2, 0.4), (0.7, 1.0)):
        inside = GRID[int(low * len(GRID)) : int(high * len(GRID))]
        expected = np.exp(prior.log_density(inside)).sum() / len(GRID)
        assert ((drawn >= low) & (drawn < high)).mean() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("index", "n"), [(0, 2), (1, 2), (3, 4), (0, 1), (2, 9)])
def test_the_choice_that_is_named_is_so_many_times_as_likely_as_each_other(index: int, n: int) -> None:
    drawn = np.bincount((Favourite(index, n).quantile(GRID) * n).astype(int), minlength=n)
    expected = np.ones(n)
    expected[index] = ODDS
    np.testing.assert_allclose(drawn / len(GRID), expected / expected.sum(), atol=0.001)


def test_half_of_the_trials_that_know_no_result_follow_a_prior_the_first_of_all_among_them() -> None:
    assert [follows(number) for number in range(4)] == [True, False, True, False]
