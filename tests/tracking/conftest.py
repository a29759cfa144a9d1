"""Stores for the tests of tracking, migrated once and copied for each test; MLflow's client and a writer in them."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import store
from mlptune.tracking.writer import Writer


@pytest.fixture
def uri(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store of this test's own, in a folder whose name needs quoting in addresses.

    The current folder is another one, and nothing may appear in it: MLflow falls back on a store there wherever it is
    not told.
    """
    folder, elsewhere = tmp_path / "a store, 100% #1", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copyfile(migrated, folder / "mlflow.db")
    yield f"sqlite:///{folder / 'mlflow.db'}"
    assert list(elsewhere.iterdir()) == []
    assert "MLFLOW_TRACKING_URI" not in os.environ


@pytest.fixture
def stores(migrated: Path, tmp_path: Path) -> Callable[[str], str]:
    """Makes an empty store in a folder of that name."""

    def make(name: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copyfile(migrated, folder / "mlflow.db")
        return f"sqlite:///{folder / 'mlflow.db'}"

    return make


@pytest.fixture
def client(uri: str) -> Any:
    mlflow = store.import_mlflow()
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.fixture
def writer(uri: str) -> Iterator[Writer]:
    with Writer(uri) as writer:
        yield writer
