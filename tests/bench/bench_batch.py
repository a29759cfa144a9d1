"""The default batch: what a larger one costs in quality and gains in stack size and whole-command time.

Quality is measured on published tables (FCNet: 62,208 MLP configurations, one of four seeds a evaluation) with the
coordinator's own loop; sizes and times are those of real sweeps on digits over the default space.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import pytest

from mlptune.experiments.coordinator import Coordinator, Plan
from mlptune.experiments.evaluation import Outcome
from mlptune.experiments.progress import Observer
from mlptune.search import Space, pruner, sampler, scheduler

BATCHES = (1, 4, 8, 16, 32)
TABLES = Path(__file__).parents[3] / "shared" / "bench"
SEEDS, EVALUATIONS = 20, (32, 64, 96)


class Table:
    """FCNet's lookup as an evaluator: one epoch, whose value is the validation error of one of the table's seeds."""

    objective_key = "val_loss"
    seeds = (0,)

    def __init__(self, loss: np.ndarray, space: dict[str, list], seed: int) -> None:
        self.loss, self.space = loss, space
        self.random = np.random.default_rng(seed)

    def advance(self, requests):
        for request in requests:
            index = tuple(self.space[name].index(request.configuration[name]) for name in self.space)
            value = float(self.loss[index][self.random.integers(self.loss.shape[-1])])
            yield Outcome(request.number, 1, {"val_loss": [value]}, "finished", value, None, (1,))

    def forget(self, number: int) -> None:
        """The table keeps nothing of a trial."""


class Nothing:
    def stretch(self, running, outcome) -> None:
        """Nothing is recorded."""

    def commit(self, running, summary, outcome) -> None:
        """Nothing is recorded."""


def best_so_far(name: str, method: str, batch: int, seed: int) -> list[float]:
    file = np.load(TABLES / f"fcnet_{name}.npz", allow_pickle=False)
    choices = {key: list(values) for key, values in json.loads(str(file["space"])).items()}
    space = Space.parse(choices)
    study = optuna.create_study(sampler=sampler(method, seed=seed, space=space), pruner=pruner("none", max_epochs=1))
    coordinator = Coordinator(
        study,
        space,
        scheduler("pruner", study, 1),
        Table(file["loss"], choices, seed),
        fixed={},
        recorder=Nothing(),
        observer=Observer(),
    )
    coordinator.run(Plan(max(EVALUATIONS), batch, 1))
    # What counts is the mean over the table's seeds of the configuration that looked best.
    values, means = [], []
    for number in sorted(coordinator.trials):
        trial = coordinator.trials[number]
        values.append(trial.value)
        means.append(float(file["loss"][tuple(choices[key].index(trial.params[key]) for key in choices)].mean()))
    return [means[int(np.argmin(values[:n]))] for n in EVALUATIONS]


def test_quality_by_batch() -> None:
    if not TABLES.is_dir():
        pytest.skip("the published tables are not here (../shared/bench)")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"\nFCNet, tpe: error of the incumbent after {EVALUATIONS} evaluations, mean (s.e.) over {SEEDS} seeds")
    for name in ("protein", "naval"):
        for batch in BATCHES:
            rows = np.array([best_so_far(name, "tpe", batch, seed) for seed in range(SEEDS)])
            error = rows.std(axis=0, ddof=1) / np.sqrt(SEEDS)
            cells = "  ".join(f"{m:.3g} ({e:.1g})" for m, e in zip(rows.mean(axis=0), error, strict=True))
            print(f"  {name:8} batch {batch:2}  {cells}")


def test_time_by_batch(tmp_path: Path) -> None:
    print("\ndigits, default space, tpe, 64 trials x 50 epochs, 2 workers: whole command, networks a stack, best score")
    for batch in BATCHES:
        times, sizes, best = [], [], []
        for seed in range(3):
            folder = tmp_path / f"{batch}-{seed}"
            folder.mkdir()
            spec = {
                "name": "digits",
                "seed": seed,
                "data": {"source": "sklearn:digits", "target": "target"},
                "search": {"method": "tpe", "trials": 64, "batch": batch},
            }
            script = folder / "sweep.py"
            script.write_text(SCRIPT.format(spec=spec))
            started = time.perf_counter()
            answer = subprocess.run(
                [sys.executable, str(script)], cwd=folder, check=True, capture_output=True, text=True
            )
            times.append(time.perf_counter() - started)
            size, value = answer.stdout.split()
            sizes.append(float(size))
            best.append(float(value))
        print(
            f"  batch {batch:2}  {statistics.median(times):5.1f} s  {statistics.mean(sizes):4.1f} networks"
            f"  best {statistics.mean(best):.4f}"
        )


SCRIPT = """
import mlptune
from mlptune.experiments.engine import EngineEvaluator
sizes = []
plain = EngineEvaluator._submit
def counting(self, stack, running, folds=None):
    sizes.append(len(stack.members))
    return plain(self, stack, running, folds)
EngineEvaluator._submit = counting
result = mlptune.run_sweep({spec!r}, workers=2)
print(sum(sizes) / len(sizes), result.best["value"])
"""
