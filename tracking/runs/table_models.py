"""A fitted model logged and registered in the tables of a local store, as `models.log_model` does it with MLflow's client."""

import re
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import schema
from ..models import Signature
from ..reader import local_path
from .bulk_insert import inside
from .model_files import save_model
from .table_client import TableClient, now

_FIND = """SELECT version FROM model_version_tags WHERE workspace = 'default' AND name = :name
AND (key, value) IN ((:run_key, :run_id), (:logged_key, :logged)) GROUP BY version HAVING COUNT(*) = 2"""
_MODEL = """INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,
    last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id)
VALUES (:model_id, :experiment_id, :model_name, :location, :began, :now, 2, 'active', 'pyfunc', :run_id)"""
_MODEL_TAG = "INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value) VALUES (?, ?, ?, ?)"
_OUTPUT = """INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
VALUES (:uuid, 'RUN_OUTPUT', :run_id, 'MODEL_OUTPUT', :model_id, 0)"""
_REGISTERED = """INSERT INTO registered_models (name, creation_time, last_updated_time, description, workspace)
VALUES (:name, :now, :now, :description, 'default')
ON CONFLICT (workspace, name) DO UPDATE SET last_updated_time = excluded.last_updated_time"""
_VERSION = """INSERT INTO model_versions (name, version, creation_time, last_updated_time, current_stage, source, run_id, status,
    storage_location, workspace)
SELECT :name, COALESCE(MAX(version), 0) + 1, :now, :now, 'None', :location, :run_id, 'READY', :location, 'default'
FROM model_versions WHERE workspace = 'default' AND name = :name"""
_NEWEST = "SELECT MAX(version) FROM model_versions WHERE workspace = 'default' AND name = :name"
_VERSION_TAG = "INSERT INTO model_version_tags (key, value, name, version, workspace) VALUES (?, ?, ?, ?, 'default')"
_ALIAS = """INSERT INTO registered_model_aliases (alias, version, name, workspace) VALUES (:alias, :version, :name, 'default')
ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version"""


def can_log(client: TableClient, run_id: str, name: str) -> bool:
    """Whether that is possible here: the artifacts are files of this machine, and the name is one that MLflow would take."""
    run = client.run(run_id)
    if run is None or run.info.lifecycle_stage != "active" or not name.strip() or set(name) & set("/:"):
        return False
    location = client.get_experiment(run.info.experiment_id).artifact_location
    return "?" not in location and local_path(location) is not None


def log_model(
    client: TableClient,
    run_id: str,
    folder: Path,
    *,
    name: str,
    loader_module: str,
    requirements: Sequence[str],
    timestamp: int,
    signature: Signature | None = None,
) -> str:
    """Log `folder` as a pyfunc model of the run and register it as `name`, its champion; return the registered version.

    The call is recognised by its `timestamp`: made again after a failure it finds what it has registered. Files come first, then
    all rows in one transaction.
    """
    mark = {schema.MODEL_RUN: run_id, schema.MODEL_LOGGED: str(timestamp)}
    experiment = client.get_experiment(client.get_run(run_id).info.experiment_id)
    model_id, began = f"m-{uuid.uuid4().hex}", now()
    location = inside(experiment.artifact_location, "models", model_id, "artifacts")
    values: dict[str, Any] = {
        "name": name,
        "model_name": re.sub(r"[^A-Za-z0-9_ -]", "_", name),
        "description": f"Models of the sweep {name}, one version a launch.",
        "alias": schema.CHAMPION,
        "run_key": schema.MODEL_RUN,
        "run_id": run_id,
        "logged_key": schema.MODEL_LOGGED,
        "logged": str(timestamp),
        "experiment_id": int(experiment.experiment_id),
        "model_id": model_id,
        "location": location,
        "began": began,
        "uuid": uuid.uuid4().hex,
    }
    target = local_path(location)
    assert target is not None
    try:
        save_model(
            target,
            folder,
            location=location,
            model_id=model_id,
            run_id=run_id,
            loader_module=loader_module,
            requirements=requirements,
            signature=signature,
        )
        with client.writing() as connection:
            values["now"] = now()
            if (found := connection.execute(_FIND, values).fetchone()) is None:
                connection.execute(_MODEL, values)
                tags = {schema.SWEEP: name, **mark}
                connection.executemany(_MODEL_TAG, [(model_id, values["experiment_id"], *tag) for tag in tags.items()])
                connection.execute(_OUTPUT, values)
                connection.execute(_REGISTERED, values)
                connection.execute(_VERSION, values)
                [version] = connection.execute(_NEWEST, values).fetchone()
                connection.executemany(_VERSION_TAG, [(*tag, name, version) for tag in mark.items()])
            else:
                [version] = found
            connection.execute(_ALIAS, {**values, "version": version})
    except BaseException:
        shutil.rmtree(target.parent, ignore_errors=True)
        raise
    if found is not None:
        shutil.rmtree(target.parent)
    return str(version)
