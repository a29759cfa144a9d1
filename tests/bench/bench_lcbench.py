"""Methods that give epochs to trials, on LCBench: regret against epochs spent, beside Optuna's random, TPE and TPE with pruners.

What counts is the best validation accuracy seen after epochs worth 20, 50 and 100 full trainings: its regret, normalised for each
task by the range of accuracies that comes with the surrogate (searchers find better ones: then it is negative), as a mean over
the 28 tasks, each of which has seeds of its own. Ours run in the coordinator's own loop, in batches of 8, as sweeps do, unless a
row says otherwise. Optuna's own classes, with their own defaults, are asked and told by Optuna alone, one trial at a time, every
epoch reported, as its users do.

MLPTUNE_BENCH_SEEDS (5 unless given) and MLPTUNE_BENCH_TRAININGS ("20,50,100") set the effort. The rows take turns, and the table
is printed after each seed, so that it can be interrupted; with MLPTUNE_BENCH_RESULTS=FILE each search is also written there as it
ends, and one that is there already is not run again. All rows and five seeds take about an hour of one processor.
"""

import importlib.util
import json
import os
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import optuna
import pytest

from mlptune.experiments.launch.coordinator import Budget, Coordinator
from mlptune.experiments.progress import Observer
from mlptune.search import METHODS, pruner, sampler, scheduler
from mlptune.search.extrapolation import extrapolate
from mlptune.search.searcher import resolve
from mlptune.tests.bench import lcbench
from mlptune.tests.bench.rivals import smac3
from mlptune.tests.bench.tables import Nothing, cells

SEEDS = int(os.environ.get("MLPTUNE_BENCH_SEEDS", "5"))
TRAININGS = tuple(int(n) for n in os.environ.get("MLPTUNE_BENCH_TRAININGS", "20,50,100").split(","))
SMAC = "SMAC3, multi-fidelity"
COSTLY = {
    SMAC: 1,
    "Optuna's TPE + halving": 2,
    "tpe, pruner asha": 1,
    "tpe, pruner hyperband": 1,
    "bohb, brackets at once": 1,
}
"""Rows that get fewer seeds."""
RESULTS = os.environ.get("MLPTUNE_BENCH_RESULTS")
OPTUNAS = {
    None: optuna.pruners.NopPruner,
    "hyperband": lambda: optuna.pruners.HyperbandPruner(max_resource=lcbench.EPOCHS),
    "halving": optuna.pruners.SuccessiveHalvingPruner,
}

# Label, (method, pruner) of ours, with whether the budget is in epochs, or (class, pruner) of Optuna's, trials at a
# time, the scheduler's options.
ROWS = [
    ("Optuna's random", (optuna.samplers.RandomSampler, None), 1, {}),
    ("Optuna's TPE", (optuna.samplers.TPESampler, None), 1, {}),
    ("Optuna's TPE + Hyperband", (optuna.samplers.TPESampler, "hyperband"), 1, {}),
    ("Optuna's TPE + halving", (optuna.samplers.TPESampler, "halving"), 1, {}),
    ("random", ("random", None), 8, {}),
    ("random, pruner asha", ("random", "asha"), 8, {}),
    ("random, pruner hyperband", ("random", "hyperband"), 8, {}),
    ("random, extrapolation", ("random", "extrapolation"), 8, {}),
    ("tpe", ("tpe", None), 8, {}),
    ("tpe, one at a time", ("tpe", None), 1, {}),
    ("tpe, pruner asha", ("tpe", "asha"), 8, {}),
    ("tpe, pruner hyperband", ("tpe", "hyperband"), 8, {}),
    ("tpe, extrapolation", ("tpe", "extrapolation"), 8, {}),
    ("hyperband", ("hyperband", None), 8, {}),
    ("asha", ("asha", None), 8, {}),
    ("bohb", ("bohb", None), 8, {}),
    ("bohb, brackets at once", ("bohb", None), 8, {"at_once": True}),
    ("auto", ("auto", None), 8, {}),
    ("auto, one at a time", ("auto", None), 1, {}),
    ("auto, extrapolation", ("auto", "extrapolation"), 8, {}),
    ("auto, budget in epochs", ("auto", None, True), 8, {}),
    ("mobster", ("mobster", None), 8, {}),
    (SMAC, (smac3.search_lcbench, None), 1, {}),
]


def alone(
    task: str, seed: int, proposer: optuna.samplers.BaseSampler, stopping: optuna.pruners.BasePruner, told=max
) -> list[float]:
    """The best accuracy (epochs,) after each epoch that Optuna's own loop of ask, report, should_prune and tell has spent.

    `told` makes a curve the value that its trial is told with.
    """
    # Optuna's Hyperband finds brackets by the study's name.
    study = optuna.create_study(
        study_name=f"lcbench {task} {seed}", direction="maximize", sampler=proposer, pruner=stopping
    )
    epochs = np.arange(1, lcbench.EPOCHS + 1)
    trace: list[float] = []
    while True:
        trial = study.ask()
        point = np.array([list(lcbench.space().suggest(trial).values())], float)
        curve = lcbench.accuracy(task, np.repeat(point, len(epochs), axis=0), epochs).tolist()
        for epoch, value in enumerate(curve, 1):
            trace.append(max(value, trace[-1] if trace else value))
            if len(trace) >= max(TRAININGS) * lcbench.EPOCHS:
                return trace
            trial.report(value, epoch)
            if epoch < lcbench.EPOCHS and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, told(curve))


