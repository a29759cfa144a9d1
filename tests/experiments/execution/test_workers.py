"""Worker processes: one queue, a crash is blamed on one job, and no process outlives its coordinator."""

import os
import signal
import subprocess
import sys
import time

import pytest
from loky.process_executor import TerminatedWorkerError

from mlptune.experiments.execution.workers import Workers
from tests.support.processes import alive, wait_until


def test_a_worker_that_dies_is_replaced_and_the_other_jobs_finish() -> None:
    with Workers(2) as workers:
        before = {workers.submit(os.getpid).result() for _ in range(6)}
        fatal = workers.submit(os._exit, 1)
        others = [workers.submit(pow, 2, n) for n in range(20)]
        with pytest.raises(TerminatedWorkerError):
            fatal.result(timeout=30)
        assert [future.result(timeout=30) for future in others] == [2**n for n in range(20)]
    assert os.getpid() not in before


def test_a_call_can_be_ended_whatever_it_does() -> None:
    with Workers(1) as workers:
        asleep, next_one = workers.submit(time.sleep, 600), workers.submit(pow, 2, 3)
        while not asleep.running():
            time.sleep(0.01)
        workers.kill(next_one)  # it waits: nothing happens to it
        workers.kill(asleep)
        assert next_one.result(timeout=60) == 8
        assert asleep.exception(timeout=60) is not None


def test_workers_use_one_thread_of_linear_algebra() -> None:
    with Workers(1) as workers:
        found = workers.submit(_threads).result(timeout=30)
    assert found
    assert set(found) == {1}


def _threads() -> list[int]:
    import numpy as np
    import threadpoolctl

    np.ones((2, 2)) @ np.ones((2, 2))
    return [library["num_threads"] for library in threadpoolctl.threadpool_info()]


def test_a_worker_does_not_import_joblib_where_the_coordinator_has() -> None:
    import joblib  # noqa: F401

    with Workers(1) as workers:
        assert "joblib" not in workers.submit(_modules).result(timeout=30)


def _modules() -> set[str]:
    return set(sys.modules)


SCRIPT = """
import os, sys, time
from mlptune.experiments.execution.workers import Workers
workers = Workers(2)
print(*[workers.submit(os.getpid).result() for _ in range(20)], flush=True)
workers.submit(time.sleep, 60)
workers.submit(exec, "while True: pass")
time.sleep(60)
"""


def test_workers_end_within_five_seconds_of_losing_their_coordinator() -> None:
    with subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(SCRIPT)
        process.stdin.close()
        pids = {int(pid) for pid in process.stdout.readline().split()}
        assert len(pids) in (1, 2)
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(alive, pids)), seconds=5)


KILLED_WHILE_STARTING = """
import os
from loky.backend import resource_tracker
from mlptune.experiments.execution.workers import Workers
Workers(1).submit(os.getpid).result()
resource_tracker.register("/loky-left-behind", "semlock")
os._exit(0)
"""


def test_nothing_is_printed_about_what_a_killed_sweep_left_behind() -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED_WHILE_STARTING], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
