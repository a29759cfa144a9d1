"""The command in a process of its own, signals to it, and whether processes live."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Run = Callable[..., Result]
"""Runs a command in this process: `run("show", "cars")`."""


def environment() -> dict[str, str]:
    """The environment of a user who has set nothing of MLflow's."""
    hidden = ("MLFLOW_TRACKING_URI", "MLFLOW_HTTP_REQUEST_MAX_RETRIES")
    return {key: value for key, value in os.environ.items() if key not in hidden} | {"OPENBLAS_NUM_THREADS": "1"}


def start(
    folder: Path, *arguments: str, announce: bool = False, env: dict[str, str] | None = None
) -> "subprocess.Popen[str]":
    """The command in a process group of its own, which hears Ctrl-C as in a terminal.

    With `announce` it prints "imported" on standard output before it begins.
    """
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from mlptune.experiments.cli import main\n"
    program += "print('imported', flush=True)\n" if announce else ""
    return subprocess.Popen(
        [sys.executable, "-c", f"{program}main()", *arguments],
        cwd=folder,
        env=env or environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """The command, from start to end."""
    process = start(folder, *arguments, env=env)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def script(folder: Path, text: str) -> list[str]:
    """A command that runs a Python program from a file in `folder`."""
    file = folder / "script.py"
    file.write_text(text)
    return [sys.executable, str(file)]


def wait_until(
    condition: Callable[[], object], process: "subprocess.Popen | None" = None, seconds: float = 120
) -> None:
    """Wait for a condition, while `process` lives."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        assert process is None or process.poll() is None
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie, which has ended and was not waited for, does not."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


class SwallowedCtrlC:
    """Ctrl-C where Python drops whatever is raised: create one and let it go."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)
