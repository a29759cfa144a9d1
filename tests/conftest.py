"""What the tests of several rooms share: a store that was migrated once and is copied, and the processes of sweeps."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from mlptune.experiments import run
from mlptune.experiments.execution.external import ExternalExecutor
from mlptune.experiments.execution.workers import Workers, default_workers
from mlptune.tracking.store.sqlite import prepare_store

# In continuous integration the examples are the same each time; elsewhere they are drawn anew, and new failures are found.
# No example has a limit in time: on a busy machine it may take any.
_UNTIMED: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("anew", max_examples=40, **_UNTIMED)
settings.register_profile("ci", max_examples=40, derandomize=True, **_UNTIMED)
settings.load_profile("ci" if os.environ.get("CI") else "anew")


# The tests start a hundred processes: each would compile the package anew where Python is told not to keep its bytecode.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Where Linux keeps files in memory: a sweep commits to its store some fifty times, and a disk takes its milliseconds for each.
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 4 << 30
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


# Five thousand tests and the libraries that they import stay to the end: the search for garbage among them takes seconds.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


# Files that take long. Of two processes neither may begin one when the other has nothing left to do.
LONG_FILES = (
    "test_faults.py",
    "test_queue.py",
    "test_resume.py",
    "test_tuned.py",
    "test_ui.py",
    "test_extensions.py",
    "test_dask_cluster.py",
    "test_wheel.py",
    "test_readme.py",
    "test_docs.py",
    "test_store_trouble.py",
    "test_interruption.py",
    "test_in_charge.py",
    "test_model.py",
    "test_samplers.py",
    "test_contracts.py",
    "test_pbt.py",
    "test_stop_rules.py",
    "test_copies.py",
    "test_equality.py",
    "test_members.py",
    "test_front.py",
    "test_sweeping.py",
    "test_charge.py",
    "test_bulk_insert.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the long files come first; all else stays in its order."""
    items.sort(key=lambda item: item.path.name not in LONG_FILES)


@pytest.fixture(scope="session", autouse=True)
def _memory_given_back(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Once all has passed nobody looks at its files, which take memory; on a disk pytest keeps those of three sessions."""
    yield
    if MEMORY in tmp_path_factory.getbasetemp().parents and not request.session.testsfailed:
        shutil.rmtree(tmp_path_factory.getbasetemp(), ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _own_state_folder(_memory_given_back: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What waits for a store that is away lies in the tests' own folder, for the processes that they start too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "mlflow.db"
    prepare_store(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session", autouse=True)
def one_writer_process() -> Iterator[None]:
    """All sweeps of this process write through one process, which imports MLflow once: the import is most of a small sweep.

    It is a real one, started when the first sweep needs it. Sweeps in processes of their own have their own.
    """
    start = run._open_writer_process
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        started: list[Workers] = []

        def shared(uri: str) -> AbstractContextManager[Workers]:
            if not started:
                started.append(stack.enter_context(start(uri)))
            return nullcontext(started[0])

        patch.setattr(run, "_open_writer_process", shared)
        yield


@pytest.fixture(scope="session", autouse=True)
def same_workers() -> Iterator[None]:
    """A sweep of this process trains in the workers of the one before, if that left them with nothing to do.

    They are real ones. After an interruption they are ended as always, and the next sweep starts its own; so do sweeps in processes
    of their own.
    """
    start = run.open_executor
    idle: dict[tuple[Any, ...], Workers] = {}

    @contextmanager
    def used(workers: int) -> Iterator[Workers]:
        key = (
            workers,
            *sys.path,
            os.environ.get("PYTHONPATH"),
        )  # processes find installed packages as they did at their start
        pool = idle.pop(key, None) or start(None, workers)
        starting = [worker.busy for worker in pool._workers]
        try:
            yield pool
        finally:
            if pool._closed or any(worker.busy not in (None, *starting) for worker in pool._workers):
                pool.shutdown()
            else:
                for worker in pool._workers:
                    worker.known = set()  # data are sent anew: a worker keeps those of few sweeps
                idle[key] = pool

    def opened(executor: Any = None, workers: int | None = None) -> AbstractContextManager[Workers | ExternalExecutor]:
        if executor is not None or (workers or 1) > 4:
            return start(executor, workers)
        return used(workers or default_workers())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "open_executor", opened)
        yield
    for pool in idle.values():
        pool.shutdown()
