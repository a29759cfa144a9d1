"""What a proposal costs each method, in processor time, on a space with integers, choices and layers that come and go.

The first 128 of a study that begins with nothing, and the 100 before the thousandth, whose 900 predecessors are random points: the
same for every method. Under methods that promote, two thirds of the trials of each rung wait there. Before the clock starts, one
proposal is made: a method reads the trials that it finds only once. Optuna's TPE is its own, multivariate and by groups.
"""

import math
import time
import warnings

import numpy as np
import optuna

from mlptune.search import METHODS, Space, sampler

SPACE = Space.parse(
    {
        "learning_rate": {"low": 3e-4, "high": 3e-2, "log": True},
        "layers": {"low": 1, "high": 3},
        "units_1": {"low": 16, "high": 512, "log": True},
        "units_2": {"low": 16, "high": 512, "log": True},
        "units_3": {"low": 16, "high": 512, "log": True},
        "activation": ["relu", "tanh", "silu"],
        "batch_size": {"low": 16, "high": 256, "log": True},
        "epochs": {"low": 10, "high": 200},
        "dropout": {"low": 0.0, "high": 0.5},
        "l2": {"low": 1e-6, "high": 1e-2, "log": True},
    }
)
RUNGS = (1, 3, 9, 27)
PROMOTES = ("bohb", "mobster")
COMPARED = (
    "random",
    "quasirandom",
    "genetic",
    "rl",
    "nas",
    "Optuna's TPE",
    "tpe",
    "bohb",
    "auto",
    "mobster",
    "bayesian",
)


def made(method, trials):
    if method != "Optuna's TPE":
        return sampler(METHODS[method].sampler, 0, space=SPACE, trials=trials, batch=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(seed=0, multivariate=True, group=True)


def result(trial, point):
    """An error to minimise: smooth in some names, with noise."""
    widths = [point[f"units_{i}"] for i in range(1, point["layers"] + 1)]
    error = (
        math.log(point["learning_rate"] / 3e-3) ** 2 + (point["dropout"] - 0.2) ** 2 + (point["activation"] == "tanh")
    )
    error += sum((math.log(width) - 4.5) ** 2 for width in widths) / len(widths)
    return error + 0.05 * np.random.default_rng(trial.number).standard_normal()


def end(study, trial, point, promotes):
    error, rungs = result(trial, point), RUNGS
    if promotes:
        rungs = RUNGS[: np.random.default_rng([1, trial.number]).geometric(2 / 3)]
        for rung in rungs:
            trial.report(error + 1 / rung, rung)
    if rungs == RUNGS:
        study.tell(trial, error)


def proposals(method, before, count):
    """Milliseconds of processor time (count,) of each proposal after so many random trials."""
    promotes = method in PROMOTES
    past = optuna.create_study(sampler=sampler("random", 0))
    for _ in range(before):
        trial = past.ask()
        end(past, trial, SPACE.suggest(trial), promotes)
    study = optuna.create_study(sampler=made(method, before + count))
    study.add_trials(past.get_trials(deepcopy=False))
    spent = []
    for _ in range(count + bool(before)):
        began = time.process_time()
        trial = study.ask()
        point = SPACE.suggest(trial)
        spent.append(1000 * (time.process_time() - began))
        end(study, trial, point, promotes)
    return spent[-count:]


def test_cost_of_a_proposal():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"\nmilliseconds of processor time a proposal, mean\n  {'trials':14}{'first 128':>12}{'901 to 1,000':>14}")
    for method in COMPARED:
        proposals(method, 0, 12)  # what is imported late is imported now
        row = f"  {method:14}{np.mean(proposals(method, 0, 128)):>12.1f}"
        # scikit-optimize's process takes minutes for so many.
        print(row if method == "bayesian" else f"{row}{np.mean(proposals(method, 900, 100)):>14.1f}", flush=True)
