"""TPE is Optuna's: the same densities and the same proposals as from Optuna's own, slower code."""

import math

import numpy as np
import optuna
import pytest
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.trial import TrialState

from mlptune.search import Space
from mlptune.search.samplers.tpe import TPESampler

TABLE = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "layers": {"low": 0, "high": 2},
    "units_1": {"low": 8, "high": 512, "log": True},
    "units_2": {"low": 4, "high": 64, "step": 4},
    "dropout": {"low": 0.0, "high": 0.5, "step": 0.1},
    "activation": ["relu", "tanh", None],
}


class Slow(TPESampler):
    """With Optuna's own steps, which read and sort all trials for each group of parameters."""

    _sample = optuna.samplers.TPESampler._sample
    _get_internal_repr = optuna.samplers.TPESampler._get_internal_repr

    def __init__(self, seed: int, **options: bool) -> None:
        super().__init__(seed, **options)
        self._parzen_estimator_cls = _ParzenEstimator


@pytest.mark.parametrize(("batch", "options"), [(1, {}), (5, {}), (5, {"constant_liar": False}), (1, {"group": False})])
def test_proposals_are_those_of_optunas_steps(batch: int, options: dict[str, bool]) -> None:
    space = Space.parse(TABLE)
    points: dict[type, list] = {}
    for kind in (TPESampler, Slow):
        study = optuna.create_study(sampler=kind(1, **options))
        ends = np.random.default_rng(0).random(60)
        points[kind] = []
        while len(points[kind]) < len(ends):
            trials = [study.ask() for _ in range(batch)]
            found = [space.suggest(trial) for trial in trials]
            for trial, point in zip(trials, found, strict=True):
                value = abs(math.log(point["learning_rate"] / 3e-3)) + point["dropout"] + abs(point["layers"] - 1)
                if (end := ends[trial.number]) < 0.1:
                    study.tell(trial, state=TrialState.FAIL)
                elif end < 0.3:
                    trial.report(value, 1 + trial.number % 3)
                    study.tell(trial, state=TrialState.PRUNED)
                else:
                    study.tell(trial, math.inf if end < 0.4 else value)
            points[kind] += found
    assert points[TPESampler] == points[Slow]


def test_two_objectives_are_proposed_for_as_by_optunas_steps() -> None:
    space = Space.parse(TABLE)
    points: dict[type, list] = {}
    for kind in (TPESampler, Slow):
        study = optuna.create_study(sampler=kind(1), directions=["minimize", "maximize"])
        points[kind] = []
        for _ in range(30):
            trial = study.ask()
            points[kind].append(point := space.suggest(trial))
            study.tell(trial, (abs(math.log(point["learning_rate"] / 3e-3)) + point["dropout"], point["layers"]))
    assert points[TPESampler] == points[Slow]
