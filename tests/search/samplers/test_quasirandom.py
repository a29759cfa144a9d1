"""Sobol points fill the space evenly, each coordinate and all together, where independent points do not."""

import math
from collections import Counter

import numpy as np
import optuna
import pytest
from scipy.stats import qmc

from mlptune.search import Space, sampler

TABLE = {
    "learning_rate": {"low": 1e-4, "high": 1.0, "log": True},
    "x": {"low": 0.0, "high": 1.0},
    "layers": [1, 2],
    "units_1": {"low": 1, "high": 8},
    "units_2": {"low": 0.0, "high": 1.0},
    "activation": ["relu", "tanh", "elu", "silu"],
}


def points(name, n, seed=0, table=TABLE):
    space = Space.parse(table)
    study = optuna.create_study(sampler=sampler(name, seed, space=space))
    return [space.suggest(study.ask()) for _ in range(n)]


@pytest.mark.parametrize("seed", range(5))
def test_every_choice_and_every_bin_of_a_range_is_met_equally_often(seed):
    found = points("quasirandom", 64, seed)
    assert set(Counter(p["activation"] for p in found).values()) == {16}
    assert set(Counter(p["units_1"] for p in found).values()) == {8}
    assert set(Counter((p["layers"], p["activation"]) for p in found).values()) == {8}
    assert set(Counter(int(p["x"] * 64) for p in found).values()) == {1}
    assert set(Counter(int((math.log10(p["learning_rate"]) + 4) * 4) for p in found).values()) == {4}


def test_any_stretch_of_a_power_of_two_is_balanced():
    found = points("quasirandom", 64)
    assert set(Counter(p["activation"] for p in found[48:]).values()) == {4}


def test_the_discrepancy_is_below_that_of_random_points():
    table = {name: {"low": 0.0, "high": 1.0} for name in "abcd"}

    def discrepancy(name, seed):
        return qmc.discrepancy(np.array([list(p.values()) for p in points(name, 100, seed, table)]))

    for seed in range(5):
        assert discrepancy("quasirandom", seed) < discrepancy("random", seed) / 3


def test_a_name_that_is_not_always_there_keeps_its_coordinate():
    deep = [p for p in points("quasirandom", 32) if p["layers"] == 2]
    assert len(deep) == 16
    # The other points have their coordinate too, unseen; no two that are seen share a bin of 32.
    assert len({int(p["units_2"] * 32) for p in deep}) == 16


def test_without_a_space_the_names_of_the_first_trial_are_the_coordinates():
    study = optuna.create_study(sampler=sampler("quasirandom", 3))
    study.optimize(lambda t: t.suggest_float("a", 0, 1) + t.suggest_float("b", 0, 1), n_trials=64)
    late = study.ask()
    assert 0 <= late.suggest_float("c", 0, 1) < 1
    for name in "ab":
        assert len({int(t.params[name] * 64) for t in study.trials[1:64]}) == 63
