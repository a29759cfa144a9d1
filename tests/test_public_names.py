"""What `mlptune` offers is exactly this list, and each name is importable, documented and quick to leave alone."""

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mlptune

ROOT = Path(__file__).parents[1]
PUBLIC = [
    "ExecutorLost",
    "Interrupted",
    "MLPClassifier",
    "MLPRegressor",
    "NotFound",
    "Observer",
    "StoreError",
    "SweepFailed",
    "SweepResult",
    "TunedMLPClassifier",
    "TunedMLPRegressor",
    "TunedModel",
    "UnusableStore",
    "UserError",
    "best_config",
    "columns",
    "load_model",
    "load_result",
    "objective",
    "run_sweep",
    "search",
]


def test_the_list_is_exact() -> None:
    assert mlptune.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(mlptune))


@pytest.mark.parametrize("name", PUBLIC)
def test_each_name_is_importable_and_documented(name: str) -> None:
    value = getattr(mlptune, name)
    assert (value.__doc__ or "").strip()
    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert f"`mlptune.{name}`" in page


def test_type_checkers_are_told_the_same() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    stated = {}
    for line in block.body:
        assert isinstance(line, ast.ImportFrom)
        for alias in line.names:
            assert alias.asname == alias.name  # the form that makes it a re-export
            stated[alias.name] = f".{line.module}" if line.module else f".{alias.name}"
    assert stated == mlptune._HOMES


@pytest.mark.parametrize("call", [mlptune.best_config, mlptune.load_result, mlptune.load_model])
def test_what_reading_raises_is_public(call: Callable[..., object], tmp_path: Path) -> None:
    with pytest.raises(mlptune.UnusableStore, match="ftp://"):
        call("cars", tracking_uri="ftp://localhost/store")
    (tmp_path / "mlflow.db").write_text("not a database")
    with pytest.raises(mlptune.UnusableStore, match=r"mlflow\.db"):
        call("cars", tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'run_sweeps'"):
        _ = mlptune.run_sweeps


@pytest.mark.parametrize("module", ["mlptune", "mlptune.search"])
def test_the_import_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"numpy", "pandas", "scipy", "sklearn", "optuna", "skopt", "mlflow", "pydantic", "typer"}
    assert not heavy & set(loaded.stdout.split())
