"""Executors that are not ours: asked who they are, given the data when they miss it, and lost in a way that can be resumed."""

import os
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

import mlptune
from mlptune.experiments.errors import ExecutorLost, UserError
from mlptune.experiments.execution import jobs
from mlptune.experiments.execution.executors import open_executor
from mlptune.experiments.execution.shared import Shared
from tests.support.jobs import PlainJob, blas_threads, size


def _missing(job: PlainJob, data: Shared) -> Any:
    seen = _seen.setdefault(data.key, data.value)
    time.sleep(0.02)
    if seen is None:
        del _seen[data.key]
        return jobs.MissingData(data.key)
    return os.getpid(), data.value is not None


_seen: dict[str, Any] = {}


def test_any_executor_gets_the_data_when_it_misses_it_and_one_thread_of_linear_algebra() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool, open_executor(pool) as executor:
        answers = [f.result() for f in [executor.submit(_missing, PlainJob(), Shared("k", b"x")) for _ in range(30)]]
        processes = {pid for pid, _ in answers}
        assert sum(brought for _, brought in answers) <= 2 * len(processes)
        assert executor.submit(blas_threads, PlainJob(), Shared("k", None)).result() == {1}


def test_a_broken_executor_ends_the_sweep_so_that_it_can_be_resumed() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, open_executor(pool) as executor:
        with pytest.raises(Exception, match="terminated abruptly"):
            executor.submit(_die, PlainJob(), Shared("k", b"")).result()
        with pytest.raises(ExecutorLost, match="accepts no more jobs"):
            executor.submit(size, PlainJob(), Shared("k", b"")).result()


def _die(job: PlainJob, data: Shared) -> None:
    os._exit(1)


def test_other_versions_are_refused_and_other_machines_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(1) as threads:
        monkeypatch.setattr(jobs, "worker_info", lambda: jobs.WorkerInfo("0.0.1", "an abacus"))
        with pytest.raises(UserError, match=r"has mlptune 0.0.1, this is .*; install the same there"):
            open_executor(threads)
        monkeypatch.setattr(jobs, "worker_info", lambda: jobs.WorkerInfo(mlptune.__version__, "an abacus"))
        assert open_executor(threads).messages == (
            "executor is another kind of machine (an abacus): last bits may differ",
        )
        monkeypatch.setattr(jobs, "worker_info", lambda: __import__("mlptune.nowhere"))
        with pytest.raises(UserError, match=r"mlptune cannot be imported there .*; install mlptune=="):
            open_executor(threads)
