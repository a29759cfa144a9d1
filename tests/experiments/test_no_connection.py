"""Nothing leaves the machine by itself: all processes of a sweep are listened to."""

import os
import subprocess
import sys
from pathlib import Path

# Python imports this first in every process; whoever asks for a name or a connection is written down.
LISTENER = """
import os, sys

def heard(event, arguments, file=os.environ["HEARD"]):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"):
        with open(file, "a") as log:
            log.write(f"{event} {arguments[1:] if event in ('socket.connect', 'socket.sendto') else arguments}\\n")

sys.addaudithook(heard)
"""
SWEEP = """
name = "quiet"
[data]
source = "sklearn:iris"
target = "target"
[model]
epochs = 2
[search]
trials = 2
"""


def test_nothing_leaves_the_machine_by_itself(store: str, tmp_path: Path) -> None:
    (tmp_path / "listener").mkdir()
    (tmp_path / "listener/sitecustomize.py").write_text(LISTENER)
    (tmp_path / "quiet.toml").write_text(SWEEP)
    heard = tmp_path / "heard"
    paths = [str(tmp_path / "listener"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_DISABLE_TELEMETRY"}
    environment |= {"PYTHONPATH": os.pathsep.join(paths), "HEARD": str(heard)}
    probe = "import socket; socket.create_connection(('127.0.0.1', 9))"
    subprocess.run([sys.executable, "-c", probe], env=environment, capture_output=True, check=False)
    assert "127.0.0.1" in heard.read_text(), "the listener hears nothing"
    heard.write_text("")
    command = [sys.executable, "-m", "mlptune", "sweep", "quiet.toml", "--workers", "1"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in heard.read_text().splitlines() if not line.startswith("socket.connect ('/")] == []
