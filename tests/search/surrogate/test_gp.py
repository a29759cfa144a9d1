"""The Gaussian process, held against scikit-learn's and against what it must mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from mlptune.search.surrogate.gp import (
    MAX_FIT_POINTS,
    GaussianProcess,
    KernelParameters,
    Prior,
    fit_kernel_parameters,
    transform_objective,
)

FLAT = Prior(weight=(4.0, 1e4), signal=(1.0, 1e4), noise=(1e-2, 1e4))


def wave(X):
    return np.sin(6 * X[:, 0]) + X[:, 1] ** 2


def data(n, d=3, seed=0, noise=0.1):
    generator = np.random.default_rng(seed)
    X = generator.random((n, d))
    return X, wave(X) + noise * generator.standard_normal(n)


def reference(X, y, weights, signal, noise):
    """scikit-learn's posterior with the same kernel, of standardised values."""
    kernel = ConstantKernel(signal) * Matern(1 / np.sqrt(weights), nu=2.5)
    return GaussianProcessRegressor(kernel, alpha=noise + 1e-8, optimizer=None).fit(X, (y - y.mean()) / y.std())


@settings(max_examples=20)
@given(st.integers(1, 30), st.integers(0, 100), st.floats(0.1, 30), st.floats(0.2, 5), st.floats(1e-3, 1))
def test_it_predicts_as_scikit_learn_does(n, seed, weight, signal, noise):
    X, y = data(max(n, 2), seed=seed)
    weights = weight * np.array([1.0, 0.3, 2.0])
    ours = GaussianProcess(X, y, KernelParameters(weights, signal, noise))
    new = np.random.default_rng(seed + 1).random((10, 3))
    mean, deviation = ours.predict(new)
    expected_mean, expected_deviation = reference(X, y, weights, signal, noise).predict(new, return_std=True)
    np.testing.assert_allclose(mean, expected_mean * y.std() + y.mean(), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(deviation, expected_deviation * y.std(), rtol=1e-5, atol=1e-6)


def test_without_a_prior_it_learns_what_scikit_learn_learns():
    X, y = data(60)
    found = fit_kernel_parameters(X, y, prior=FLAT, steps=200)
    kernel = ConstantKernel(1.0, (1e-5, 1e7)) * Matern([0.5] * 3, (1e-3, 1e5), nu=2.5) + WhiteKernel(1e-2, (1e-7, 1e2))
    model = GaussianProcessRegressor(kernel, n_restarts_optimizer=3, random_state=0)
    with np.errstate(all="ignore"), pytest.warns(UserWarning, match="close to the specified"):
        model.fit(X, (y - y.mean()) / y.std())
    # Ours may not be less likely than theirs, in their own units; the third feature means nothing to both.
    likelihood = (found.evidence + np.log(y.std())) * len(y)
    assert likelihood == pytest.approx(model.log_marginal_likelihood_value_, abs=0.05)
    assert found.weights[2] < 1e-2 * found.weights[0]
    assert found.noise * y.var() == pytest.approx(0.01, rel=0.5)


def test_scale_and_shift_of_the_values_mean_nothing():
    X, y = data(25)
    found, moved = fit_kernel_parameters(X, y), fit_kernel_parameters(X, 1e6 * y - 3e5)
    np.testing.assert_allclose(moved.weights, found.weights, rtol=1e-3)
    assert moved.evidence == pytest.approx(found.evidence - np.log(1e6), abs=1e-4)
    mean, deviation = GaussianProcess(X, y, found).predict(X)
    other_mean, other_deviation = GaussianProcess(X, 1e6 * y - 3e5, found).predict(X)
    np.testing.assert_allclose(other_mean, 1e6 * mean - 3e5, rtol=1e-6, atol=1)
    np.testing.assert_allclose(other_deviation, 1e6 * deviation, rtol=1e-6)


def test_further_values_are_as_good_as_early_ones():
    X, y = data(30)
    found = fit_kernel_parameters(X, y)
    new = np.random.default_rng(1).random((5, 3))
    whole = GaussianProcess(X, y, found)
    early = GaussianProcess(X[:20], y[:20], found, standard=(whole.mean, whole.scale))
    np.testing.assert_allclose(early.condition_on(X[20:], y[20:]).predict(new), whole.predict(new))


def test_learning_from_many_values_uses_some_and_still_knows_the_function():
    X, y = data(3 * MAX_FIT_POINTS)
    found = fit_kernel_parameters(X, y)
    new = np.random.default_rng(1).random((50, 3))
    mean, _ = GaussianProcess(X, y, found).predict(new)
    assert np.abs(mean - wave(new)).mean() < 0.1


@pytest.mark.parametrize("y", [[1.0], [2.0, 2.0, 2.0], [0.0, 1e100], [1e-300, 2e-300]])
def test_odd_values_are_survived(y):
    y = np.array(y)
    X = np.zeros((len(y), 2))
    mean, deviation = GaussianProcess(X, y, fit_kernel_parameters(X, y)).predict(np.ones((1, 2)))
    assert np.isfinite(mean).all()
    assert (deviation > 0).all()


@pytest.mark.parametrize("place", ["X", "y"])
def test_what_is_not_finite_is_refused(place):
    X, y = data(5)
    (X if place == "X" else y)[2] = np.nan
    with pytest.raises(ValueError, match=f"{place}: not all values are finite"):
        fit_kernel_parameters(X, y)
    with pytest.raises(ValueError, match=f"{place}: not all values are finite"):
        GaussianProcess(X, y, KernelParameters(np.ones(3)))


VALUES = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30).map(lambda v: np.array(v, dtype=float))


@given(VALUES, st.sampled_from([1e-3, 1.0, 1e90]))
def test_the_order_stays_and_the_better_half_goes_from_minus_one_to_nought(y, scale):
    z = transform_objective(y * scale)
    assert np.isfinite(z).all()
    assert (np.sign(np.subtract.outer(z, z)) == np.sign(np.subtract.outer(y, y))).all()
    if np.median(y) > y.min():
        assert z.min() == pytest.approx(-1)
        assert (z <= 1e-12).sum() >= len(z) / 2


@given(VALUES.filter(lambda y: np.median(y) > y.min()))
def test_units_mean_nothing(y):
    np.testing.assert_allclose(transform_objective(1e4 * y - 1e12), transform_objective(y - 1e8), atol=1e-6)
    np.testing.assert_allclose(
        transform_objective(np.exp(y / 1e5) * 1e-4), transform_objective(np.exp(y / 1e5)), atol=1e-6
    )


def test_decades_are_told_apart_and_a_disaster_is_no_further_than_it_must_be():
    z = transform_objective(np.array([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e30]))
    assert np.diff(z)[:2].min() > 0.3
    assert z[-1] < 3
