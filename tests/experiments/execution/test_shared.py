"""An argument of many calls travels to each process once."""

import os
import time

import pytest
from loky.process_executor import TerminatedWorkerError

from mlptune.experiments.execution.shared import Shared
from mlptune.experiments.execution.workers import Workers


class _Counted:
    """A megabyte that counts how often it is sent."""

    times = 0

    def __reduce__(self) -> tuple[type, tuple[int]]:
        _Counted.times += 1
        return bytes, (1_000_000,)


def test_each_worker_gets_the_data_once() -> None:
    with Workers(2) as workers:
        data = Shared("digits", _Counted())
        sizes = [future.result(timeout=60) for future in [workers.submit(_received, data) for _ in range(20)]]
        sent = _Counted.times
        assert sorted(sizes) == [0] * (20 - sent) + [1_000_000] * sent
        assert 1 <= sent <= 2


def test_a_worker_that_replaces_a_dead_one_gets_the_data_too() -> None:
    with Workers(1) as workers:
        data = Shared("digits", bytes(1_000_000))
        assert [workers.submit(_received, data).result(timeout=60) for _ in range(2)] == [1_000_000, 0]
        with pytest.raises(TerminatedWorkerError):
            workers.submit(os._exit, 1).result(timeout=60)
        assert [workers.submit(_received, data).result(timeout=60) for _ in range(2)] == [1_000_000, 0]


def _received(data: Shared) -> int:
    time.sleep(0.05)
    return len(data.value or b"")
