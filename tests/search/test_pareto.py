"""The front and its hypervolume against brute force and against Optuna's own."""

import numpy as np
import optuna
from hypothesis import given
from hypothesis import strategies as st
from optuna._hypervolume import compute_hypervolume
from optuna.study._multi_objective import _is_pareto_front

from mlptune.search.pareto import hypervolume, non_dominated

# Few different values, so that there are ties.
POINTS = st.lists(st.tuples(*[st.integers(0, 6)] * 2), min_size=1, max_size=12)


@given(POINTS)
def test_two_objectives_as_optuna_has_them(points):
    values = np.array(points, dtype=float)
    front = non_dominated(values)
    assert {tuple(row) for row in values[front]} == {
        tuple(row) for row in values[_is_pareto_front(values, assume_unique_lexsorted=False)]
    }
    reference = np.array([5.5, 6.5])
    inside = values[(values < reference).all(axis=1)]
    expected = compute_hypervolume(inside, reference) if len(inside) else 0.0
    assert hypervolume(values, (5.5, 6.5)) == expected
    assert hypervolume(values[front], (5.5, 6.5)) == expected


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=10))
def test_nothing_on_the_front_is_dominated_and_all_else_is(points):
    front = non_dominated(np.array(points, dtype=float))
    for point, is_best in zip(points, front, strict=True):
        others = [p for p in points if p != point and all(a <= b for a, b in zip(p, point, strict=True))]
        assert is_best == (not others)


def test_the_study_of_a_sweep_would_name_the_same():
    study = optuna.create_study(directions=["minimize", "minimize"])
    values = np.random.default_rng(0).random((30, 2))
    for row in values:
        study.add_trial(optuna.create_trial(values=list(row)))
    assert [t.number for t in study.best_trials] == np.flatnonzero(non_dominated(values)).tolist()
