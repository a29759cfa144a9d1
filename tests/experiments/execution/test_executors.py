"""Executors by name and address: those of other packages, and a clear line for what is none."""

from pathlib import Path
from typing import Any

import pytest

from mlptune.experiments.errors import UserError
from mlptune.experiments.execution import dask_cluster
from mlptune.experiments.execution.executors import open_executor
from mlptune.experiments.execution.shared import Shared
from tests.support.jobs import PlainJob, size


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package is installed that offers an executor."""
    (tmp_path / "their_executor.py").write_text(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def make(n='1'): return ThreadPoolExecutor(int(n))\n"
        "def none(): return 3\n"
    )
    info = tmp_path / "their_executor-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-executor\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[mlptune.executors]\ntheirs = their_executor:make\nnone = their_executor:none\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_executors_of_other_packages_come_by_name(installed: None) -> None:
    with open_executor("theirs:3") as executor:
        assert len(executor) == 3
        assert executor.submit(size, PlainJob(), Shared("k", b"abc")).result() == 3
    with open_executor("theirs", workers=2) as executor:
        assert len(executor) == 2
    with pytest.raises(UserError, match="the entry point made int, not an Executor"):
        open_executor("none")


@pytest.mark.parametrize(
    ("executor", "line"),
    [
        ("ray://x:1", "--executor ray://x:1: unknown; known are dask://host:port, dask+tls://host:port"),
        ("dask://127.0.0.1", "--executor dask://127.0.0.1: write dask://host:port"),
        ("dask://127.0.0.1:99999", "write dask://host:port"),
        ("dask://127.0.0.1:1?ca=x", "unknown option 'ca'; TLS is dask+tls://"),
        ("dask+tls://127.0.0.1:1?pem=x", "unknown option 'pem'; known are ca, cert, key"),
        ("dask://127.0.0.1:1", "--executor dask://127.0.0.1:1: no Dask scheduler answers"),
        ("dask+tls://127.0.0.1:1", "--executor dask+tls://127.0.0.1:1: no Dask scheduler answers"),
        ("dask+tls://127.0.0.1:1?ca=/nowhere.pem", "/nowhere.pem: there is no such file"),
        (3, "executor: must be an address, a name or a concurrent.futures.Executor, got 3"),
    ],
)
def test_wrong_executors_are_told_in_one_line(executor: Any, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 0.3)
    with pytest.raises(UserError) as refused:
        open_executor(executor)
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)
