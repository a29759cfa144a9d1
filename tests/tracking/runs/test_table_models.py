"""Models registered without MLflow: it finds and loads them, and a call that is made again registers nothing twice."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import schema, store
from mlptune.tracking.runs import table_models
from mlptune.tracking.runs.table_client import TableClient
from mlptune.tracking.writer import Writer
from tests.support.full_launches import write_all
from tests.support.launches import opened


def test_mlflow_opens_what_was_written_and_goes_on(stores: Callable[[str], str], tmp_path: Path) -> None:
    uri = stores("ours")
    write_all(uri, tmp_path / "model")
    client = store.import_mlflow().MlflowClient(tracking_uri=uri, registry_uri=uri)
    assert {experiment.name for experiment in client.search_experiments()} == {"my.cars 2", "Default"}
    assert int(client.get_model_version_by_alias("my.cars 2", schema.CHAMPION).version) == 2
    run = client.create_run("0")
    client.log_metric(run.info.run_id, "a", 1.0)
    made = client.get_model_version("my.cars 2", "1")
    assert client.get_logged_model(made.source.split("/")[-2]).source_run_id == made.run_id


def log(uri: str, run_id: str, folder: Path, timestamp: int, name: str = "digits") -> str:
    options: dict[str, Any] = {"loader_module": "x", "requirements": ["mlptune"]}
    return table_models.log_model(TableClient(uri), run_id, folder, name=name, timestamp=timestamp, **options)


def test_a_call_made_again_registers_nothing_twice(uri: str, tmp_path: Path, client: Any) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.json").write_text("1")
    with Writer(uri) as writer:
        run_id = opened(writer)
    assert [log(uri, run_id, tmp_path / "model", timestamp) for timestamp in (7, 7, 8)] == ["1", "1", "2"]
    made = client.search_logged_models([client.get_run(run_id).info.experiment_id])
    assert len(made) == len(client.search_model_versions("name = 'digits'")) == 2
    path = store.sqlite_path(uri)
    assert path is not None
    folders = {folder.name for folder in (path.parent / "mlruns/digits/models").iterdir()}
    assert folders == {model.model_id for model in made}


def test_of_a_failure_nothing_is_left(uri: str, tmp_path: Path, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with Writer(uri) as writer:
        run_id = opened(writer)
    with pytest.raises(FileNotFoundError):
        log(uri, run_id, tmp_path / "missing", 7)
    (tmp_path / "model").mkdir()
    monkeypatch.setattr(table_models, "_ALIAS", "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        log(uri, run_id, tmp_path / "model", 7)
    assert client.search_model_versions() == []
    assert client.search_logged_models([client.get_run(run_id).info.experiment_id]) == []
    path = store.sqlite_path(uri)
    assert path is not None
    assert list((path.parent / "mlruns/digits/models").iterdir()) == []


def test_what_mlflow_would_refuse_is_left_to_it(uri: str, client: Any) -> None:
    own = TableClient(uri)
    for location, name, possible in (
        ("file:///tmp/cars", "cars", True),
        ("/tmp/cars", "cars 1.5", True),
        ("s3://bucket/cars", "cars", False),
        ("file:///tmp/cars", "a/b", False),
    ):
        experiment = client.create_experiment(f"{location} {name}", artifact_location=location)
        run_id = client.create_run(experiment).info.run_id
        assert table_models.can_log(own, run_id, name) is possible
        client.delete_run(run_id)
        assert not table_models.can_log(own, run_id, name)
    assert not table_models.can_log(own, "0" * 32, "cars")
