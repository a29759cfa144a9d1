"""Population-based training beside random search and TPE, all with the same number of epochs, on real data.

Every method trains 32 networks of the default space for 30 epochs each, none stopped early, at a constant rate and with a
cosine's fall of it. What is compared: the best validation score found, the median of all trials, and the score of the
refitted best configuration on the sealed test part.
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import optuna
import pytest

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.execution.engine import EngineEvaluator
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.coordinator import Coordinator
from mlptune.experiments.launch.finish import fit_final, score_test
from mlptune.experiments.launch.plan import make_plan
from mlptune.experiments.launch.searching import create_scheduler, create_study, search_budget
from mlptune.experiments.progress import Observer
from mlptune.experiments.ranking import best_trial

PHONEME = Path(__file__).parents[3] / "shared" / "data" / "phoneme.csv"
DATA = {"digits": ("sklearn:digits", "target"), "phoneme": (str(PHONEME), "class")}
METHODS = ("random", "tpe", "pbt")
SEEDS, TRIALS, EPOCHS = 6, 32, 30


class Nothing:
    def log_segment(self, running, outcome) -> None:
        """Nothing is recorded."""

    def commit(self, running, summary, outcome) -> None:
        """Nothing is recorded."""


def scores(name: str, method: str, schedule: str, seed: int, **options: Any) -> tuple[float, float, float]:
    """(best validation score, median of the trials' scores, test score) of one search."""
    source, target = DATA[name]
    spec, _ = load_spec(
        {
            "name": name,
            "seed": seed,
            "data": {"source": source, "target": target},
            "model": {"epochs": EPOCHS, "schedule": schedule},
            "search": {"method": method, "trials": TRIALS, "options": options},
        }
    )
    problem = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
    study = create_study(problem)
    coordinator = Coordinator(
        study,
        problem.space,
        create_scheduler(problem, study),
        EngineEvaluator(problem.task(), Inline()),
        fixed=problem.fixed,
        recorder=Nothing(),
        observer=Observer(),
    )
    coordinator.run(search_budget(problem, study))
    trials = [trial for trial in coordinator.trials.values() if trial.value is not None]
    assert sum(trial.epochs for trial in trials) == TRIALS * EPOCHS
    best = best_trial(coordinator.trials.values(), problem.objective.direction)
    assert best is not None
    model = fit_final(problem, best, Inline(), Observer())
    test = score_test(problem, model)
    assert best.value is not None
    assert test is not None
    return best.value, median(trial.value or 0.0 for trial in trials), test


def test_population_based_training(threads_limited: None) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"\naccuracy, mean (deviation) over {SEEDS} seeds, {TRIALS} trials of {EPOCHS} epochs")
    print("  data     rate      method   best validation  median validation  test")
    for name in DATA:
        if name == "phoneme" and not PHONEME.exists():
            pytest.skip("phoneme.csv is not here (../shared/data)")
        for schedule in ("constant", "cosine"):
            for method in METHODS:
                columns = zip(*(scores(name, method, schedule, seed) for seed in range(SEEDS)), strict=True)
                best, middle, test = (f"{mean(column):.4f} ({stdev(column):.4f})" for column in columns)
                print(f"  {name:8} {schedule:9} {method:8} {best:16} {middle:18} {test}", flush=True)


@pytest.fixture
def threads_limited() -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
