"""Score against operations on digits: the hypervolume that searchers reach in the same number of trials.

One holdout of digits, no test part, `EPOCHS` epochs; layers, their widths, learning rate, dropout and activation are searched. The
hypervolume is that of validation accuracy above 0 and of the logarithm (base 10) of a prediction's multiply-adds below those of
the largest network, as a share of the whole area; beside it the same with the multiply-adds themselves. It is judged by the
scores that trials got, so every searcher has the same luck to find.

`MLPTUNE_BENCH_SEEDS` says how many seeds (3), `MLPTUNE_BENCH_TRIALS` how many trials (48).
"""

import math
import os
import time
from typing import Any

import numpy as np

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.extremes import extreme
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from mlptune.experiments.launch.prepared import PreparedSearch
from mlptune.experiments.progress import Observer
from mlptune.search.pareto import hypervolume
from tests.support.recorders import MemoryRecorder

SEEDS = int(os.environ.get("MLPTUNE_BENCH_SEEDS", "3"))
TRIALS = int(os.environ.get("MLPTUNE_BENCH_TRIALS", "48"))
EPOCHS, BATCH = 12, 8
METHODS: dict[str, dict[str, Any]] = {
    "random": {},
    "tpe": {},
    "TPESampler": {},
    "NSGAIISampler": {"population_size": 16},
    "auto": {},
}
SPACE = {
    "layers": {"low": 1, "high": 3},
    **{f"units_{i}": {"low": 4, "high": 256, "log": True} for i in (1, 2, 3)},
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "dropout": {"low": 0.0, "high": 0.5},
    "activation": ["relu", "tanh", "elu"],
}


def planned(method: str, seed: int) -> SweepPlan:
    spec, _ = load_spec(
        {
            "name": "pareto",
            "seed": seed,
            "data": {"source": "sklearn:digits", "validation": 0.2, "test_size": 0},
            "model": {"preset": "plain", "epochs": EPOCHS},
            "space": SPACE,
            "search": {"method": method, "trials": TRIALS, "batch": BATCH, "options": METHODS[method]},
            "objective": {"metrics": ["val_score", "operations"]},
        }
    )
    return make_plan(spec, Dataset.load(spec.data, 0, spec.base))


def searched(method: str, seed: int) -> tuple[float, float]:
    """The hypervolumes by the logarithm of the operations and by themselves."""
    plan = planned(method, seed)
    assert plan.point_costs is not None
    cost = plan.point_costs.known_costs.of
    trials = PreparedSearch(plan, Inline(), Observer(), time.monotonic()).run(MemoryRecorder()).values()
    complete = [trial for trial in trials if trial.state == "complete" and trial.value is not None]
    values = np.array([[-float(trial.value or 0.0), cost(trial.params)[0]] for trial in complete])
    ends = [extreme(plan.space, lambda point: _cost(plan, point), sign) for sign in (-1, 1)]
    least, most = (cost(_active(plan, point or {}))[0] for point in ends)
    logarithms = np.stack([values[:, 0], np.log10(values[:, 1])], axis=1)
    by_logarithm = hypervolume(logarithms, (0.0, math.log10(most))) / math.log10(most / least)
    return by_logarithm, hypervolume(values, (0.0, most)) / (most - least)


def _active(plan: SweepPlan, point: Any) -> dict[str, Any]:
    return {name: value for name, value in point.items() if plan.space.active(name, point)}


def _cost(plan: SweepPlan, point: Any) -> float | None:
    found = plan.point_costs.of(_active(plan, point)) if plan.point_costs is not None else None
    return None if found is None else found["operations"]


def test_hypervolume() -> None:
    print(f"\n{SEEDS} seeds, {TRIALS} trials in batches of {BATCH}, {EPOCHS} epochs: hypervolume (standard error)")
    found: dict[str, np.ndarray] = {}
    for method in METHODS:
        began = time.process_time()
        found[method] = np.array([searched(method, seed) for seed in range(SEEDS)])
        mean, error = found[method].mean(axis=0), found[method].std(axis=0) / math.sqrt(max(SEEDS - 1, 1))
        seconds = (time.process_time() - began) / SEEDS
        print(
            f"  {method:14} log {mean[0]:.4f} ({error[0]:.4f})  linear {mean[1]:.4f} ({error[1]:.4f})  {seconds:.1f} s a sweep",
            flush=True,
        )
    for rival in ("tpe", "TPESampler", "NSGAIISampler"):
        less = found["auto"][:, 0] - found[rival][:, 0]
        print(f"  auto less {rival}: {less.mean():+.4f} ({less.std() / math.sqrt(max(SEEDS - 1, 1)):.4f})")
