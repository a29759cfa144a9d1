"""SMAC3 (Lindauer et al. 2022) with its defaults, one trial at a time: on the published tables and on LCBench."""

import logging
import tempfile
import time
from pathlib import Path

import numpy as np

from mlptune.tests.bench import lcbench
from mlptune.tests.bench.tables import Table, is_ordered


def search(table: Table, seed: int, trials: int) -> tuple[np.ndarray, float]:
    """Its facade for hyperparameters, as `tables.study_on`.

    Under noise it is told that values have some, and its incumbent is what it would hand back.

    The processor time is that of the whole search. ImportError where SMAC is not installed.
    """
    from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, OrdinalHyperparameter
    from smac import Callback, HyperparameterOptimizationFacade, Scenario

    logging.disable(logging.ERROR)  # it warns of each configuration that it would evaluate again
    space = ConfigurationSpace(seed=seed)
    for name, values in table.choices.items():
        space.add((OrdinalHyperparameter if is_ordered(values) else CategoricalHyperparameter)(name, values))
    search_seed = seed  # SMAC calls `evaluate` with seeds of its own
    configurations: list[dict] = []
    values: list[float] = []
    handed_back: list[dict] = []

    def evaluate(configuration, seed: int = 0) -> float:
        drawn = table.draw(dict(configuration), np.random.default_rng([search_seed, len(values)]))
        configurations.append(dict(configuration))
        values.append(drawn)
        return table.sign * drawn

    class Incumbents(Callback):
        def on_tell_end(self, smbo, info, value) -> bool:
            # Where several are not told apart yet, it names the one with the least cost.
            handed_back.append(dict(min(smbo.intensifier.get_incumbents(), key=smbo.runhistory.average_cost)))
            return True

    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(
            space,
            n_trials=trials,
            seed=seed,
            deterministic=table.validation_rows is None,
            output_directory=Path(folder),
        )
        facade = HyperparameterOptimizationFacade(scenario, evaluate, callbacks=[Incumbents()], overwrite=True)
        started = time.process_time()
        facade.optimize()
        seconds = time.process_time() - started
    if table.validation_rows is None:
        return table.best_so_far(configurations, values), seconds
    return np.array([table.cell(configuration).mean() for configuration in handed_back]), seconds


def search_lcbench(task: str, seed: int, budget: int) -> list[float]:
    """Its multi-fidelity facade (Hyperband, random forests): the best accuracy (budget,) after each epoch spent.

    A configuration that is given more epochs goes on where it stopped, so only the additional ones are counted.
    ImportError where SMAC is not installed.
    """
    from ConfigSpace import ConfigurationSpace, Float, Integer
    from smac import Callback, MultiFidelityFacade, Scenario

    logging.disable(logging.ERROR)
    described = lcbench.description()["space"]
    space = ConfigurationSpace(seed=seed)
    for name, entry in described.items():
        kind = Integer if entry.get("int") else Float
        space.add(kind(name, (entry["low"], entry["high"]), log=entry.get("log", False)))
    spent = budget  # SMAC calls `evaluate` with budgets of its own
    trained: dict[tuple[float, ...], int] = {}
    trace: list[float] = []

    def evaluate(configuration, seed: int = 0, budget: float = lcbench.EPOCHS) -> float:
        point = tuple(configuration[name] for name in described)
        epochs = np.arange(1, round(budget) + 1)
        curve = lcbench.accuracy(task, np.repeat([point], len(epochs), axis=0), epochs)
        for value in curve[trained.get(point, 0) :].tolist():
            trace.append(max(value, trace[-1] if trace else value))
        trained[point] = max(len(epochs), trained.get(point, 0))
        return 100.0 - curve[-1]

    class Spent(Callback):
        def on_tell_end(self, smbo, info, value) -> bool:
            return len(trace) < spent

    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(
            space,
            n_trials=spent,
            seed=seed,
            deterministic=True,
            min_budget=1,
            max_budget=lcbench.EPOCHS,
            output_directory=Path(folder),
        )
        MultiFidelityFacade(scenario, evaluate, callbacks=[Spent()], overwrite=True).optimize()
    return trace[:spent]
