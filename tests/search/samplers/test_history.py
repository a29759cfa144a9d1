"""Trials read as data for a model: values at rungs, failures as the worst."""

import math

import numpy as np
import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from mlptune.search.samplers.history import observations
from tests.support.trials import trial


def rows(trials, direction=StudyDirection.MAXIMIZE):
    known = observations(trials, direction)
    return list(zip(known.index.tolist(), known.epoch.tolist(), known.y.tolist(), strict=True)), known.failed.tolist()


def test_the_best_so_far_at_each_rung_that_somebody_stands_at():
    table = [
        trial([0.1]),
        trial([0.5, 0.2, 0.4]),
        trial([]),
        trial([0.3, 0.6, 0.2], TrialState.PRUNED),
        trial([0.1, 0.2, 0.3, 0.4, 0.7, 0.6], TrialState.COMPLETE, 0.65),
        trial([0.2, 0.3, 0.8, 0.1], TrialState.COMPLETE, 0.8),
    ]
    assert rows(table) == (
        [
            (0, 1, -0.1),
            (1, 1, -0.5),
            (1, 3, -0.5),
            (3, 1, -0.3),
            (3, 3, -0.6),
            (4, 1, -0.1),
            (4, 3, -0.3),
            (4, 6, -0.65),
            (5, 1, -0.2),
            (5, 3, -0.8),
            (5, 6, -0.8),
        ],
        [],
    )


def test_lost_trials_have_the_worst_value_at_the_largest_rung():
    table = [
        trial([0.1, math.inf], TrialState.PRUNED),
        trial([0.5]),
        trial([0.2, 0.3]),
        trial([0.3], TrialState.FAIL),
        trial([math.nan, 0.4]),
    ]
    assert rows(table, StudyDirection.MINIMIZE) == (
        [(0, 2, 0.5), (1, 1, 0.5), (2, 1, 0.2), (2, 2, 0.2), (3, 2, 0.5), (4, 2, 0.4)],
        [0, 3],
    )
    assert rows([trial([])], StudyDirection.MINIMIZE) == ([], [])


def test_what_was_read_before_gives_the_same_as_reading_all_anew():
    study, curves, generator = optuna.create_study(), {}, np.random.default_rng(0)
    running: list[optuna.Trial] = []
    for step in range(40):
        running.append(study.ask())
        trial = running[generator.integers(len(running))]
        for _ in range(generator.integers(1, 4)):
            trial.report(
                generator.choice([generator.normal(), math.inf]), len(study.trials[trial.number].intermediate_values)
            )
        if step % 3 == 0:
            states = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL]
            state = states[generator.integers(3)]
            study.tell(trial, generator.normal() if state == TrialState.COMPLETE else None, state=state)
            running.remove(trial)
        trials = study.get_trials(deepcopy=False)
        remembered, anew = (observations(trials, study.direction, *memory) for memory in ([curves], []))
        for field in ("index", "epoch", "y", "failed"):
            np.testing.assert_array_equal(getattr(remembered, field), getattr(anew, field))