def coordinated(task: str, seed: int, source: tuple, batch: int, options: dict) -> list[float]:
    """The best accuracy (epochs,) after each epoch that a method of ours has spent in the coordinator's loop."""
    method, stopper, *in_epochs = source
    found = resolve(method, stopper, in_epochs=any(in_epochs))
    study = optuna.create_study(
        study_name=f"lcbench {task} {seed}",
        direction="maximize",
        sampler=sampler(found.sampler, seed=seed, space=lcbench.space(), batch=batch),
        pruner=pruner(found.pruner, max_epochs=lcbench.EPOCHS),
    )
    evaluator = lcbench.LCBench(task, max(TRAININGS) * lcbench.EPOCHS)
    coordinator = Coordinator(
        study,
        lcbench.space(),
        scheduler(found.scheduler, study, lcbench.EPOCHS, seed=seed, **options),
        evaluator,
        fixed={},
        recorder=Nothing(),
        observer=Observer(),
    )
    with pytest.raises(lcbench.Spent):
        coordinator.run(Budget(max(TRAININGS) * lcbench.EPOCHS, batch, lcbench.EPOCHS))
    return evaluator.trace


def search(task: str, seed: int, source: tuple, batch: int, options: dict) -> list[float]:
    """The best accuracies (budgets,) that one search has seen."""
    first, stopper, *_ = source
    if isinstance(first, str):
        trace = coordinated(task, seed, source, batch, options)
    elif first is smac3.search_lcbench:
        trace = first(task, seed, max(TRAININGS) * lcbench.EPOCHS)
    else:
        trace = alone(task, seed, first(seed=seed), OPTUNAS[stopper]())
    return [trace[n * lcbench.EPOCHS - 1] for n in TRAININGS]


class Results:
    """The best accuracies of all searches so far, by (row, task, seed); in a file too, where there is one."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self.found: dict[tuple[str, str, int], list[float]] = {}
        self.seconds: dict[str, list[float]] = defaultdict(list)
        if self._path is not None and self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                if tuple(entry["trainings"]) == TRAININGS:
                    self._keep(entry)

    def _keep(self, entry: dict) -> None:
        self.found[entry["row"], entry["task"], entry["seed"]] = entry["best"]
        self.seconds[entry["row"]].append(entry["seconds"])

    def add(self, row: str, task: str, seed: int, best: list[float], seconds: float) -> None:
        entry = {"row": row, "task": task, "seed": seed, "trainings": TRAININGS, "best": best, "seconds": seconds}
        self._keep(entry)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def regrets(self, row: str) -> np.ndarray:
        """Mean over the tasks (seeds, budgets), of the seeds of which all tasks are there."""
        tasks = lcbench.tasks()
        seeds = [s for s in range(SEEDS) if all((row, task, s) in self.found for task in tasks)]
        normalised = [[lcbench.regret(task, np.array(self.found[row, task, s])) for task in tasks] for s in seeds]
        return np.array(normalised).reshape(len(seeds), len(tasks), len(TRAININGS)).mean(axis=1)

    def print(self) -> None:
        tasks = lcbench.tasks()
        print(f"\nLCBench, normalised regret, mean over {len(tasks)} tasks and seeds (standard error over seeds)")
        columns = "".join(f"{n:>20}" for n in TRAININGS)
        print(f"  {'full trainings':28}{columns}{'seeds':>7}{'CPU s a search':>17}")
        for label, *_ in ROWS:
            if len(rows := self.regrets(label)):
                print(f"  {label:28}{cells(rows, 3)}{len(rows):>7}{np.mean(self.seconds[label]):>17.2f}", flush=True)


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
                stopped = curve[:n].max() <= rival and end.prob_above(rival) < 0.05
                counts[n] += [1, stopped, stopped and wins, wins]
                calls += 1
    for n, (total, stopped, wrong, winners) in counts.items():
        print(f"  after {n:2} of {lcbench.EPOCHS} epochs: {stopped} of {total}, {wrong}, {winners}")
    print(f"  {1000 * (time.process_time() - began) / calls:.2f} ms a decision, the surrogate's time included")


def test_regret_against_epochs():
    assert all(source[0] in METHODS for _, source, _, _ in ROWS if isinstance(source[0], str))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    results = Results(RESULTS)
    rows = ROWS
    if importlib.util.find_spec("smac") is None:
        rows = [row for row in ROWS if row[0] != SMAC]
        print(f"\n{SMAC}: left out, smac is not installed")
    for seed in range(SEEDS):
        for i, task in enumerate(lcbench.tasks()):
            for label, source, batch, options in rows:
                if seed < COSTLY.get(label, SEEDS) and (label, task, seed) not in results.found:
                    began = time.process_time()
                    best = search(task, 1000 * seed + i, source, batch, options)
                    results.add(label, task, seed, best, time.process_time() - began)
        results.print()


def test_what_a_seed_is_worth():
    """Two seeds, 0 and 1, the same in all tasks, and the last epoch's value told: the means of so few depend on which they are."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {"Optuna's random": optuna.samplers.RandomSampler, "Optuna's TPE": optuna.samplers.TPESampler}
    print(f"\nLCBench, one seed for all tasks, after {TRAININGS} full trainings: seed 0, seed 1, their mean")
    for label in (*samplers, "tpe", "auto"):
        means = []
        for seed in (0, 1):
            regrets = []
            for task in lcbench.tasks():
                if label in samplers:
                    stopping = optuna.pruners.NopPruner()
                    trace = alone(task, seed, samplers[label](seed=seed), stopping, told=lambda curve: curve[-1])
                else:
                    trace = coordinated(task, seed, (label, None), 1, {})
                regrets.append(lcbench.regret(task, np.array([trace[n * lcbench.EPOCHS - 1] for n in TRAININGS])))
            means.append(np.mean(regrets, axis=0))
        print(f"  {label:17}" + "".join(f"   {np.round(row, 4)}" for row in (*means, np.mean(means, axis=0))))
