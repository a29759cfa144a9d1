"""Who trains never changes a sweep: every method gives the same trials, values and curves with 1, 2 and 4 workers, on a Dask
cluster, and resumed from the middle.

The loop, the engine and the processes are real; the store is left out, which `test_sweep.py` and `test_faults.py` bring in.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Any

import pytest

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.execution.engine import EngineEvaluator
from mlptune.experiments.execution.evaluation import Evaluator, Outcome
from mlptune.experiments.execution.executors import ExternalExecutor, open_executor
from mlptune.experiments.execution.workers import Inline, Workers
from mlptune.experiments.launch.coordinator import Coordinator, LiveTrial
from mlptune.experiments.launch.problem import Problem
from mlptune.experiments.launch.replay import CommittedTrial, Replay
from mlptune.experiments.progress import Observer
from mlptune.search.methods import METHODS
from mlptune.tracking.records import TrialRecord


def problem(method: str) -> Problem:
    spec, _ = load_spec(
        {
            "name": method,
            "data": {"source": "sklearn:iris", "target": "target", "seeds": 2},
            "model": {"epochs": 9, "batch_size": 32},
            "space": {
                "learning_rate": {"low": 1e-4, "high": 1e1, "log": True, "points": 3},
                "hidden": [[8], [8, 4]],
                "dropout": {"low": 0.0, "high": 0.3, "points": 2},
            },
            "search": {"method": method, "trials": 14, "batch": 4, **({"partial": True} if method == "grid" else {})},
        }
    )
    return Problem(spec, Dataset.load(spec.data, spec.seed, spec.base))


class _Keep:
    """A store in memory: what was committed, in order."""

    def __init__(self, fixed: Mapping[str, Any]) -> None:
        self.fixed = fixed
        self.curves: dict[int, dict[str, list[float]]] = {}
        self.committed: dict[int, CommittedTrial] = {}

    def log_segment(self, running: LiveTrial, outcome: Outcome) -> None:
        kept = self.curves.setdefault(running.number, {})
        for key, values in outcome.curves.items():
            kept.setdefault(key, []).extend(values)

    def commit(self, running: LiveTrial, record: TrialRecord, outcome: Outcome | None) -> None:
        if outcome is not None:
            self.log_segment(running, outcome)
        self.committed[running.number] = CommittedTrial(record, self.curves.get(running.number, {}))


def swept(
    method: str, executor: Executor, workers: int, committed: Mapping[int, CommittedTrial] | None = None
) -> _Keep:
    made = problem(method)
    study = made.study()
    evaluator: Evaluator = EngineEvaluator(made.task(), executor, workers)
    if committed is not None:
        evaluator = Replay(evaluator, committed, made.fixed)
    keep = _Keep(made.fixed)
    coordinator = Coordinator(
        study,
        made.space,
        made.scheduler(study),
        evaluator,
        fixed=made.fixed,
        recorder=keep,
        observer=Observer(),
    )
    coordinator.run(made.budget(study))
    assert sorted(keep.committed) == list(range(len(study.trials)))
    return keep


def result(keep: _Keep) -> dict[int, Any]:
    return dict(sorted(keep.committed.items()))


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[int, Workers]]:
    with Workers(2) as two, Workers(4) as four:
        yield {2: two, 4: four}


@pytest.fixture(scope="module")
def dask() -> Iterator[ExternalExecutor]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        ) as cluster,
        open_executor(cluster.scheduler_address.replace("tcp://", "dask://")) as executor,
    ):
        yield executor


@pytest.mark.parametrize("method", METHODS)
def test_processes_and_resumes_change_nothing(method: str, pools: dict[int, Workers]) -> None:
    alone = swept(method, Inline(), 1)
    order = list(alone.committed)
    assert result(swept(method, pools[2], 2)) == result(alone)
    half = {number: alone.committed[number] for number in order[: len(order) // 2]}
    assert result(swept(method, pools[4], 4, half)) == result(alone)


@pytest.mark.parametrize("method", ["tpe", "hyperband"])
def test_dask_changes_nothing(method: str, dask: ExternalExecutor) -> None:
    assert result(swept(method, dask, len(dask))) == result(swept(method, Inline(), 1))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_nothing_changes_anything(method: str, pools: dict[int, Workers], dask: ExternalExecutor) -> None:
    alone = swept(method, Inline(), 1)
    order = list(alone.committed)
    for workers, pool in pools.items():
        assert result(swept(method, pool, workers)) == result(alone)
    assert result(swept(method, dask, 2)) == result(alone)
    for done in range(len(order) + 1):
        part = {number: alone.committed[number] for number in order[:done]}
        executor = (dask, *pools.values())[done % 3]
        assert result(swept(method, executor, 2, part)) == result(alone)
