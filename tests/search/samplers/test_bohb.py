"""BOHB proposes as TPE does on the results of one rung; `test_paused_trials` shows how it follows trials that wait."""

import math

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from mlptune.search import sampler
from tests.support.trials import trial

LENGTHS = [1] * 10 + [3] * 6 + [9] * 3


def history():
    """The curves of trials that wait at epochs 1, 3 and 9, and their points."""
    generator = np.random.default_rng(0)
    points = generator.random(len(LENGTHS))
    return [
        (float(x), list(generator.normal(-((x - 0.3) ** 2), 0.1, length)))
        for x, length in zip(points, LENGTHS, strict=True)
    ]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize(("enough", "rung"), [(2, 9), (3, 9), (4, 3), (9, 3), (10, 1)])
def test_proposals_are_those_of_tpe_on_the_largest_rung_that_enough_have_reached(enough, rung, direction):
    """A trial counts at each rung that it has passed, with its best value up to there; a diverged one as the worst of all."""
    best = max if direction == "maximize" else min
    ours, plain = (
        optuna.create_study(direction=direction, sampler=sampler(name, 5, n_startup_trials=enough))
        for name in ("bohb", "tpe")
    )
    known = history()
    worst = (min if best is max else max)(best(curve[:e]) for _, curve in known for e in (1, 3, 9) if e <= len(curve))
    for x, curve in known:
        ours.add_trial(trial(curve, x=x))
        at_rung = trial([best(curve[:rung])], TrialState.COMPLETE, x=x)
        plain.add_trial(at_rung if len(curve) >= rung else trial([], TrialState.FAIL, x=x))
    ours.add_trial(trial([math.nan], TrialState.PRUNED, x=0.9))
    plain.add_trial(trial([], TrialState.COMPLETE, worst, x=0.9))
    for _ in range(6):
        assert ours.ask().suggest_float("x", 0.0, 1.0) == plain.ask().suggest_float("x", 0.0, 1.0)
