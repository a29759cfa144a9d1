"""Where training runs never changes a sweep.

Every method gives the same trials, values and curves with 1, 2 and 4 workers, on a Dask cluster, and resumed from the middle.

The loop, the engine and the processes are real; the store is left out, which `launch/test_launch.py` and `test_faults.py` bring in.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Any

import pytest

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.execution.engine import EngineEvaluator
from mlptune.experiments.execution.evaluation import EndedTrial, Evaluator
from mlptune.experiments.execution.executors import ExternalExecutor, open_executor
from mlptune.experiments.execution.workers import Inline, Workers
from mlptune.experiments.launch.coordinator import Coordinator
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from mlptune.experiments.launch.replay import Replay
from mlptune.experiments.launch.searching import create_scheduler, create_study, search_budget
from mlptune.experiments.progress import Observer
from mlptune.search.methods import METHODS
from tests.support.recorders import MemoryRecorder
from tests.support.sweeps import FEW_CANDIDATES, iris


def problem(method: str) -> SweepPlan:
    spec, _ = load_spec(
        iris(
            method=method,
            name=method,
            data__seeds=2,
            model={"epochs": 9, "batch_size": 32},
            space__learning_rate={"low": 1e-4, "high": 1e1, "log": True, "points": 3, "prior": 0.03},
            search__trials=14,
            **({"search__partial": True} if method == "grid" else {}),
            **({"search__options": FEW_CANDIDATES} if method == "bayesian" else {}),
        )
    )
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))


def swept(
    method: str, executor: Executor, workers: int, committed: Mapping[int, EndedTrial] | None = None
) -> MemoryRecorder:
    made = problem(method)
    study = create_study(made)
    evaluator: Evaluator = EngineEvaluator(made.task(), executor, workers)
    if committed is not None:
        evaluator = Replay(evaluator, committed, made.fixed)
    recorder = MemoryRecorder()
    coordinator = Coordinator(
        study,
        made.space,
        create_scheduler(made, study),
        evaluator,
        fixed=made.fixed,
        recorder=recorder,
        observer=Observer(),
    )
    coordinator.run(search_budget(made, study))
    assert sorted(recorder.ends) == list(range(len(study.trials)))
    return recorder


def result(recorder: MemoryRecorder) -> dict[int, Any]:
    return dict(sorted(recorder.committed.items()))


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[int, Workers]]:
    with Workers(2) as two, Workers(4) as four:
        yield {2: two, 4: four}


@pytest.fixture(scope="module")
def dask() -> Iterator[ExternalExecutor]:
    import distributed

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
    records = [trial.record for trial in alone.committed.values()]
    stopped = [trial for trial in records if trial.state == "pruned" and not trial.diverged]
    assert bool(stopped) == (method in ("hyperband", "asha", "bohb", "mobster"))
    assert all(trial.epochs < 9 for trial in stopped)
    assert result(swept(method, pools[2], 2)) == result(alone)
    half = {number: alone.committed[number] for number in order[: len(order) // 2]}
    assert result(swept(method, pools[4], 4, half)) == result(alone)


def test_dask_changes_nothing(dask: ExternalExecutor) -> None:
    """With rungs, so that states travel; a sweep without, in a store, is in `execution/test_dask_cluster.py`."""
    assert result(swept("hyperband", dask, len(dask))) == result(swept("hyperband", Inline(), 1))


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
