"""The wheel holds all that an installed copy needs: it is built, installed into a folder of its own and used from there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT_ALL = """
import importlib, pathlib, pkgutil
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
    ignored = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "tests", "mlruns", "mlartifacts", "*.db*")
    shutil.copytree(ROOT, folder / "sources", ignore=ignored)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "sources")]
    subprocess.run(build, check=True, timeout=300)
    [wheel] = folder.glob("mlptune-*.whl")
    target = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True, timeout=300)
    return target


def _run(installed: Path, folder: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_is_in_it(installed: Path, tmp_path: Path) -> None:
    home, found, typed = _run(installed, tmp_path, sys.executable, "-c", IMPORT_ALL).split()
    assert Path(home).is_relative_to(installed)
    assert typed == "True"
    rooms = ("core", "search", "tracking", "experiments")
    modules = {path for room in rooms for path in (ROOT / room).rglob("*.py")} | set(ROOT.glob("*.py"))
    assert int(found) == len(modules) - 1  # the root itself


def test_its_command_runs_a_bundled_sweep(installed: Path, tmp_path: Path) -> None:
    assert (installed / "bin" / "mlptune").is_file()
    command = [sys.executable, "-m", "mlptune", "sweep", "diabetes", "--set", "search.trials=2", "--json"]
    document = _run(installed, tmp_path, *command, "--set", "model.epochs=2", "--tracking-uri", "sqlite:///w.db")
    assert '"state": "finished"' in document
