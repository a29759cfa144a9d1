"""The expected improvement against its integral, and its maximum against all points of a space."""

import math

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.integrate import quad
from scipy.stats import norm

from mlptune.search.spaces.space import Space
from mlptune.search.surrogate.acquisition import ENUMERATED, Neighbourhood, log_expected_improvement, maximise
from mlptune.search.surrogate.features import Features


@pytest.mark.parametrize("z", [-6.0, -2.0, -1.0, -0.999, 0.0, 0.3, 5.0])
@pytest.mark.parametrize("deviation", [1e-3, 1.0, 50.0])
def test_expected_improvement_is_the_integral(z, deviation):
    best = 3.0
    mean = best - z * deviation
    integral, _ = quad(lambda t: (z - t) * norm.pdf(t), -np.inf, z, epsabs=0)
    found = log_expected_improvement(np.array([mean]), np.array([deviation]), best)[0]
    assert found == pytest.approx(math.log(integral) + math.log(deviation), rel=1e-6)


def test_hopeless_candidates_are_still_told_apart():
    z = -np.logspace(0, 6, 400)
    found = log_expected_improvement(-z, np.ones(400), 0.0)
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0).all()
    # phi(z) / z^2 far out
    assert found[-1] == pytest.approx(-0.5 * z[-1] ** 2, rel=1e-9)


GRID = {f"x{i}": IntDistribution(0, 5) for i in range(6)} | {"c": CategoricalDistribution(["a", "b", "c"])}
PEAK = np.array([3, 0, 5, 2, 1, 4, 1.0])


def bump(codes):
    return -((codes - PEAK) ** 2).sum(axis=1)


def test_the_climb_finds_the_peak_of_a_large_space():
    features = Features(GRID)
    assert features.points > ENUMERATED
    generator = np.random.default_rng(0)
    nothing = np.empty((0, 7))
    assert maximise(bump, features, nothing, nothing, generator, n_samples=50).tolist() == PEAK.tolist()
    second = maximise(bump, features, PEAK[None], PEAK[None], generator, n_samples=50)
    assert bump(second[None]) == -1


def test_a_continuous_peak_is_approached():
    features = Features({"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)})
    nothing = np.empty((0, 2))
    top = maximise(lambda c: -((c - 0.3) ** 2).sum(axis=1), features, nothing, nothing, np.random.default_rng(0))
    assert np.abs(top - 0.3).max() < 0.01


def test_a_small_space_is_searched_whole_and_then_exhausted():
    features = Features({"x": IntDistribution(0, 2), "c": CategoricalDistribution(["a", "b"])})
    taken = np.empty((0, 2))
    order = []
    for _ in range(6):
        point = maximise(lambda c: -c.sum(axis=1), features, taken, taken, np.random.default_rng(0))
        order.append(point.sum())
        taken = np.concatenate([taken, point[None]])
    assert order == sorted(order)
    assert maximise(lambda c: -c.sum(axis=1), features, taken, taken, np.random.default_rng(0)) is None


def test_axes_can_be_held_to_some_of_their_values():
    features = Features(GRID)
    nothing = np.empty((0, 7))
    rows = np.array([[0.0, 0.0], [3.0, 2.0]])
    top = maximise(bump, features, PEAK[None], nothing, np.random.default_rng(0), within=([0, 6], rows))
    assert top.tolist() == [3, 0, 5, 2, 1, 4, 2]
    small = Features({"x": IntDistribution(0, 2), "y": IntDistribution(0, 2)})
    taken = np.empty((0, 2))
    for _ in range(3):
        point = maximise(
            lambda c: c.sum(axis=1), small, taken, taken, np.random.default_rng(0), within=([0], np.array([[1.0]]))
        )
        assert point[0] == 1
        taken = np.concatenate([taken, point[None]])
    assert maximise(bump, small, taken, taken, np.random.default_rng(0), within=([0], np.array([[1.0]]))) is None


def test_neighbours_differ_in_one_hyperparameter_and_every_choice_is_one():
    space = Space.parse(
        {
            "rate": {"low": 1e-4, "high": 1e-1, "log": True},
            "layers": {"low": 1, "high": 2},
            "units_1": {"low": 8, "high": 512, "log": True},
            "units_2": {"low": 8, "high": 512, "step": 8},
            "batch_size": {"low": 10, "high": 50},
            "name": [*"abcdefghijkl"],
        }
    )
    features = Features(space.distributions, space)
    assert features.sizes.tolist() == [0, 2, 0, 64, 41, 12]
    neighbours = Neighbourhood(features)
    generator = np.random.default_rng(0)
    for row in features.from_unit_cube(generator.random((20, 6))):
        found = neighbours(row[None], generator, 1)
        # A layer that the point gains or loses is canonicalized with it.
        changed = found[:, [0, 1, 2, 4, 5]] != row[[0, 1, 2, 4, 5]]
        assert (changed.sum(axis=1) <= 1).all()
        assert set(found[:, 5]) == set(range(12))
        assert set(found[:, 1]) == {0.0, 1.0}
        near = {code for code in row[4] + np.array([-2, -1, 1, 2]) if 0 <= code < 41}
        assert near <= set(found[:, 4])
        assert found.min() >= 0
        assert (found < np.where(features.sizes, features.sizes, 1.0 + 1e-9)).all()
        for point in found:
            assert features.encode(features.decode(point)).tolist() == point.tolist()


def test_neighbours_of_several_points_follow_those_of_the_first():
    features, generator = Features(GRID), np.random.default_rng(0)
    neighbours = Neighbourhood(features)
    points = features.from_unit_cube(generator.random((3, 7)))
    each = [neighbours(row[None], generator, 0) for row in points]
    assert [len(found) for found in each] == [6 * 5 + 2] * 3
    np.testing.assert_array_equal(neighbours(points, generator, 0), np.concatenate(each))
    assert neighbours(points[:0], generator, 0).shape == (0, 7)


def test_copies_come_last():
    features = Features({"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)})
    nothing = np.empty((0, 2))

    def score(codes):
        return -((codes - 0.3) ** 2).sum(axis=1)

    def beside(codes):
        return np.abs(codes - 0.3).max(axis=1) <= 0.1

    top = maximise(score, features, nothing, nothing, np.random.default_rng(0), copies=beside)
    assert 0.1 < np.abs(top - 0.3).max() < 0.12
    everywhere = maximise(score, features, nothing, nothing, np.random.default_rng(0), copies=lambda c: c[:, 0] >= 0)
    assert np.abs(everywhere - 0.3).max() < 0.05
    small = Features({"x": IntDistribution(0, 2), "y": IntDistribution(0, 2)})
    first = maximise(
        lambda c: c.sum(axis=1), small, nothing, nothing, np.random.default_rng(0), copies=lambda c: c[:, 0] > 1
    )
    assert first.tolist() == [1, 2]
