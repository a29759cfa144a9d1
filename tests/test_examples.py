"""The examples run as they stand, in an empty folder: as scripts, in this process, which has imported already what they import."""

import runpy
from pathlib import Path

import optuna
import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
# What each prints at the end if all went well.
LAST = {"own_sampler.py": "best: trial", "table.py": "prediction"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_example_runs(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    verbosity = optuna.logging.get_verbosity()
    try:
        runpy.run_path(str(example), run_name="__main__")
    finally:
        optuna.logging.set_verbosity(verbosity)
    assert LAST[example.name] in capsys.readouterr().out
