"""MLflow's own UI over the same store, for this machine's browser only."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable

from ...tracking import reader, store
from ...tracking.records import LaunchRecord
from ...tracking.schema import DIRECTION
from .. import launches
from ..errors import SweepFailed, UserError
from ..execution import interruption

HOST = "127.0.0.1"
_START_SECONDS = 90.0
_CHECK_SECONDS = 0.1
_SERVER_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "PYTHONWARNINGS": "ignore",  # its own deprecations are irrelevant to users of the UI
}


def run_ui(
    tracking_uri: str | None, port: int, say: Callable[[str], None], name: str | None = None, *, browser: bool = False
) -> None:
    """Serve the store until Ctrl-C; `say` gets the line with the address once the server answers.

    A link to the trials and curves of the sweep `name`, or of the newest one, comes with it, and is opened in a `browser`; of a
    server's store that is all.

    Raises NotFound for an unknown sweep, UserError for a missing store and a taken port, SweepFailed if the server does not start.
    """
    try:
        uri = store.store_uri(tracking_uri)
    except ValueError as error:
        raise UserError(str(error)) from None
    if uri.startswith(("http://", "https://")):
        say(f"the store is an MLflow server: open {store.redact(uri)} in the browser")
        _show(_launch(uri, name), uri, store.redact(uri).rstrip("/"), say, browser)
        return
    if not store.store_exists(uri):
        raise UserError(f"there is no store at {store.redact(uri)}; a sweep creates it: mlptune sweep digits")
    _launch(uri, name)
    port = _free_port(port)
    try:
        store.prepare_store(uri)
    except ValueError as error:
        raise UserError(str(error)) from None
    hosts = f"{HOST}:{port},localhost:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--allowed-hosts", hosts, "--cors-allowed-origins", f"http://{HOST}:{port},http://localhost:{port}"]
    command += ["--uvicorn-opts", "--log-level warning"]
    # The address may hold a password, which a command line would show to every user of the machine.
    environment = {**os.environ, **_SERVER_ENVIRONMENT, "MLFLOW_BACKEND_STORE_URI": uri}
    environment["MLFLOW_REGISTRY_STORE_URI"] = uri
    environment.pop("MLFLOW_TRACKING_URI", None)
    with interruption.catch_signals(raising=False) as stop:
        # In a session of its own: Ctrl-C then reaches us alone, and we end the server and its workers in order.
        server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            if _answers(server, port, stop):
                say(f"MLflow's UI over {store.redact(uri)}: http://{HOST}:{port}  (Ctrl-C ends it)")
                _show(_launch(uri, name), uri, f"http://{HOST}:{port}", say, browser)
            while not stop.made:
                if server.poll() is not None:
                    raise SweepFailed(f"MLflow's server ended by itself with status {server.returncode}")
                time.sleep(_CHECK_SECONDS)
        except KeyboardInterrupt:
            pass
        finally:
            _end(server)
        say("the UI has ended")


def _launch(uri: str, name: str | None) -> LaunchRecord | None:
    """The launch to open at; None in a store without sweeps."""
    if name is not None:
        return launches.choose(uri, name).launch
    return next((newest for newest, *_ in reader.sweeps(uri)), None)


def has_browser() -> bool:
    """Whether whoever sits at this terminal sees a browser that is opened here."""
    graphical = sys.platform in ("darwin", "win32") or any(
        os.environ.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return sys.stdout.isatty() and graphical


def _show(launch: LaunchRecord | None, uri: str, server: str, say: Callable[[str], None], browser: bool) -> None:
    """Say and open where a launch's trials and curves are, which are several clicks away in MLflow's own pages."""
    page = server
    if launch is not None:
        page += reader.chart_page(uri, launch.run_id, ascending=launch.tags.get(DIRECTION) == "minimize")
        say(f"trials and learning curves of {launch.name}: {page}")
    if browser and not webbrowser.open(page):
        say("no browser could be opened")


def _free_port(port: int) -> int:
    """Return the port if it is free, or any free one for 0. Raises UserError."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(
                f"--port {port}: {error.strerror or error}; give another one: mlptune ui --port 0"
            ) from None
        return int(probe.getsockname()[1])


def _answers(server: subprocess.Popen[bytes], port: int, stop: interruption.StopRequest) -> bool:
    """Wait until the server answers; return False if it was asked to stop before."""
    # Past any proxy of the environment: the address is this machine's own.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if stop.made:
            return False
        if server.poll() is not None:
            raise SweepFailed(f"MLflow's server did not start (status {server.returncode}); its messages are above")
        try:
            with opener.open(f"http://{HOST}:{port}/health", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SweepFailed(f"MLflow's server did not answer within {_START_SECONDS:.0f} seconds")


def _end(server: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
        except ProcessLookupError:
            break
        try:
            server.wait(timeout=5)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue  # too slow, or Ctrl-C again
