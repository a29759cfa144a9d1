"""`mlptune ui`: MLflow's server for this machine alone, ended with Ctrl-C."""

import re
import signal
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.processes import Run, start, wait_until


def test_the_ui_answers_this_machine_alone_and_ends_with_ctrl_c(
    folder: Path, there: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = tmp_path / "opened"
    monkeypatch.setenv(
        "BROWSER", f"{sys.executable} -c \"import sys; open({str(opened)!r}, 'w').write(sys.argv[1])\" %s"
    )
    process = start(folder, "ui", "--port", "0", "--browser")
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if "http://" in line)
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found
        port = int(found[1])
        assert "text/html" in urllib.request.urlopen(found[0], timeout=30).headers["content-type"]
        evil = urllib.request.Request(found[0], headers={"Host": "127.0.0.1.evil.com"})
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            urllib.request.urlopen(evil, timeout=30)
        refused.value.close()
        second = there("ui", "--port", str(port))
        assert second.exit_code == 2
        assert f"--port {port}: Address already in use" in second.stderr
        wait_until(lambda: opened.is_file() and opened.read_text(), process)
        assert opened.read_text().startswith(f"http://127.0.0.1:{port}/#/experiments/")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
    with socket.socket() as probe:
        probe.settimeout(2)
        assert probe.connect_ex(("127.0.0.1", port)) != 0
