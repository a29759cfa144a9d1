"""scikit-optimize's optimizer behind Optuna's interface."""

import numpy as np
import optuna
import pytest

from mlptune.search import sampler


@pytest.mark.parametrize("estimator", ["RF", "ET"])
def test_forests_find_what_chance_does_not_and_are_repeatable(estimator):
    def best(name, seed, **options):
        study = optuna.create_study(sampler=sampler(name, seed, space={"x": {"low": 0.0, "high": 1.0}}, **options))
        study.optimize(lambda t: abs(t.suggest_float("x", 0, 1) - 0.7), n_trials=16)
        return study.best_value

    found = best("bayesian", 0, base_estimator=estimator, acq_func="EI", n_points=200)
    assert found < np.mean([best("random", seed) for seed in range(30)]) / 2
    assert found == best("bayesian", 0, base_estimator=estimator, acq_func="EI", n_points=200)
