"""Methods that give epochs to trials, on LCBench: regret against epochs spent, beside Optuna's random, TPE and TPE with pruners.

All run in the coordinator's own loop; the evaluator ends a run when its epochs are spent. What counts is the best validation
accuracy seen after epochs worth 20, 50 and 100 full trainings: its regret, normalised for each task by the best and the worst of
20,000 random configurations (searchers find better ones: then it is negative), as a mean over the 28 tasks. Optuna's own classes
are asked one trial at a time, as its users do; ours in batches of 8, as sweeps do, unless a row says otherwise.

MLPTUNE_BENCH_SEEDS (3 unless given) and MLPTUNE_BENCH_TRAININGS ("20,50,100") set the effort.
"""

import os
import time

import numpy as np
import optuna
import pytest

from mlptune.experiments.launch.coordinator import Coordinator, Plan
from mlptune.experiments.progress import Observer
from mlptune.search import METHODS, pruner, resolve, sampler, scheduler
from mlptune.search.extrapolation import extrapolate
from mlptune.tests.bench import lcbench
from mlptune.tests.bench.tables import Nothing, cells

SEEDS = int(os.environ.get("MLPTUNE_BENCH_SEEDS", "3"))
TRAININGS = tuple(int(n) for n in os.environ.get("MLPTUNE_BENCH_TRAININGS", "20,50,100").split(","))


def optunas(seed, cls, stopper=None):
    """Sampler and pruner of a row that is Optuna's own."""
    halving = {
        "hyperband": lambda: optuna.pruners.HyperbandPruner(max_resource=lcbench.EPOCHS),
        "halving": optuna.pruners.SuccessiveHalvingPruner,
    }
    return cls(seed=seed), halving.get(stopper, optuna.pruners.NopPruner)()


# Label, (method, pruner) of ours or (class, pruner) of Optuna's, trials at a time, the scheduler's options.
ROWS = [
    ("Optuna's random", (optuna.samplers.RandomSampler, None), 1, {}),
    ("Optuna's TPE", (optuna.samplers.TPESampler, None), 1, {}),
    ("Optuna's TPE + Hyperband", (optuna.samplers.TPESampler, "hyperband"), 1, {}),
    ("Optuna's TPE + halving", (optuna.samplers.TPESampler, "halving"), 1, {}),
    ("random, pruner asha", ("random", "asha"), 8, {}),
    ("random, pruner hyperband", ("random", "hyperband"), 8, {}),
    ("tpe", ("tpe", None), 8, {}),
    ("tpe, extrapolation", ("tpe", "extrapolation"), 8, {}),
    ("hyperband", ("hyperband", None), 8, {}),
    ("bohb", ("bohb", None), 8, {}),
    ("bohb, brackets at once", ("bohb", None), 8, {"at_once": True}),
    ("asha", ("asha", None), 8, {}),
    ("auto", ("auto", None), 8, {}),
    ("auto, one at a time", ("auto", None), 1, {}),
    ("mobster", ("mobster", None), 8, {}),
]


def run(task: str, seed: int, source: tuple, batch: int, options: dict) -> list[float]:
    """The regrets (budgets,) of one search."""
    first, stopper = source
    rule = "pruner"
    if isinstance(first, str):
        found = resolve(first, stopper)
        proposer = sampler(found.sampler, seed=seed, space=lcbench.space(), batch=batch)
        stopping, rule = pruner(found.pruner, max_epochs=lcbench.EPOCHS), found.scheduler
    else:
        proposer, stopping = optunas(seed, first, stopper)
    # Optuna's Hyperband finds brackets by the study's name.
    study = optuna.create_study(
        study_name=f"lcbench {task} {seed}", direction="maximize", sampler=proposer, pruner=stopping
    )
    evaluator = lcbench.LCBench(task, max(TRAININGS) * lcbench.EPOCHS)
    coordinator = Coordinator(
        study,
        lcbench.space(),
        scheduler(rule, study, lcbench.EPOCHS, seed=seed, **options),
        evaluator,
        fixed={},
        recorder=Nothing(),
        observer=Observer(),
    )
    with pytest.raises(lcbench.Spent):
        coordinator.run(Plan(max(TRAININGS) * lcbench.EPOCHS, batch, lcbench.EPOCHS))
    return [evaluator.regret(n) for n in TRAININGS]


@pytest.fixture(autouse=True)
def _surrogate():
    if reason := lcbench.missing():
        print(f"\nLCBench: {reason}")
        pytest.skip(reason)


def test_extrapolation_of_curves():
    """What the pruner's rule would stop of random curves, each judged once, against the best of 20 others."""
    epochs = np.arange(1, lcbench.EPOCHS + 1)
    print("\nLCBench, random curves: stopped, of them would have won, would have won in all")
    seen = (5, 10, 20, 30)
    counts = {n: np.zeros(4, int) for n in seen}
    began, calls = time.process_time(), 0
    for i, task in enumerate(lcbench.tasks()):
        configurations = lcbench.random_configurations(45, seed=i)
        curves = lcbench.accuracy(task, np.repeat(configurations, len(epochs), axis=0), np.tile(epochs, 45))
        curves = curves.reshape(45, -1)
        rival = curves[25:].max()
        for curve in curves[:25]:
            wins = curve.max() > rival
            for n in seen:
                end = extrapolate(epochs[:n], curve[:n], lcbench.EPOCHS)
                stopped = curve[:n].max() <= rival and end.above(rival) < 0.05
                counts[n] += [1, stopped, stopped and wins, wins]
                calls += 1
    for n, (total, stopped, wrong, winners) in counts.items():
        print(f"  after {n:2} of {lcbench.EPOCHS} epochs: {stopped} of {total}, {wrong}, {winners}")
    print(f"  {1000 * (time.process_time() - began) / calls:.2f} ms a decision, the surrogate's time included")


def test_regret_against_epochs():
    assert all(source[0] in METHODS for _, source, _, _ in ROWS if isinstance(source[0], str))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    tasks = lcbench.tasks()
    print(f"\nLCBench, normalised regret, mean over {len(tasks)} tasks and {SEEDS} seeds (standard error over seeds)")
    print(f"  {'full trainings':28}" + "".join(f"{n:>20}" for n in TRAININGS) + f"{'s a seed':>12}")
    for label, source, batch, options in ROWS:
        started = time.perf_counter()
        rows = np.array(
            [
                [run(task, 1000 * seed + i, source, batch, options) for i, task in enumerate(tasks)]
                for seed in range(SEEDS)
            ]
        ).mean(axis=1)
        print(f"  {label:28}{cells(rows, 3)}{(time.perf_counter() - started) / SEEDS:>12.0f}", flush=True)
