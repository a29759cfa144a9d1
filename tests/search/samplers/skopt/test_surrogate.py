"""The fast surrogate equals scikit-optimize's and scikit-learn's."""

import warnings

import numpy as np
from skopt.learning import GaussianProcessRegressor
from skopt.learning.gaussian_process.kernels import HammingKernel
from skopt.space import Categorical, Real

from mlptune.search.samplers.skopt.surrogate import FastHammingKernel, gaussian_process


def test_the_fast_surrogate_predicts_as_scikit_learns_does():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from skopt.space import Categorical, Real

    from mlptune.search.samplers.skopt.surrogate import gaussian_process

    generator = np.random.default_rng(0)
    X = generator.random((30, 5))
    y = np.sin(5 * X[:, 0]) + X[:, 1] + 0.01 * generator.standard_normal(30)
    surrogate = gaussian_process([Real(0, 1), Real(0, 1), Categorical(range(3))], random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        surrogate.fit(X, y)
    new = generator.random((50, 5))
    mean, deviation = surrogate.predict(new, return_std=True)
    expected_mean, expected_deviation = GaussianProcessRegressor.predict(surrogate, new, return_std=True)
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-8)
    np.testing.assert_allclose(deviation, expected_deviation, rtol=1e-5)
    slow_mean, slow_deviation = super(type(surrogate), surrogate).predict(new, return_std=True)
    np.testing.assert_allclose(mean, slow_mean, rtol=1e-8)
    np.testing.assert_allclose(deviation, slow_deviation, rtol=1e-5)


def test_the_surrogate_of_many_points_knows_the_function():
    from skopt.space import Real

    from mlptune.search.samplers.skopt.surrogate import gaussian_process

    def function(X):
        return np.sin(5 * X[:, 0]) + X[:, 1] ** 2

    generator = np.random.default_rng(0)
    X, new = generator.random((260, 2)), generator.random((50, 2))
    surrogate = gaussian_process([Real(0, 1), Real(0, 1)], random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        surrogate.fit(X, function(X) + 0.01 * generator.standard_normal(260))
    mean, deviation = surrogate.predict(new, return_std=True)
    assert len(surrogate.X_train_) == 260
    np.testing.assert_allclose(mean, function(new), atol=0.05)
    assert deviation.max() < 0.05


def fitted(dimensions, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gaussian_process(dimensions, random_state=1).fit(X, y)


def test_the_gradients_of_a_prediction_are_scikit_optimizes():
    generator = np.random.default_rng(0)
    X = generator.random((30, 4))
    surrogate = fitted([Real(0, 1)] * 4, X, np.sin(5 * X[:, 0]) + X[:, 1] + 0.1 * generator.standard_normal(30))
    for point in generator.random((20, 1, 4)):
        ours = surrogate.predict(point, True, False, True, True)
        theirs = GaussianProcessRegressor.predict(surrogate, point, True, False, True, True)
        for mine, its in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-6, atol=1e-9)


def test_the_kernel_of_choices_is_scikit_optimizes():
    generator = np.random.default_rng(0)
    X, Y = generator.integers(0, 3, (20, 5)) / 2, generator.integers(0, 3, (15, 5)) / 2
    scales = generator.random(5)
    np.testing.assert_allclose(FastHammingKernel(scales)(X, Y), HammingKernel(scales)(X, Y), rtol=1e-12)
    for ours, theirs in zip(
        FastHammingKernel(scales)(X, None, True), HammingKernel(scales)(X, None, True), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    kernel = fitted([Categorical(range(3))] * 2, np.eye(6)[generator.integers(0, 6, 30)], generator.random(30)).kernel_
    assert isinstance(kernel.k1.k2, FastHammingKernel)
