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


def _who_has_data(job: PlainJob, data: Shared) -> Any:
    """This process, and whether the data came with the job."""
    if data.value is None and data.key not in _seen:
        return jobs.MissingData(data.key)
    _seen.add(data.key)
    time.sleep(0.02)
    return os.getpid(), data.value is not None


def _forget(job: PlainJob, data: Shared) -> None:
    _seen.clear()


_seen: set[str] = set()


def test_any_executor_gets_the_data_when_it_misses_it_and_one_thread_of_linear_algebra() -> None:
    data = Shared("k", b"x")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, open_executor(pool) as executor:

        def brought(n: int) -> list[bool]:
            return [executor.submit(_who_has_data, PlainJob(), data).result()[1] for _ in range(n)]

        assert brought(10) == [True] + [False] * 9
        executor.submit(_forget, PlainJob(), data).result()
        assert brought(10) == [True] + [False] * 9
        assert executor.submit(blas_threads, PlainJob(), Shared("k", None)).result() == {1}


def test_each_process_of_a_pool_gets_the_data() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool, open_executor(pool) as executor:
        answers: list[tuple[int, bool]] = []
        while len({process for process, _ in answers}) < 2:  # the pool starts its second process when it is needed
            sent = [executor.submit(_who_has_data, PlainJob(), Shared("k", b"x")) for _ in range(2)]
            answers += [future.result(timeout=60) for future in sent]
        assert {process for process, came in answers if came} == {process for process, _ in answers}


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
