"""Near copies: against draws of the function and of the noise that the rule speaks of."""

import numpy as np
import pytest

from mlptune.search.surrogate.copies import NEAR, near_copies
from mlptune.search.surrogate.gp import GaussianProcess, KernelParameters

WEIGHTS = np.array([9.0, 1.0])


def parameters(noise):
    return KernelParameters(WEIGHTS.copy(), 0.8, noise)


@pytest.mark.parametrize("step", [(0.01, 0.0), (0.05, 0.03), (0.0, 0.06)])
def test_a_copy_is_what_two_results_of_one_point_differ_by_no_less_than(step):
    a, b = np.array([[0.4, 0.5]]), np.array([[0.4, 0.5]]) + step
    # The variance that is left of f(b) once f(a) is known, from the model's own prediction: 1 - correlation^2.
    known = GaussianProcess(a, np.zeros(1), parameters(1e-12), standard=(0.0, 1.0))
    left = known.predict(b)[1][0] ** 2 / 0.8
    difference = 2 * 0.8 * (1 - np.sqrt(1 - left))
    for noise, expected in ((0.4 * difference, False), (0.6 * difference, True)):
        assert near_copies(b, a, parameters(noise)).tolist() == [expected]


def test_far_away_nothing_is_a_copy_however_large_the_noise():
    tried = np.array([[0.5, 0.5]])
    steps = np.array([[NEAR - 1e-6, 0.0], [NEAR + 1e-6, 0.0], [0.0, -0.2], [0.0, 0.0]])
    assert near_copies(tried + steps, tried, parameters(100.0)).tolist() == [True, False, False, True]


def test_without_noise_nothing_is_a_copy():
    tried = np.random.default_rng(0).random((20, 2))
    assert not near_copies(tried + 1e-3, tried, parameters(1e-9)).any()


def test_nothing_tried_or_nothing_asked():
    assert near_copies(np.zeros((3, 2)), np.zeros((0, 2)), parameters(1.0)).tolist() == [False] * 3
    assert near_copies(np.zeros((0, 2)), np.zeros((3, 2)), parameters(1.0)).tolist() == []
