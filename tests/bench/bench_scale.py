"""One coordinator with up to 10,000 trials and 64 workers: what a trial costs, whether the writer keeps up, and memory.

The workers are simulated: each takes the next trial when it is free, trains it for a time of its own, and its curve is a function
of the configuration, so that nothing is waited for. Searcher, loop, recorder, queue and the writer's process are the real ones, and
so is the store, a SQLite file. Each size runs in a process of its own.
"""

import heapq
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SIZES = [int(size) for size in os.environ.get("BENCH_SCALE_SIZES", "1000,10000").split(",")]
METHODS = os.environ.get("BENCH_SCALE_METHODS", "random").split(",")
WORKERS, EPOCHS = 64, 20
KEYS = ("train_loss", "val_loss", "train_score", "val_score")


class Simulated:
    """An evaluator with `WORKERS` workers: outcomes come in the order in which these would end."""

    objective_key = "val_score"

    def advance(
        self, requests: Sequence[Any], deadline: float | None = None, *, until_one: bool = False
    ) -> Iterator[Any]:
        running: list[tuple[float, int, Any]] = []
        now = 0.0
        for request in requests:
            if len(running) == WORKERS:
                now, _, ended = heapq.heappop(running)
                yield self.outcome(ended)
            took = 1.0 + float(np.random.default_rng(request.number).random())
            heapq.heappush(running, (now + took, request.number, request))
        while running:
            yield self.outcome(heapq.heappop(running)[2])

    def outcome(self, request: Any) -> Any:
        from mlptune.experiments.execution.evaluation import Outcome

        rate = request.configuration["learning_rate"]
        best = 1.0 - 0.1 * abs(np.log10(rate) + 2.5)
        curve = (best * (1.0 - 0.9 ** np.arange(1, EPOCHS + 1))).tolist()
        predictions = (np.full((30, 3), 1.0 / 3.0),)
        return Outcome(
            request.number,
            1,
            dict.fromkeys(KEYS, curve),
            "finished",
            curve[-1],
            best_epochs=(EPOCHS,),
            values=(curve[-1],),
            predictions=predictions,
            crossfit=predictions,
        )

    def conclude(self, number: int) -> None:
        return None

    def forget(self, number: int) -> None:
        pass


def peak_memory() -> float:
    """Of this process, in MB; what the operating system keeps for a child begins with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def measure(method: str, trials: int, folder: str) -> None:
    from mlptune.experiments.config import load_spec
    from mlptune.experiments.data.dataset import Dataset
    from mlptune.experiments.execution.workers import Workers
    from mlptune.experiments.launch.coordinator import Coordinator
    from mlptune.experiments.launch.library import Library
    from mlptune.experiments.launch.plan import make_plan
    from mlptune.experiments.launch.recording import MlflowRecorder
    from mlptune.experiments.launch.searching import create_scheduler, create_study, search_budget
    from mlptune.experiments.progress import Observer
    from mlptune.tracking import process
    from mlptune.tracking.writer import Writer

    uri = f"sqlite:///{folder}/mlflow.db"
    space = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}, "hidden": [[8], [8, 8], [16]]}
    space["l2"] = {"low": 1e-6, "high": 1e-2, "log": True}
    spec, text = load_spec(
        {
            "name": "scale",
            "data": {"source": "sklearn:iris", "target": "target"},
            "model": {"epochs": EPOCHS},
            "space": space,
            "search": {"method": method, "trials": trials},
        }
    )
    plan = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
    study = create_study(plan)
    with Workers(1, partial(process.prepare, uri), niceness=0) as writer_process, Writer(uri, writer_process) as writer:
        launched = writer.open_launch("scale", spec_text=text, spec=spec.dump(), tags={})
        launched.result()
        recorder = MlflowRecorder(writer, launched, study, plan.seeds, Library(plan.objective.direction))
        loop = Coordinator(
            study,
            plan.space,
            create_scheduler(plan, study),
            Simulated(),
            fixed=plan.fixed,
            recorder=recorder,
            observer=Observer(),
        )
        began, used = time.perf_counter(), time.process_time()
        loop.run(search_budget(plan, study))
        searched, used = time.perf_counter() - began, time.process_time() - used
        writer.flush()
        written = time.perf_counter() - began
        memory = writer_process.submit(peak_memory).result()
    of_writer = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "coordinator, ms of a processor a trial": 1000 * used / trials,
        "coordinator, ms a trial": 1000 * searched / trials,
        "until all is written, ms a trial": 1000 * written / trials,
        "writer, ms of a processor a trial": 1000 * (of_writer.ru_utime + of_writer.ru_stime) / trials,
        "coordinator, peak memory in MB": peak_memory(),
        "writer, peak memory in MB": memory,
    }
    print(json.dumps(found))


@pytest.mark.parametrize("method", METHODS)
def test_cost_of_a_trial(method: str, tmp_path: Path) -> None:
    rows = {}
    for trials in SIZES:
        folder = tmp_path / str(trials)
        folder.mkdir()
        command = [sys.executable, __file__, method, str(trials), str(folder)]
        rows[trials] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"\n{method}, {WORKERS} simulated workers, {EPOCHS} epochs of {len(KEYS)} curves, SQLite")
    print(f"  {'trials':40}" + "".join(f"{trials:>10,}" for trials in rows))
    for label in next(iter(rows.values())):
        print(f"  {label:40}" + "".join(f"{row[label]:10.2f}" for row in rows.values()))


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]), sys.argv[3])
