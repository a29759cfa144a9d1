"""Improvement per cost: counted before training, and as good for less."""

import math
import warnings

import numpy as np
import optuna
import pytest
from skopt.space import Real

from mlptune.search import Space, sampler
from mlptune.search.samplers.skopt.per_cost import XI, PerCost, fit_log_cost
from mlptune.search.samplers.skopt.surrogate import gaussian_process

TABLE = {
    "layers": {"low": 1, "high": 2},
    "units_1": {"low": 8, "high": 512, "log": True},
    "units_2": {"low": 8, "high": 512, "log": True},
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "only": [5],
}


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
