"""An optimizer, an activation, a metric and a data format, each added from outside as CONTRIBUTING shows it: to one file.

The examples are taken from that page and added to a copy of the sources; a sweep then uses all four.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
# The section of the page, the file that it names, and the table there with the row's key.
ADDED = [
    ("An optimizer", "core/optimizers.py", 'OPTIMIZERS["sign_sgd"] = {row}'),
    ("An activation", "core/activations.py", 'ACTIVATIONS["hard_tanh"] = {row}'),
    ("A metric", "core/metrics.py", 'METRICS["median_error"] = {row}'),
    ("A data format", "experiments/formats.py", "FORMATS |= {{{row}}}"),
]


def _example(section: str) -> tuple[str, str, str]:
    """The file that a section of CONTRIBUTING names, its functions, and its row."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(rf"^### {section}: a row in `([\w/.]+)`.*?```python\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert found is not None, section
    functions, _, row = re.split(r"(# (?:in the table|in the row).*\n)", found[2])
    return found[1], functions, row.strip()


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the sources, to each of whose tables one row has been added."""
    folder = tmp_path_factory.mktemp("extended")
    for room in ("core", "search", "tracking", "experiments"):
        shutil.copytree(ROOT / room, folder / "mlptune" / room)  # with its bytecode, which need not be compiled again
    for file in ROOT.glob("*.py"):
        shutil.copy(file, folder / "mlptune")
    for section, home, statement in ADDED:
        named, functions, row = _example(section)
        assert named == home
        file = folder / "mlptune" / home
        file.write_text(f"{file.read_text()}\n\n{functions}\n\n{statement.format(row=row)}\n")
    return folder


def test_one_file_each_is_enough(extended: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(120, 3))
    table = pd.DataFrame(X, columns=["a", "b", "c"]).assign(price=X @ [1.0, 2.0, 3.0])
    table.to_stata(tmp_path / "prices.dta", write_index=False)
    command = [
        *[sys.executable, "-m", "mlptune", "sweep", "--data", "prices.dta", "--target", "price", "--workers", "1"],
        *["--set", "model.epochs=3", "--set", "model.optimizer=sign_sgd", "--set", "model.activation=hard_tanh"],
        *["--set", "objective.metric=median_error", "--set", "search.trials=2", "--json"],
    ]
    environment = {**os.environ, "PYTHONPATH": str(extended)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert '"metric": "val_median_error"' in done.stdout
    assert done.stdout.count('"state": "complete"') == 2
    wrong = [*command[:3], "sweep", "digits", "--set", "model.optimizer=sign_sdg"]
    refused = subprocess.run(wrong, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert (refused.returncode, "sign_sgd" in refused.stderr) == (2, True)
