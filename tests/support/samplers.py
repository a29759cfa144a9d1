"""Every sampler with options that suit a short study of a conditional space, whose objective diverges now and then."""

import math
from functools import cache

import optuna
from optuna.trial import TrialState

from mlptune.search import Space, sampler

TABLE = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True, "points": 2},
    "layers": {"low": 1, "high": 2},
    "units_1": {"low": 8, "high": 64, "log": True, "points": 3},
    "units_2": [8, 16],
    "activation": ["relu", "tanh", None],
    "dropout": {"low": 0.0, "high": 0.5, "step": 0.25},
}


SPACE = Space.parse(TABLE)


def cost(point):
    return math.prod(point[f"units_{i}"] for i in range(1, point["layers"] + 1))


SAMPLERS = {
    "grid": {},
    "random": {},
    "quasirandom": {},
    "tpe": {"n_startup_trials": 4},
    "bayesian": {"n_initial_points": 4, "n_points": 50},
    "bayesian EIps": {"n_initial_points": 4, "n_points": 50, "acq_func": "EIps", "cost": cost},
    "genetic": {"population": 4},
    "rl": {},
    "nas": {"population": 4, "children": 4},
    "auto": {"n_startup_trials": 4},
    "bohb": {"n_startup_trials": 4},
    "mobster": {"n_startup_trials": 4},
    "QMCSampler": {"warn_independent_sampling": False},
    "NSGAIISampler": {"population_size": 4},
}


def make(name, seed=0, **more):
    return sampler(name.split()[0], seed, space=SPACE, **SAMPLERS[name], **more)


def new_study(name, seed=0, direction="minimize"):
    return optuna.create_study(sampler=make(name, seed), study_name="s", direction=direction)


def value(number, point):
    """A smooth objective with a diverged trial now and then."""
    if number % 7 == 3:
        return math.inf
    return (math.log10(point["learning_rate"]) + 2.5) ** 2 + point["dropout"] + 0.1 * point["layers"]


def run_batch(study, size):
    """Ask a whole batch, then tell it in trial order: complete, diverged, pruned and failed ones."""
    trials = [study.ask() for _ in range(size)]
    points = [SPACE.suggest(trial) for trial in trials]
    for trial, point in zip(trials, points, strict=True):
        result = value(trial.number, point)
        if trial.number % 5 == 4:
            study.tell(trial, state=TrialState.FAIL)
        elif trial.number % 5 == 2 or math.isinf(result):
            trial.report(result, 1)
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, result)
    return points


@cache
def proposals(name, batches=3, size=4, seed=0):
    study = new_study(name, seed)
    return [point for _ in range(batches) for point in run_batch(study, size)]
