"""The README's Python and its sweep file, as a reader would run them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from mlptune.experiments.config import load_spec

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_example_runs(tmp_path: Path) -> None:
    """On standard input and without a main guard: the worker processes must not run it again."""
    [code] = _blocks("python")
    assert len(code.splitlines()) <= 20
    assert "__main__" not in code
    call = 'run_sweep("digits")'
    assert code.count(call) == 1
    shorter = code.replace(call, 'run_sweep("digits", overrides=["search.trials=4", "model.epochs=4"])')
    answer = subprocess.run([sys.executable, "-"], input=shorter, cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "test_score" in answer.stdout


def test_the_sweep_file_is_one() -> None:
    [text] = _blocks("toml")
    spec, _ = load_spec(tomllib.loads(text))
    assert spec.search.trials == 64
