"""External executors: a real Dask cluster on loopback whose workers are killed, and executors of every other kind."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info

import mlptune
from mlptune.experiments.errors import ExecutorLost, UserError
from mlptune.experiments.execution import dask_cluster, jobs
from mlptune.experiments.execution.executors import open_executor
from mlptune.experiments.execution.shared import Shared
from mlptune.experiments.results import show
from tests.support.observers import AfterTrials
from tests.support.processes import wait_until
from tests.support.sweeps import iris

distributed = pytest.importorskip("distributed")


def cluster(n_workers: int = 2, **options: Any):
    """Processes on loopback, one thread each."""
    where = {"processes": True, "dashboard_address": "127.0.0.1:0", "threads_per_worker": 1}
    return distributed.LocalCluster(n_workers=n_workers, **where | options)


def address(there) -> str:
    return there.scheduler_address.replace("tcp://", "dask://")


def values(name: str) -> list[tuple]:
    return [(t["number"], t["state"], t["value"], t["epochs"]) for t in show(name)["trials"]]


def test_dask_workers_are_killed_then_the_scheduler_goes_and_the_sweep_is_the_same(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 5)
    mlptune.run_sweep(iris(name="undisturbed"), workers=1)
    with cluster() as there:
        worker = next(iter(there.workers.values())).process.pid
        kill = AfterTrials(3, lambda: os.kill(worker, signal.SIGKILL))
        mlptune.run_sweep(iris(name="killed"), executor=address(there), observer=kill)
        assert values("killed") == values("undisturbed")
        with pytest.raises(ExecutorLost, match=r"--executor dask://127.0.0.1:\d+: .*--resume continues 'lost'"):
            mlptune.run_sweep(iris(name="lost"), executor=address(there), observer=AfterTrials(3, there.close))
    assert show("lost")["state"] == "interrupted"
    with ThreadPoolExecutor(2) as threads:
        mlptune.run_sweep(iris(name="lost"), executor=threads, resume=True)
        assert threads.submit(pow, 2, 3).result() == 8
    assert values("lost") == values("undisturbed")


@pytest.mark.slow
def test_a_coordinator_that_is_killed_leaves_the_cluster_idle(store: str) -> None:
    with cluster() as there, there.get_client() as client:
        spec = iris(search={"method": "random", "trials": 2000})
        script = f"import mlptune; mlptune.run_sweep({spec!r}, executor={address(there)!r})"
        with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: any(client.processing().values()), process)
            process.send_signal(signal.SIGKILL)
        wait_until(lambda: not any(client.processing().values()), seconds=5)


def test_data_goes_to_dask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster(processes=False, protocol="tcp://") as there, open_executor(address(there)) as executor:
        assert len(executor) == 2
        data = Shared("k", bytes(1000))
        scattered = []
        original = distributed.Client.scatter
        monkeypatch.setattr(distributed.Client, "scatter", lambda *a, **k: scattered.append(1) or original(*a, **k))
        sizes = [f.result(timeout=60) for f in [executor.submit(_size, _Job(), data) for _ in range(20)]]
        assert (sizes, len(scattered)) == ([1000] * 20, 1)


class _Job:
    """What `run_guarded` knows of a job."""

    seconds: float | None = None


def _size(job: _Job, data: Shared) -> int:
    return len(data.value)


def _threads(job: _Job, data: Shared) -> set[int]:
    import numpy as np

    np.ones((2, 2)) @ np.ones((2, 2))
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def _missing(job: _Job, data: Shared) -> Any:
    seen = _seen.setdefault(data.key, data.value)
    time.sleep(0.02)
    if seen is None:
        del _seen[data.key]
        return jobs.MissingData(data.key)
    return os.getpid(), data.value is not None


_seen: dict[str, Any] = {}


def test_any_executor_gets_the_data_when_it_misses_it_and_one_thread_of_linear_algebra() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool, open_executor(pool) as executor:
        answers = [f.result() for f in [executor.submit(_missing, _Job(), Shared("k", b"x")) for _ in range(30)]]
        processes = {pid for pid, _ in answers}
        assert sum(brought for _, brought in answers) <= 2 * len(processes)
        assert executor.submit(_threads, _Job(), Shared("k", None)).result() == {1}


def test_a_broken_executor_ends_the_sweep_so_that_it_can_be_resumed() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, open_executor(pool) as executor:
        with pytest.raises(Exception, match="terminated abruptly"):
            executor.submit(_die, _Job(), Shared("k", b"")).result()
        with pytest.raises(ExecutorLost, match="accepts no more jobs"):
            executor.submit(_size, _Job(), Shared("k", b"")).result()


def _die(job: _Job, data: Shared) -> None:
    os._exit(1)


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
        assert executor.submit(_size, _Job(), Shared("k", b"abc")).result() == 3
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


@pytest.mark.slow
def test_a_dask_worker_without_mlptune_is_told_of() -> None:
    with cluster(0) as there:
        with pytest.raises(UserError, match="its scheduler has no workers"):
            open_executor(address(there))
        program = f"""
import sys
sys.modules["mlptune"] = None
from distributed.cli.dask_worker import main
sys.argv = ["dask-worker", {there.scheduler_address!r}, "--host", "127.0.0.1", "--no-nanny", "--no-dashboard"]
main()
"""
        with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as process:
            there.wait_for_workers(1, timeout=60)
            with pytest.raises(
                UserError, match=r"worker tcp://.*: mlptune cannot be imported there .*; install mlptune=="
            ):
                open_executor(address(there))
            process.terminate()


def test_tls_files_come_with_the_address(tmp_path: Path) -> None:
    security = distributed.Security.temporary()
    files = {"ca": security.tls_ca_file, "cert": security.tls_client_cert, "key": security.tls_client_key}
    for key, text in files.items():
        (tmp_path / f"{key}.pem").write_text(text)
    with cluster(1, processes=False, protocol="tls://", security=security) as there:
        place = there.scheduler_address.replace("tls://", "dask+tls://")
        query = "&".join(f"{key}={tmp_path / f'{key}.pem'}" for key in files)
        with open_executor(f"{place}?{query}") as executor:
            assert executor.submit(_size, _Job(), Shared("k", b"ab")).result(timeout=60) == 2
            assert executor.messages == ()
        with pytest.raises(UserError, match="no Dask scheduler answers"):
            open_executor(place)


def test_an_executor_of_dask_is_known_for_what_it_is() -> None:
    with cluster(3, processes=False) as there, distributed.Client(there) as client:
        with open_executor(client.get_executor()) as executor:
            assert len(executor) == 3
            assert executor.messages == ()
            assert executor.submit(_size, _Job(), Shared("k", b"ab")).result(timeout=60) == 2
        assert client.submit(pow, 2, 3).result() == 8  # it stays open


def test_dask_in_the_open_without_tls_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    places = ["localhost:1", "127.0.0.5:1", "[::1]:1", "10.0.0.5:1", "0.0.0.0:1", "cluster.example.org:1"]
    assert [dask_cluster._loopback(place) for place in places] == [True] * 3 + [False] * 3
    monkeypatch.setattr(dask_cluster, "_loopback", lambda place: False)  # no test opens a port to the world
    with cluster(1, processes=False, protocol="tcp://") as there, open_executor(address(there)) as executor:
        assert any("Dask without TLS" in text and "run any code" in text for text in executor.messages)
