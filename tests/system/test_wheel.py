"""The wheel holds all that an installed copy needs: it is built, installed into a folder of its own and used from there."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Runs the installed command, and imports all that is there. One process does both, for what both import.
PROGRAM = """
import importlib, pathlib, pkgutil, runpy
try:
    runpy.run_path({command!r}, run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
import mlptune
home = pathlib.Path(mlptune.__file__).parent
names = [module.name for module in pkgutil.walk_packages(mlptune.__path__, "mlptune.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(home, len(names), (home / "py.typed").is_file())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with mlptune installed from a wheel that was built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns(
        ".*", "__pycache__", "*.egg-info", "build", "dist", "tests", "mlruns", "mlartifacts", "*.db*"
    )
    shutil.copytree(ROOT, folder / "sources", ignore=ignored)
    target = folder / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "install",
        "--target",
        str(target),
    ]
    # pip builds the wheel, and installs that.
    command = [*install, "--no-deps", "--no-build-isolation", "--no-compile", str(folder / "sources")]
    subprocess.run(command, check=True, timeout=300)
    return target


def test_its_command_runs_a_bundled_sweep_and_every_module_is_in_it(installed: Path, tmp_path: Path) -> None:
    sweep = ["sweep", "diabetes", "--set", "search.trials=2", "--set", "model.epochs=2", "--workers", "1", "--json"]
    command = installed / "bin" / "mlptune"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(command=str(command)), *sweep, "--tracking-uri", "sqlite:///w.db"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    document, _, last = done.stdout.rstrip().rpartition("\n")
    assert json.loads(document)["state"] == "finished"
    home, found, typed = last.split()
    assert Path(home).is_relative_to(installed)
    assert typed == "True"
    rooms = ("core", "search", "tracking", "experiments")
    modules = {path for room in rooms for path in (ROOT / room).rglob("*.py")} | set(ROOT.glob("*.py"))
    assert int(found) == len(modules) - 1  # the root itself
