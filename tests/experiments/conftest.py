"""A store for each test, migrated once and copied; one process that writes to all of them; a terminal's signal handlers."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

import pytest

from mlptune.experiments import run
from mlptune.experiments.execution.workers import Workers


@pytest.fixture
def store(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty store, which is also the default one: the current folder is the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copyfile(migrated, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def plain_handlers() -> Iterator[None]:
    """Ctrl-C as in a terminal, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def one_writer_process() -> Iterator[None]:
    """All sweeps of this process write through one process, which imports MLflow once: the import is most of a small sweep.

    It is a real one, started when the first sweep needs it. Sweeps in processes of their own have their own.
    """
    start = run._open_writer_process
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        started: list[Workers] = []

        def shared() -> AbstractContextManager[Workers]:
            if not started:
                started.append(stack.enter_context(start()))
            return nullcontext(started[0])

        patch.setattr(run, "_open_writer_process", shared)
        yield
