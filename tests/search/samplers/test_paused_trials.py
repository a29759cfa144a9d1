"""What bohb and mobster learn from paused, half-trained trials."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from mlptune.search import sampler
from tests.support.trials import trial

SPACE = {"x": {"low": 0.0, "high": 1.0}}


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("name", ["bohb", "mobster"])
def test_paused_trials_show_the_way(name, direction):
    """Thirty trials wait at epoch 3, none has finished; the good ones are near 0.3."""
    sign = 1 if direction == "maximize" else -1
    study = optuna.create_study(direction=direction, sampler=sampler(name, space=SPACE))
    for x in np.linspace(0, 1, 30):
        height = 1 - (x - 0.3) ** 2
        study.add_trial(trial([sign * height * e / 3 for e in (1, 2, 3)], x=float(x)))
    proposals = [study.ask().suggest_float("x", 0.0, 1.0) for _ in range(10)]
    assert np.mean(np.abs(np.array(proposals) - 0.3) < 0.15) >= 0.7


@pytest.mark.parametrize("name", ["bohb", "mobster"])
def test_what_a_few_full_trainings_show_counts_more_than_first_epochs(name):
    """After one epoch large values look best, in the end small ones are."""
    study = optuna.create_study(direction="maximize", sampler=sampler(name, space=SPACE))
    for i, x in enumerate(np.linspace(0, 1, 33)):
        curve = [x] if i % 3 else [x, 0.5, 1 - (x - 0.2) ** 2]
        study.add_trial(trial(curve, TrialState.RUNNING if i % 3 else TrialState.COMPLETE, x=float(x)))
    proposals = [study.ask().suggest_float("x", 0.0, 1.0) for _ in range(10)]
    assert np.median(proposals) < 0.45


@pytest.mark.parametrize("name", ["bohb", "mobster"])
def test_waiting_trials_are_part_of_the_history_a_proposal_depends_on(name):
    def ask(order):
        study = optuna.create_study(direction="maximize", sampler=sampler(name, seed=3, space=SPACE))
        for x in np.linspace(0, 1, 20):
            study.add_trial(trial([order * x] * 2, x=float(x)))
        return study.ask().suggest_float("x", 0.0, 1.0)

    assert ask(1) == ask(1)
    assert ask(1) > ask(-1)
