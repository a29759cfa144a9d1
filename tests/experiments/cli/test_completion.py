"""The shell is offered commands, options and names, and a store is neither made nor waited for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlptune.core.hyperparameters import NAMES
from mlptune.core.metrics import METRICS
from mlptune.experiments.cli import commands, completion
from mlptune.search.methods import METHODS


def offered(*words: str) -> list[str]:
    """What the shell is offered for the last of these words."""
    asked = {
        "_MLPTUNE_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["mlptune", *words]),
        "COMP_CWORD": str(len(words)),
    }
    ran = CliRunner().invoke(commands.app, [], prog_name="mlptune", env=asked)
    assert ran.exit_code == 0, ran.output
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["co"], ["continue", "columns", "compare"]),
        (["sweep", "--dr"], ["--dry-run"]),
        (["sweep", "--method", "hyp"], ["hyperband"]),
        (["sweep", "--metric", "rms"], ["rmse"]),
        (["sweep", "dig"], ["digits"]),
        (["params", "learning"], ["learning_rate"]),
        (["methods", "boh"], ["bohb"]),
        (["metrics", "bal"], ["balanced_accuracy"]),
    ],
)
def test_what_begins_so_is_offered(words: list[str], names: list[str]) -> None:
    assert offered(*words) == names


def test_sweeps_are_those_of_the_store_in_the_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(folder)
    for command in ("best", "show", "predict"):
        assert offered(command, "ca") == ["cars"]
    monkeypatch.chdir(tmp_path)
    assert offered("best", "ca") == []
    assert not list(tmp_path.iterdir())


def test_sweep_files_are_those_beside_what_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("my.toml", "mine.csv", "sub/other.toml"):
        (tmp_path / name).touch()
    assert completion.specs("m") == ["my.toml"]
    assert completion.specs("sub/") == ["sub/other.toml"]
    assert completion.specs("nowhere/x") == []


def test_all_names_are_offered() -> None:
    assert completion.methods("") == list(METHODS)
    assert completion.params("") == list(NAMES)
    assert set(METRICS) < set(completion.metrics(""))
