"""Methods that train every trial to its end, held against published tables of MLPs and convolutional cells.

FCNet (Klein and Hutter 2019: 62,208 MLPs, two regression tasks, validation error) and NAS-Bench-201 (Dong and Yang 2020: 15,625
cells on CIFAR-10, validation accuracy). An evaluation draws one of the seeds that a configuration was trained with. What counts is
the best value seen after n evaluations, as in the reference figures of the tables; under the noise of few validation rows it is
the mean of the configuration that a method would hand back, the one that looks best. Every study runs in the coordinator's own
loop, but for SMAC3, which has its own; the methods take turns, so that what else the machine does slows all of them alike.

The field: Optuna's samplers, its Gaussian process where torch is installed, and SMAC3 (`pip install 'smac>=2.4'`); the sampler
that Optuna Hub calls auto where OPTUNAHUB_REGISTRY names a clone of its registry (with torch and cmaes).
MLPTUNE_BENCH_SEEDS sets the number of seeds (50 unless given; those that cost much run on fewer).
"""

import importlib.util
import os
import sys
from dataclasses import replace

import numpy as np
import optuna
import pytest

from mlptune.search import METHODS, sampler
from mlptune.tests.bench.rivals import smac3
from mlptune.tests.bench.tables import FOLDER, Table, cells, study_on

SEEDS = int(os.environ.get("MLPTUNE_BENCH_SEEDS", "50"))
COSTLY = {"bayesian": 20, "Optuna's GP": 20, "SMAC3": 20, "Optuna Hub's auto": 20}
EVALUATIONS = (32, 80, 128)
TABLES = ("fcnet_protein", "fcnet_naval", "nasbench201_cifar10")
OURS = ("random", "quasirandom", "genetic", "rl", "nas", "tpe", "bayesian", "auto")
BATCHES = (1, 8, 16, 32)
# What each of the field needs beside Optuna.
FIELD = {"Optuna's TPE": None, "Optuna's GP": "torch", "SMAC3": "smac", "Optuna Hub's auto": "auto_sampler"}
if "OPTUNAHUB_REGISTRY" in os.environ:
    sys.path.append(os.path.join(os.environ["OPTUNAHUB_REGISTRY"], "package", "samplers"))
# The same tables with the noise of so many validation rows.
NOISES = (None, 500)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the published tables are not here (../shared/bench)")


def factory(name):
    """What makes a method's sampler for a seed and a space."""
    if name == "Optuna's TPE":
        return lambda seed, space, batch: optuna.samplers.TPESampler(seed=seed)
    if name == "Optuna's GP":
        return lambda seed, space, batch: optuna.samplers.GPSampler(seed=seed)
    if name == "Optuna Hub's auto":
        hub = importlib.import_module("auto_sampler")
        return lambda seed, space, batch: hub.AutoSampler(seed=seed)
    return lambda seed, space, batch: sampler(
        METHODS[name].sampler, seed, space=space, trials=max(EVALUATIONS), batch=batch
    )


def compare(table, runs):
    """A row for each (label, method, batch, seeds): the best after n evaluations, and milliseconds of processor time a trial.

    A fifth member of a row is the table as its method shall see it.
    """
    width = max(11, *(len(label) for label, *_ in runs))
    bests = {label: [] for label, *_ in runs}
    times = {label: [] for label, *_ in runs}
    for seed in range(max(run[3] for run in runs)):
        for label, method, batch, seeds, *seen in runs:
            if seed < seeds:
                shown, trials = seen[0] if seen else table, max(EVALUATIONS)
                if method == "SMAC3":
                    best, seconds = smac3.search(shown, seed, trials)
                else:
                    make = factory(method)
                    best, seconds = study_on(shown, lambda s, space: make(s, space, batch), seed, trials, batch)  # noqa: B023
                bests[label].append(best[np.array(EVALUATIONS) - 1])
                times[label].append(1000 * seconds / max(EVALUATIONS))
    better = "lower" if table.direction == "minimize" else "higher"
    if table.validation_rows is not None:
        better += f" is better; with the noise of {table.validation_rows} validation rows"
    else:
        better += " is better"
    columns = "".join(f"{n:>20}" for n in EVALUATIONS)
    print(f"\n{table.name} ({better})\n  {'evaluations':{width}}{columns}{'seeds':>7}{'CPU ms a trial':>16}")
    if table.validation_rows is None:
        exact = "".join(f"{f'{table.expected_best_of_random(n):.4g}':>20}" for n in EVALUATIONS)
        print(f"  {'(chance)':{width}}{exact}")
    for label in bests:
        rows = np.array(bests[label])
        print(f"  {label:{width}}{cells(rows)}{len(rows):>7}{np.mean(times[label]):>16.1f}")


@pytest.mark.parametrize("validation_rows", NOISES)
@pytest.mark.parametrize("name", TABLES)
def test_methods(name, validation_rows):
    absent = [label for label, needs in FIELD.items() if needs and importlib.util.find_spec(needs) is None]
    methods = [*(label for label in FIELD if label not in absent), *(method for method in OURS if method in METHODS)]
    table = replace(Table.load(name), validation_rows=validation_rows)
    compare(table, [(m, m, 1, min(SEEDS, COSTLY.get(m, SEEDS))) for m in methods])
    for label in absent:
        print(f"  {label}: left out, {FIELD[label]} is not here")


@pytest.mark.parametrize("name", TABLES)
def test_batches(name):
    runs = [(f"{m}, {b} at a time", m, b, min(SEEDS, 20)) for m in ("tpe", "auto") for b in BATCHES]
    compare(Table.load(name), runs)


@pytest.mark.parametrize("name", TABLES[:2])
def test_what_an_order_is_worth(name):
    """Lists of numbers as they are, as words (which have no order) and as ranges of ranks (in which everybody sees one)."""
    table = Table.load(name)
    forms = {"lists": table, "words": table.as_words(), "ranks": table.as_ranks()}
    runs = [
        (f"{m}, {form}", m, 1, min(SEEDS, COSTLY.get(m, SEEDS)), seen)
        for m in ("Optuna's TPE", "tpe", "bayesian", "auto")
        for form, seen in forms.items()
    ]
    compare(table, runs)
