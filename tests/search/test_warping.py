"""What a model is told keeps the order of the results, whatever they look like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.search.surrogate.warping import warped

VALUES = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30).map(lambda v: np.array(v, dtype=float))


@given(VALUES, st.sampled_from([1e-3, 1.0, 1e90]))
def test_the_order_stays_and_the_better_half_goes_from_minus_one_to_nought(y, scale):
    z = warped(y * scale)
    assert np.isfinite(z).all()
    assert (np.sign(np.subtract.outer(z, z)) == np.sign(np.subtract.outer(y, y))).all()
    if np.median(y) > y.min():
        assert z.min() == pytest.approx(-1)
        assert (z <= 1e-12).sum() >= len(z) / 2


@given(VALUES.filter(lambda y: np.median(y) > y.min()))
def test_units_mean_nothing(y):
    np.testing.assert_allclose(warped(1e4 * y - 1e12), warped(y - 1e8), atol=1e-6)
    np.testing.assert_allclose(warped(np.exp(y / 1e5) * 1e-4), warped(np.exp(y / 1e5)), atol=1e-6)


def test_decades_are_told_apart_and_a_disaster_is_no_further_than_it_must_be():
    z = warped(np.array([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e30]))
    assert np.diff(z)[:2].min() > 0.3
    assert z[-1] < 3
