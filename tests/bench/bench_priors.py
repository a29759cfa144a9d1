"""What a prior is worth: one that is near the optimum, one that is wrong, and one taken from a search on another table.

Where the optimum is known the objective is a quadratic in four dimensions (`tests/support/priors.py`). Between the two tables of
FCNet (`bench_tables.py`) the best five configurations of 64 trials on one of them are tried first on the other (`start`), and the
best of them is besides the prior of every hyperparameter. Both in batches of 8. Real training is that of plain networks on digits.
MLPTUNE_BENCH_SEEDS sets the number of seeds (20; of digits at most 8).
"""

import os
from pathlib import Path

import numpy as np
import optuna
import pytest

import mlptune
from mlptune.experiments.launch.coordinator import Budget, Coordinator
from mlptune.experiments.launch.warm_start import MOST, encode_start_point
from mlptune.experiments.progress import Observer
from mlptune.search import Space, sampler, scheduler
from mlptune.tests.bench.tables import FOLDER, Lookup, Nothing, Table, cells
from tests.support.priors import quadratic

SEEDS = int(os.environ.get("MLPTUNE_BENCH_SEEDS", "20"))
TRIALS, BATCH = 64, 8
EVALUATIONS = (8, 16, 24, 32, 64)


@pytest.mark.parametrize("method", ["auto", "random"])
def test_priors_near_and_far(method):
    print(
        f"\n{method}, quadratic: the least value after so many trials; trials until it is below .02 ({TRIALS + 1}: never)"
    )
    print(f"  {'prior':8}" + "".join(f"{n:>20}" for n in EVALUATIONS) + f"{'trials':>20}")
    for prior in (None, "near", "far"):
        found = np.array([quadratic(seed, prior, TRIALS, method) for seed in range(SEEDS)])
        until = (found >= 0.02).sum(axis=1) + 1
        rows = np.column_stack([found[:, np.array(EVALUATIONS) - 1], until])
        print(f"  {prior or 'none':8}{cells(rows, 3)}")


DIGITS = {
    "learning_rate": {"low": 1e-5, "high": 1.0, "log": True},
    "dropout": {"low": 0.0, "high": 0.8},
    "l2": {"low": 1e-7, "high": 1.0, "log": True},
}
GUESSES = {
    "none": {},
    "good": {"learning_rate": 0.01, "dropout": 0.1, "l2": 1e-6},
    "wrong": {"learning_rate": 1.0, "dropout": 0.8, "l2": 1.0},
}


def test_priors_on_digits(tmp_path: Path):
    print("\nauto on digits, validation loss after so many trials")
    for label, guess in GUESSES.items():
        space = {name: {**table, **({"prior": guess[name]} if guess else {})} for name, table in DIGITS.items()}
        found = []
        for seed in range(min(SEEDS, 8)):
            spec = {
                "name": f"{label}{seed}",
                "seed": seed,
                "data": {"source": "sklearn:digits", "validation": 0.3},
                "model": {"preset": "plain", "epochs": 10, "batch_size": 64},
                "space": {**space, "hidden": [[16], [32], [64], [32, 32]]},
                "search": {"trials": 32, "batch": 4},
                "objective": {"metric": "val_loss", "ensemble": 0, "refit": False},
            }
            result = mlptune.run_sweep(spec, workers=1, tracking_uri=f"sqlite:///{tmp_path / 'x.db'}")
            values = [trial["value"] for trial in result.summary()["trials"]]
            found.append(np.minimum.accumulate([np.inf if value is None else value for value in values]))
        print(f"  {label:8}{cells(np.array(found)[:, [7, 15, 31]], 3)}")


def searched(table, seed, points=(), prior=None):
    """The values (trials,) and the configurations of a search of a table with `points` tried first."""
    prior = prior or {}
    space = Space.parse(
        {n: {"choices": v, **({"prior": prior[n]} if n in prior else {})} for n, v in table.choices.items()}
    )
    study = optuna.create_study(sampler=sampler("auto", seed, space=space), direction=table.direction)
    for point in points:
        study.enqueue_trial(encode_start_point(point, space))
    rule, lookup = scheduler("pruner", study, 1), Lookup(table, seed)
    search = Coordinator(study, space, rule, lookup, fixed={}, recorder=Nothing(), observer=Observer())
    search.run(Budget(TRIALS, BATCH, 1))
    values = np.array([search.trials[number].value for number in range(TRIALS)])
    return values, [space.decode(trial.params) for trial in study.trials]


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the published tables are not here (../shared/bench)")
@pytest.mark.parametrize("tables", [("fcnet_protein", "fcnet_naval"), ("fcnet_naval", "fcnet_protein")])
def test_transfer(tables):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    source, target = map(Table.load, tables)
    rows = {"nothing": [], "start": [], "start and prior": []}
    for seed in range(SEEDS):
        values, configurations = searched(source, seed + 1000)
        best = [configurations[i] for i in np.argsort(values, kind="stable")][:MOST]
        for label, points, prior in (
            ("nothing", (), None),
            ("start", best, None),
            ("start and prior", best, best[0]),
        ):
            rows[label].append(np.minimum.accumulate(searched(target, seed, points, prior)[0]))
    print(f"\n{source.name} -> {target.name}: error after so many trials")
    print(f"  {'taken over':18}" + "".join(f"{n:>20}" for n in EVALUATIONS))
    for label, found in rows.items():
        print(f"  {label:18}{cells(np.array(found)[:, np.array(EVALUATIONS) - 1], 4)}")
