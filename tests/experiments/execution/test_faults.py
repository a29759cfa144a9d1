"""Why a job did not return is told in one line, from what really happened to its process."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loky.process_executor import TerminatedWorkerError

from mlptune.experiments.execution.faults import LONGEST, reason
from mlptune.experiments.execution.workers import Workers


def test_the_death_of_a_worker_is_told_with_its_signal_or_status() -> None:
    with Workers(1) as workers:
        killed = workers.submit(signal.raise_signal, signal.SIGKILL).exception(timeout=60)
        left = workers.submit(os._exit, 3).exception(timeout=60)
    assert isinstance(killed, TerminatedWorkerError)
    assert isinstance(left, TerminatedWorkerError)
    assert reason(killed) == "its worker process died (SIGKILL -9), as when memory runs out"
    assert reason(left) == "its worker process died (EXIT 3)"


def test_a_pool_that_does_not_say_how_its_process_died_is_believed() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(os._exit, 1).exception(timeout=60)
    assert isinstance(error, BrokenProcessPool)
    assert reason(error) == "its worker process died"


def test_memory_that_is_refused_is_told_with_its_size() -> None:
    with pytest.raises(MemoryError) as refused:
        np.ones(2**58)
    assert reason(refused.value).startswith("its memory ran out: Unable to allocate 2.00 EiB")
    assert reason(MemoryError()) == "its memory ran out"


@given(st.text(), st.integers(1, 200), st.sampled_from([ValueError, OSError, FloatingPointError]))
def test_any_other_error_is_one_short_line_that_begins_with_its_kind(
    text: str, times: int, kind: type[Exception]
) -> None:
    line = reason(kind(text * times))
    assert line.startswith(f"{kind.__name__}: ")
    assert len(line.splitlines()) == 1
    assert len(line) <= LONGEST + len(kind.__name__) + 2
