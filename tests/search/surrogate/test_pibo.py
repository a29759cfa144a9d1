"""Priors as weights of an acquisition function, on encoded points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.search import Space
from mlptune.search.spaces.priors import ODDS
from mlptune.search.surrogate.features import Features
from mlptune.search.surrogate.pibo import BETA, PointPriors

SPACE = Space.parse(
    {
        "learning_rate": {"low": 1e-4, "high": 1.0, "log": True, "prior": 1e-2},
        "momentum": {"low": 0.0, "high": 1.0},
        "activation": {"choices": ["relu", "tanh", "elu"], "prior": "tanh"},
        "layers": {"low": 1, "high": 3},
        "units_1": [8, 64, 16],
        "units_2": {"choices": [8, 64, 16], "prior": 64},
        "units_3": [8, 64, 16],
    }
)
FEATURES = Features(SPACE.distributions, SPACE)
PRIORS = PointPriors(FEATURES, SPACE.guess)
POINT = {"learning_rate": 1e-2, "momentum": 0.5, "activation": "tanh", "layers": 2, "units_1": 8, "units_2": 64}


def log_density(**changes: object) -> float:
    return float(PRIORS.log_density(FEATURES.canonicalized(FEATURES.encode({**POINT, **changes})[None]))[0])


def test_the_density_of_a_point_is_the_product_of_those_of_its_values() -> None:
    best = log_density()
    assert log_density(momentum=0.9, units_1=16) == best
    assert log_density(activation="elu") == pytest.approx(best - np.log(ODDS))
    assert log_density(units_2=16) == pytest.approx(best - np.log(ODDS))
    assert log_density(learning_rate=1e-3) == pytest.approx(best - 0.5, abs=1e-3)  # a quarter of the range away
    assert log_density(learning_rate=1e-3, activation="elu") == pytest.approx(best - 0.5 - np.log(ODDS), abs=1e-3)


def test_what_is_inactive_does_not_count() -> None:
    deep, flat = log_density(units_2=64), log_density(layers=1)
    assert deep - flat == pytest.approx(np.log(ODDS * 3 / (2 + ODDS)))


def test_the_weight_fades_with_the_number_of_results() -> None:
    codes = FEATURES.from_unit_cube(np.random.default_rng(0).random((50, len(FEATURES.axes))))
    score = PRIORS.weighed(lambda c: c[:, 0], 20)
    np.testing.assert_allclose(score(codes) - codes[:, 0], BETA / 20 * PRIORS.log_density(codes))


def test_a_point_takes_what_the_priors_name() -> None:
    codes = FEATURES.encode({**POINT, "learning_rate": 1e-4, "activation": "relu", "units_2": 8})
    guessed = FEATURES.decode(PRIORS.guessed(codes[None])[0])
    assert guessed.pop("learning_rate") == pytest.approx(POINT["learning_rate"])
    assert guessed.items() >= {name: value for name, value in POINT.items() if name != "learning_rate"}.items()


@given(st.integers(0, 99))
def test_only_what_has_a_prior_is_drawn_from_it(number: int) -> None:
    u = np.random.default_rng(number).random(len(FEATURES.axes))
    drawn = PRIORS.drawn(u, number)
    names = [axis.name for axis in FEATURES.axes]
    moved = {name for name, before, after in zip(names, u, drawn, strict=True) if before != after}
    assert moved <= SPACE.guess.keys()
    assert bool(moved) == (number % 2 == 0)


def test_a_space_without_priors_has_none() -> None:
    assert not PointPriors(FEATURES, {})
    assert PRIORS
