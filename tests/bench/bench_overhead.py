"""What a trial costs outside its training, and how that grows: ask, group, dispatch, commit and tell, up to 5,000 trials.

The evaluator trains nothing: it groups and dispatches real configurations to an executor that returns at once, and a real store
in SQLite takes the runs. Each size runs in a process of its own, so that its peak of memory is its own.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

SIZES = [int(size) for size in os.environ.get("BENCH_OVERHEAD_SIZES", "100,1000,5000").split(",")]
EPOCHS = 20


def measure(method: str, trials: int, folder: str, profile: bool) -> None:
    import cProfile
    import pstats
    from concurrent.futures import Executor, Future

    import numpy as np

    from mlptune.core.state import FINISHED
    from mlptune.core.training import Curves, start
    from mlptune.experiments.config import load_spec
    from mlptune.experiments.data.dataset import Dataset
    from mlptune.experiments.execution.engine import EngineEvaluator
    from mlptune.experiments.execution.jobs import Trained
    from mlptune.experiments.launch import coordinator
    from mlptune.experiments.launch.library import Library
    from mlptune.experiments.launch.plan import make_plan
    from mlptune.experiments.launch.recording import MlflowRecorder
    from mlptune.experiments.launch.searching import create_scheduler, create_study, search_budget
    from mlptune.experiments.progress import Observer
    from mlptune.tracking.writer import Writer

    class AtOnce(Executor):
        """Returns random curves for every job, as if trained."""

        def submit(self, fn, job, folds) -> Future:
            future: Future = Future()
            networks = len(job.networks)
            state = start(job.structure, job.networks)
            state.epoch[:] = state.best_epoch[:] = EPOCHS
            state.status[:] = FINISHED
            rng = np.random.default_rng(networks)
            keys = ("train_loss", "val_loss", "train_score", "val_score")
            values = {key: rng.random((networks, EPOCHS)) for key in keys}
            future.set_result(Trained(state, Curves(1, values), (None,) * len(state), (None,) * len(state), 0.0, 0.0))
            return future

    class Clocked:
        """Adds up the time between calls and within them."""

        def __init__(self, inner, spent: dict[str, float], names: dict[str, str]) -> None:
            for name, label in names.items():
                setattr(self, name, self.clocked(getattr(inner, name), spent, label))
            self.objective_key = getattr(inner, "objective_key", "")

        @staticmethod
        def clocked(method, spent, label):
            def call(*args, **kwargs):
                began = time.perf_counter()
                result = method(*args, **kwargs)
                result = list(result) if label == "group and dispatch" else result
                spent[label] = spent.get(label, 0.0) + time.perf_counter() - began
                return result

            return call

    space = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}, "hidden": [[8], [8, 8], [16]]}
    space["l2"] = {"low": 1e-6, "high": 1e-2, "log": True}
    spec, text = load_spec(
        {
            "name": "overhead",
            "data": {"source": "sklearn:iris", "target": "target"},
            "model": {"epochs": EPOCHS},
            "space": space,
            "search": {"method": method, "trials": trials},
        }
    )
    problem = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
    study, spent = create_study(problem), {}
    rule = create_scheduler(problem, study)
    evaluator = Clocked(
        EngineEvaluator(problem.task(), AtOnce(), 2), spent, {"advance": "group and dispatch", "forget": "forget"}
    )
    suggesting = Clocked(problem.space, spent, {"suggest": "suggest"})
    study.ask = Clocked.clocked(study.ask, spent, "ask")
    study.tell = Clocked.clocked(study.tell, spent, "tell")
    with Writer(f"sqlite:///{folder}/mlflow.db") as writer:
        launched = writer.open_launch("overhead", spec_text=text, spec=spec.dump(), tags={})
        launched.result()
        recorder = Clocked(
            MlflowRecorder(writer, launched, study, problem.seeds, Library(problem.objective.direction)),
            spent,
            {"commit": "hand to the writer", "log_segment": "segment", "log_ensemble": "ensemble"},
        )
        loop = coordinator.Coordinator(
            study, suggesting, rule, evaluator, fixed=problem.fixed, recorder=recorder, observer=Observer()
        )
        profiler = cProfile.Profile()
        began = time.perf_counter()
        if profile:
            profiler.runcall(loop.run, search_budget(problem, study))
        else:
            loop.run(search_budget(problem, study))
        searched = time.perf_counter()
        writer.flush()
        written = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    spent["everything but writing"] = searched - began
    spent["until all is written"] = written - began
    print(json.dumps({"peak_mb": peak, "ms": {key: 1000 * value / trials for key, value in spent.items()}}))


@pytest.mark.parametrize("method", ["random", "tpe"])
def test_overhead_of_a_trial(method: str, tmp_path: Path) -> None:
    rows = {}
    for trials in SIZES:
        folder = tmp_path / str(trials)
        folder.mkdir()
        command = [sys.executable, __file__, method, str(trials), str(folder)]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        rows[trials] = json.loads(ran.stdout.splitlines()[-1])
    print(
        f"\n{method}: milliseconds a trial outside training, {EPOCHS} epochs of 4 curves each, SQLite in this process"
    )
    print(f"  {'trials':26}" + "".join(f"{trials:>10,}" for trials in rows))
    for label in next(iter(rows.values()))["ms"]:
        print(f"  {label:26}" + "".join(f"{row['ms'].get(label, 0.0):10.2f}" for row in rows.values()))
    print(f"  {'peak memory (MB)':26}" + "".join(f"{row['peak_mb']:10.0f}" for row in rows.values()))


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]), sys.argv[3], "profile" in sys.argv[4:])
