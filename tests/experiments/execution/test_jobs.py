"""Jobs in processes that may not be ours: data that is missing, one BLAS thread, and an end to what takes too long."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from loky.process_executor import TerminatedWorkerError

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import Network
from mlptune.experiments.execution import jobs
from mlptune.experiments.execution.executors import open_executor
from mlptune.experiments.execution.shared import Shared
from mlptune.experiments.execution.workers import Workers
from tests.support.jobs import PlainJob, blas_threads
from tests.support.tasks import iris_task


def test_a_process_keeps_the_data_of_two_fingerprints_and_says_what_it_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_folds", {})
    task = iris_task()
    hp = Hyperparameters.from_config({"hidden": [4], "epochs": 2})
    shape = Structure.of(hp, n_inputs=4, n_outputs=3, n_rows=len(task.folds[0].X), loss=task.loss)
    job = jobs.Job(shape, (Network(hp, seed=0, fold=0),), None, 1, order_seed=3)
    assert jobs.run_job(job, Shared("a", None)) == jobs.MissingData("a")
    first = jobs.run_job(job, Shared("a", task.folds))
    assert isinstance(first, jobs.Trained)
    assert first.state.epoch.tolist() == [1]
    again = jobs.run_job(job, Shared("a", None))
    assert isinstance(again, jobs.Trained)
    np.testing.assert_array_equal(first.state.theta, again.state.theta)
    for key in ("b", "c"):
        jobs.run_job(job, Shared(key, task.folds))
    assert jobs.run_job(job, Shared("a", None)) == jobs.MissingData("a")


def test_a_job_has_one_thread_of_linear_algebra() -> None:
    assert jobs.run_guarded(blas_threads, PlainJob(), "k", b"", ("", 0)) == {1}


def test_a_job_that_is_overdue_ends_its_process_but_never_the_coordinators() -> None:
    job = PlainJob()
    job.seconds = 0.3
    with Workers(1) as workers:
        lost = workers.submit(jobs.run_guarded, _sleep, job, "k", b"", ("another machine", 1))
        with pytest.raises(TerminatedWorkerError):
            lost.result(timeout=60)
    with ThreadPoolExecutor(1) as threads, open_executor(threads) as executor:
        assert executor.submit(_nap, job, Shared("k", b"")).result() == "awake"


def _nap(job: PlainJob, data: Shared) -> str:
    time.sleep(0.6)
    return "awake"


def _sleep(job: PlainJob, data: Shared) -> None:
    time.sleep(600)
