"""A real Dask cluster on loopback: its workers are killed, it is lost, it is refused, and it gets the data once."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import distributed
import pytest
from sklearn.datasets import load_iris

import mlptune
from mlptune.experiments.errors import ExecutorLost, UserError
from mlptune.experiments.execution import dask_cluster
from mlptune.experiments.execution.executors import open_executor
from mlptune.experiments.execution.shared import Shared
from mlptune.experiments.queries import show
from tests.support.jobs import PlainJob, size
from tests.support.observers import AfterTrials
from tests.support.processes import wait_until
from tests.support.sweeps import iris


def cluster(n_workers: int = 2, **options: Any):
    """Processes on loopback, one thread each."""
    where = {"processes": True, "dashboard_address": "127.0.0.1:0", "threads_per_worker": 1}
    return distributed.LocalCluster(n_workers=n_workers, **where | options)


def address(there) -> str:
    return there.scheduler_address.replace("tcp://", "dask://")


def values(name: str) -> list[tuple]:
    return [(t["number"], t["state"], t["value"], t["epochs"]) for t in show(name)["trials"]]


def model(name: str) -> tuple:
    """The ensemble, what it is expected to score, and its predictions."""
    best = mlptune.load_result(name).best
    assert len(best["ensemble"]) > 1, "one member shows nothing"
    return (
        best["ensemble"],
        best["expected"],
        mlptune.load_model(name).predict_proba(load_iris(as_frame=True).data).tolist(),
    )


def test_dask_workers_are_killed_then_the_scheduler_goes_and_the_sweep_is_the_same(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 3)
    mlptune.run_sweep(iris(name="undisturbed", seed=6), workers=1)
    with cluster() as there:
        worker = next(iter(there.workers.values())).process.pid
        kill = AfterTrials(3, lambda: os.kill(worker, signal.SIGKILL))
        mlptune.run_sweep(iris(name="killed", seed=6), executor=address(there), observer=kill)
        assert values("killed") == values("undisturbed")
        assert model("killed") == model("undisturbed")
        with pytest.raises(ExecutorLost, match=r"--executor dask://127.0.0.1:\d+: .*--resume continues 'lost'"):
            mlptune.run_sweep(iris(name="lost", seed=6), executor=address(there), observer=AfterTrials(3, there.close))
    assert show("lost")["state"] == "interrupted"
    with ThreadPoolExecutor(2) as threads:
        mlptune.run_sweep(iris(name="lost", seed=6), executor=threads, resume=True)
        assert threads.submit(pow, 2, 3).result() == 8
    assert values("lost") == values("undisturbed")
    assert model("lost") == model("undisturbed")


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
        sizes = [f.result(timeout=60) for f in [executor.submit(size, PlainJob(), data) for _ in range(20)]]
        assert (sizes, len(scattered)) == ([1000] * 20, 1)


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


class Unfetchable:
    """Is made by a worker, and cannot be read where it is fetched."""

    def __reduce__(self) -> tuple:
        return int, ("not a number",)


def test_a_result_that_cannot_be_fetched_is_a_fault_and_a_dropped_job_is_cancelled() -> None:
    with (
        cluster(1, processes=False, protocol="tcp://") as there,
        distributed.Client(there) as watching,
        open_executor(address(there)) as executor,
    ):
        with pytest.raises(ValueError, match="not a number"):
            executor.submit(_unfetchable, PlainJob(), Shared("k", b"")).result(timeout=60)
        executor.submit(_sleep, PlainJob(), Shared("k", b""))
        wait_until(lambda: any(watching.processing().values()))
        executor.shutdown()
        wait_until(lambda: not any(watching.processing().values()))


def _unfetchable(job: PlainJob, data: Shared) -> Unfetchable:
    return Unfetchable()


def _sleep(job: PlainJob, data: Shared) -> None:
    time.sleep(1)


def test_tls_files_come_with_the_address(tmp_path: Path) -> None:
    security = distributed.Security.temporary()
    files = {"ca": security.tls_ca_file, "cert": security.tls_client_cert, "key": security.tls_client_key}
    for key, text in files.items():
        (tmp_path / f"{key}.pem").write_text(text)
    with cluster(1, processes=False, protocol="tls://", security=security) as there:
        place = there.scheduler_address.replace("tls://", "dask+tls://")
        query = "&".join(f"{key}={tmp_path / f'{key}.pem'}" for key in files)
        with open_executor(f"{place}?{query}") as executor:
            assert executor.submit(size, PlainJob(), Shared("k", b"ab")).result(timeout=60) == 2
            assert executor.messages == ()
        with pytest.raises(UserError, match="no Dask scheduler answers"):
            open_executor(place)


def test_an_executor_of_dask_is_known_for_what_it_is() -> None:
    with cluster(3, processes=False) as there, distributed.Client(there) as client:
        with open_executor(client.get_executor()) as executor:
            assert len(executor) == 3
            assert executor.messages == ()
            assert executor.submit(size, PlainJob(), Shared("k", b"ab")).result(timeout=60) == 2
        assert client.submit(pow, 2, 3).result() == 8  # it stays open


def test_dask_in_the_open_without_tls_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    places = ["localhost:1", "127.0.0.5:1", "[::1]:1", "10.0.0.5:1", "0.0.0.0:1", "cluster.example.org:1"]
    assert [dask_cluster._loopback(place) for place in places] == [True] * 3 + [False] * 3
    monkeypatch.setattr(dask_cluster, "_loopback", lambda place: False)  # no test opens a port to the world
    with cluster(1, processes=False, protocol="tcp://") as there, open_executor(address(there)) as executor:
        assert any("Dask without TLS" in text and "run any code" in text for text in executor.messages)


@pytest.mark.slow
def test_a_server_that_is_dead_is_one_line_and_no_warnings_behind_it(tmp_path: Path) -> None:
    with cluster(1) as there:
        command = [sys.executable, "-m", "mlptune", "sweep", "--data", "sklearn:iris", "--trials", "2", "--epochs", "2"]
        command += ["--target", "target", "--executor", address(there), "--tracking-uri", "http://127.0.0.1:9"]
        environment = {**os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert (ran.returncode, ran.stdout) == (1, "")
    told = [line for line in ran.stderr.splitlines() if not line.startswith(("auto: ", "iris: ", "begun on"))]
    [line] = told
    assert line.startswith("mlptune: the store http://127.0.0.1:9 failed while opening a launch of 'iris'")
