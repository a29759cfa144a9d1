"""scikit-optimize behind Optuna's interface: its parts against its own originals, cost counted, every surrogate at work."""

import math
import warnings

import numpy as np
import optuna
import pytest
from skopt.learning import GaussianProcessRegressor
from skopt.learning.gaussian_process.kernels import HammingKernel
from skopt.space import Categorical, Integer, Real

from mlptune.search import Space, sampler
from mlptune.search.samplers.skopt.dimension import SkoptDimension
from mlptune.search.samplers.skopt.per_cost import XI, PerCost, fit_log_cost
from mlptune.search.samplers.skopt.surrogate import FastHammingKernel, gaussian_process

TABLE = {
    "layers": {"low": 1, "high": 2},
    "units_1": {"low": 8, "high": 512, "log": True},
    "units_2": {"low": 8, "high": 512, "log": True},
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "only": [5],
}
CHOICES = {"units": [64, 8, 32, 16], "activation": ["relu", "tanh", "silu"], "batch_norm": [False, True]}


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


def test_expected_improvement_over_the_costed_surrogate_is_improvement_per_cost():
    from skopt.acquisition import gaussian_ei

    generator = np.random.default_rng(0)
    X, new = generator.random((20, 2)), generator.random((50, 2))
    y = 3 + np.sin(5 * X[:, 0])
    costed = PerCost(gaussian_process([Real(0, 1)] * 2, 1), lambda points: 3 * points[:, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        costed.fit(X, y)
    plain = gaussian_ei(new, costed.regressor_, y_opt=y.min(), xi=XI)
    np.testing.assert_allclose(gaussian_ei(new, costed, y_opt=y.min(), xi=XI), plain / np.exp(3 * new[:, 1]), rtol=1e-6)


def test_costs_are_told_from_those_of_random_points():
    generator = np.random.default_rng(0)
    points, new = generator.random((1000, 3)), generator.random((200, 3))

    def cost(x):
        return np.exp(6 * x[:, 0]) + 50 * np.exp(3 * x[:, 1])

    costs = cost(points)
    costs[::10] = math.inf
    told = fit_log_cost(points, costs)(new)
    true = np.log(cost(new))
    assert np.corrcoef(told, true)[0, 1] > 0.99
    with pytest.raises(ValueError, match="cost: must be above 0 everywhere"):
        fit_log_cost(points, np.zeros(1000))


def seconds(point):
    assert point["only"] == 5
    assert ("units_2" in point) == (point["layers"] == 2)
    return float(math.prod(point[f"units_{i}"] for i in range(1, point["layers"] + 1)))


@pytest.mark.parametrize("estimator", ["GP", "ET"])
def test_improvement_per_cost_finds_as_much_for_less(estimator):
    """The value depends on the learning rate alone; plain improvement pays for width all the same."""
    space = Space.parse(TABLE)
    spent, best = {}, {}
    for acquisition in ("EI", "EIps"):
        options = {"acq_func": acquisition, "base_estimator": estimator, "n_points": 300, "cost": seconds}
        study = optuna.create_study(sampler=sampler("bayesian", 1, space=space, **options))
        spent[acquisition] = 0.0
        for _ in range(20):
            trial = study.ask()
            point = space.suggest(trial)
            spent[acquisition] += seconds(point) if trial.number >= 10 else 0
            study.tell(trial, (math.log10(point["learning_rate"]) + 2.5) ** 2)
        best[acquisition] = study.best_value
    assert spent["EIps"] < spent["EI"] / 3
    assert best["EIps"] < 0.05


@pytest.mark.parametrize("estimator", ["RF", "ET"])
def test_forests_find_what_chance_does_not_and_are_repeatable(estimator):
    def best(name, seed, **options):
        study = optuna.create_study(sampler=sampler(name, seed, space={"x": {"low": 0.0, "high": 1.0}}, **options))
        study.optimize(lambda t: abs(t.suggest_float("x", 0, 1) - 0.7), n_trials=16)
        return study.best_value

    found = best("bayesian", 0, base_estimator=estimator, acq_func="EI", n_points=200)
    assert found < np.mean([best("random", seed) for seed in range(30)]) / 2
    assert found == best("bayesian", 0, base_estimator=estimator, acq_func="EI", n_points=200)


def test_lists_of_numbers_have_an_order_and_words_have_none():
    axes = {
        name: SkoptDimension(name, distribution) for name, distribution in Space.parse(CHOICES).distributions.items()
    }
    assert axes["units"].as_skopt() == Integer(0, 3)
    assert [axes["units"].encode(v) for v in (8, 16, 32, 64)] == [0, 1, 2, 3]
    for name in ("activation", "batch_norm"):
        assert isinstance(axes[name].as_skopt(), Categorical)
    for name, axis in axes.items():
        assert sorted(axis.encode(v) for v in CHOICES[name]) == list(range(len(CHOICES[name])))
        assert all(axis.decode(axis.encode(v)) == v for v in CHOICES[name])
        assert axis.encode("no such choice") == axis.middle


def test_proposals_do_not_depend_on_the_order_in_which_numbers_are_listed():
    def proposals(units):
        study = optuna.create_study(
            sampler=sampler("bayesian", n_initial_points=4, n_points=200, space={"units": units})
        )
        for _ in range(8):
            trial = study.ask()
            study.tell(trial, abs(trial.suggest_categorical("units", units) - 20))
        return [trial.params["units"] for trial in study.trials]

    assert proposals([64, 8, 32, 16, 48]) == proposals([8, 16, 32, 48, 64])
