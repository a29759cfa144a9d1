"""A sweep's experiment is found or made, with its artifacts beside the store, and one that was deleted is not used."""

from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import reader, store
from mlptune.tracking.writer import Writer
from tests.support.launches import opened


def test_deleted_experiment_says_how_to_restore_it(uri: str, client: Any) -> None:
    client.delete_experiment(client.create_experiment("digits"))
    with Writer(uri) as writer, pytest.raises(ValueError, match="mlflow experiments restore -x 1"):
        opened(writer)


def test_experiment_that_the_user_made(uri: str, client: Any) -> None:
    path = store.sqlite_path(uri)
    assert path is not None
    client.create_experiment("digits", artifact_location=(path.parent / "mine").as_uri())
    with Writer(uri) as writer:
        parent = opened(writer)
    assert (path.parent / "mine" / parent / "artifacts/sweep.toml").is_file()
    assert [launches[0].name for launches in reader.sweeps(uri)] == ["digits"]


def test_artifacts_land_beside_the_store_from_any_folder(writer: Writer, uri: str, tmp_path: Path) -> None:
    parent = opened(writer)
    path = store.sqlite_path(uri)
    assert path is not None
    assert (path.parent / "mlruns/digits" / parent / "artifacts/sweep.toml").is_file()
    assert {entry.name for entry in tmp_path.iterdir()} == {path.parent.name, "elsewhere"}
