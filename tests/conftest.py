"""What the tests of several rooms share: a store that was migrated once and is copied for each test."""

from pathlib import Path

import pytest

from mlptune.tracking.store import prepare_store


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "mlflow.db"
    prepare_store(f"sqlite:///{path}")
    return path
