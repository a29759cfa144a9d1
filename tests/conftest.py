"""What the tests of several rooms share: a store that was migrated once and is copied for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from mlptune.tracking.store.sqlite import prepare_store

# In continuous integration the examples are the same each time; elsewhere they are drawn anew, and new failures are found.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def _own_state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What waits for a store that is away lies in the tests' own folder, for the processes that they start too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "mlflow.db"
    prepare_store(f"sqlite:///{path}")
    return path
