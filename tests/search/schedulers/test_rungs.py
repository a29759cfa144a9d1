"""Rungs are spaced by eta from the last epoch down, and the value that is compared there is the best so far."""

import math

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.search import scheduler
from mlptune.search.schedulers.rungs import best_so_far, rungs


@given(st.integers(1, 10**4), st.integers(2, 6), st.data())
def test_there_are_as_many_rungs_as_the_budget_has_powers_of_eta(epochs, eta, data):
    """floor(log_eta R) + 1 of them (Li et al. 2018), counted in whole numbers."""
    lowest = data.draw(st.integers(1, epochs))
    found = rungs(epochs, lowest, eta)
    powers = 1
    while lowest * eta**powers <= epochs:
        powers += 1
    assert len(found) == powers
    assert found[-1] == epochs
    assert found[0] >= lowest
    assert all(abs(found[i] - epochs / eta ** (powers - 1 - i)) <= 0.5 for i in range(powers))


@given(st.integers(1, 1000), st.floats(2, 10))
def test_rungs_ascend_and_each_is_once(epochs, eta):
    found = rungs(epochs, 1, eta)
    assert found == sorted(set(found))
    assert found[0] >= 1


@given(st.lists(st.none() | st.floats(-1e300, 1e300) | st.just(math.nan), max_size=9), st.booleans())
def test_the_best_so_far_is_numpys_and_nothing_is_the_worst(values, maximize):
    best = best_so_far(values, maximize)
    numbers = np.array([math.nan if value is None else value for value in values])
    if np.isnan(numbers).all():
        assert best == -math.inf
    else:
        assert best == (np.nanmax(numbers) if maximize else -np.nanmin(numbers))


@pytest.mark.parametrize("name", ["asha", "hyperband"])
@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"eta": 1}, "eta: 1 is not a number of at least 2"),
        ({"min_epochs": 28}, "min_epochs: 28 is not an integer from 1 to 27"),
        ({"min_epochs": 0}, "min_epochs: 0 is not an integer from 1 to 27"),
        ({"min_epoch": 1}, "unknown option 'min_epoch'; did you mean 'min_epochs'?"),
    ],
)
def test_options_that_cannot_be_are_refused(name, options, line):
    with pytest.raises(ValueError, match=line.replace("?", r"\?")):
        scheduler(name, optuna.create_study(), 27, **options)
