"""MLflow is imported late, and quietly."""

import os
import subprocess
import sys

import pytest

from mlptune.tracking import store


def test_importing_the_room_costs_no_mlflow() -> None:
    code = "import sys, mlptune.tracking.writer, mlptune.tracking.reader; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_LOGGING_LEVEL", "DEBUG")
    store.import_mlflow()
    assert os.environ["MLFLOW_LOGGING_LEVEL"] == "DEBUG"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
