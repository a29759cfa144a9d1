"""What the writer needs of MLflow's client, in the tables of a local store: its methods, without the two seconds of its import.

The rows that it leaves are those of MLflow (docs/decisions/0022). Whatever is not plain (a run that was deleted, a name that MLflow
would refuse, artifacts that lie elsewhere) is left to MLflow's own client, which does it or says why not.
"""

import contextlib
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from .. import schema, store
from ..reader import local_path
from ..source import TableSource
from .bulk_insert import Execute, Rows, add_rows, are_active, check, inside, is_plain_name, write_rows

# Longer names and texts of an experiment are left to MLflow, which has limits for them.
_LONGEST_NAME, _LONGEST_TEXT = 250, 20_000
# MLflow's experiment for runs of no other one; its client makes it when it opens an empty store.
_DEFAULT_EXPERIMENT = """INSERT INTO experiments
    (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace)
SELECT 0, 'Default', :location, 'active', :now, :now, 'default' WHERE NOT EXISTS (SELECT 1 FROM experiments)"""
_INSERT_EXPERIMENT = """INSERT INTO experiments
    (name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace)
VALUES (:name, :location, 'active', :now, :now, 'default')"""
_EXPERIMENT_TAG = """INSERT INTO experiment_tags (experiment_id, key, value) VALUES (?, ?, ?)
ON CONFLICT (key, experiment_id) DO UPDATE SET value = excluded.value"""
_IS_ACTIVE_EXPERIMENT = "SELECT 1 FROM experiments WHERE experiment_id = ? AND lifecycle_stage = 'active'"
_INSERT_DATASET = """INSERT INTO datasets
    (dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source, dataset_profile)
SELECT :uuid, experiment_id, :name, :digest, :source_type, :source, :profile FROM runs WHERE run_uuid = :run_id
ON CONFLICT (experiment_id, name, digest) DO NOTHING"""
_INSERT_INPUT = """INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id)
SELECT :uuid, 'DATASET', d.dataset_uuid, 'RUN', r.run_uuid FROM runs r JOIN datasets d USING (experiment_id)
WHERE r.run_uuid = :run_id AND d.name = :name AND d.digest = :digest
ON CONFLICT (source_type, source_id, destination_type, destination_id) DO NOTHING"""
_INSERT_INPUT_TAG = """INSERT INTO input_tags (input_uuid, name, value)
SELECT input_uuid, ?, ? FROM inputs WHERE input_uuid = ?"""


@dataclass(frozen=True)
class Experiment:
    """As MLflow's."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    tags: dict[str, str]


class TableClient(TableSource):
    """Of MLflow's client what the writer uses, under the same names; `write`, `write_to` and `write_input` take plain data.

    Each call is one transaction with a connection of its own, so that several threads may use one client. Raises sqlite3.Error.
    """

    @cached_property
    def whole(self) -> Any:
        """MLflow's own client."""
        return store.import_mlflow().MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    # Experiments.

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """The experiment of that name, deleted or not."""
        return self._experiment("name = ?", name)

    def get_experiment(self, experiment_id: str) -> Any:
        """The experiment with that id, deleted or not."""
        return self._experiment("experiment_id = ?", int(experiment_id)) or self.whole.get_experiment(experiment_id)

    def _experiment(self, condition: str, value: object) -> Experiment | None:
        with self._reading() as connection:
            columns = "experiment_id, name, artifact_location, lifecycle_stage"
            row = connection.execute(f"SELECT {columns} FROM experiments WHERE {condition}", (value,)).fetchone()
            if row is None:
                return None
            tags = connection.execute(
                "SELECT key, value FROM experiment_tags WHERE experiment_id = ?", row[:1]
            ).fetchall()
            experiment_id, name, location, stage = row
            return Experiment(str(experiment_id), name, location, stage, dict(tags))

    def create_experiment(self, name: str, artifact_location: str, tags: Mapping[str, str]) -> str:
        """Create an experiment and return its id. Raises sqlite3.IntegrityError if there is one of that name."""
        if len(name) > _LONGEST_NAME or not _are_plain(tags):
            return str(self.whole.create_experiment(name, artifact_location=artifact_location, tags=tags))
        default = os.environ.get("_MLFLOW_SERVER_ARTIFACT_ROOT") or str(Path.cwd() / "mlruns")
        with self.writing() as connection:
            connection.execute(_DEFAULT_EXPERIMENT, {"location": inside(default, "0"), "now": now()})
            values = {"name": name, "location": artifact_location, "now": now()}
            experiment_id = connection.execute(_INSERT_EXPERIMENT, values).lastrowid
            connection.executemany(_EXPERIMENT_TAG, [(experiment_id, *tag) for tag in tags.items()])
        return str(experiment_id)

    def set_experiment_tag(self, experiment_id: str, key: str, value: str) -> None:
        """Set or replace a tag of an experiment."""
        with self.writing() as connection:
            active = connection.execute(_IS_ACTIVE_EXPERIMENT, (int(experiment_id),)).fetchone() is not None
            if active and _are_plain({key: value}):
                connection.execute(_EXPERIMENT_TAG, (int(experiment_id), key, value))
                return
        self.whole.set_experiment_tag(experiment_id, key, value)

    # Runs.

    def get_run(self, run_id: str) -> Any:
        """The run, deleted or not."""
        return self.run(run_id) or self.whole.get_run(run_id)

    def create_run(self, experiment_id: str, start_time: int, tags: Mapping[str, str], run_name: str) -> Any:
        """Create a run."""
        run_id, rows = uuid.uuid4().hex, Rows()
        rows.begin(run_id, run_name, tags.get(schema.USER, "unknown"), start_time)
        rows.add(run_id, {}, tags, [], start_time)
        if self.write(experiment_id, rows):
            return self.get_run(run_id)
        return self.whole.create_run(experiment_id, start_time=start_time, tags=tags, run_name=run_name)

    def delete_run(self, run_id: str) -> None:
        """Mark a run as deleted."""
        self.whole.delete_run(run_id)

    def update_run(self, run_id: str, status: str) -> None:
        """Set a run's status alone."""
        if not self._update_run(run_id, "status = ?", status):
            self.whole.update_run(run_id, status=status)

    def set_terminated(self, run_id: str, status: str, end_time: int | None = None) -> None:
        """End a run, now unless a time is given."""
        end = now() if end_time is None else end_time
        if not self._update_run(run_id, "status = ?, end_time = ?", status, end):
            self.whole.set_terminated(run_id, status, end_time=end)

    def _update_run(self, run_id: str, changes: str, *values: object) -> bool:
        with self.writing() as connection:
            query = f"UPDATE runs SET {changes} WHERE run_uuid = ? AND lifecycle_stage = 'active'"
            return connection.execute(query, (*values, run_id)).rowcount == 1

    def write(self, experiment_id: str, rows: Rows) -> bool:
        """As `bulk_insert.write_rows`, in one transaction. Raises MlflowException too."""
        check(rows)
        with self.writing() as connection:
            return write_rows(partial(_execute, connection), experiment_id, rows)

    def write_to(
        self,
        run_id: str,
        metrics: Sequence[tuple[str, float, int]],
        params: Mapping[str, str],
        tags: Mapping[str, str],
        at: int,
    ) -> None:
        """Write metrics (key, value, step), params and tags of a run, in one transaction."""
        rows = Rows()
        rows.add(run_id, params, tags, metrics, at)
        check(rows)
        with self.writing() as connection:
            execute = partial(_execute, connection)
            if are_active(execute, [run_id]) and not _differ(execute, rows):
                add_rows(execute, rows)
                if name := rows.tags.get((run_id, schema.RUN_NAME)):
                    execute("UPDATE runs SET name = :name WHERE run_uuid = :id", {"name": name, "id": run_id})
                return
        self._refused(run_id, metrics, params, tags, at)

    def _refused(
        self,
        run_id: str,
        metrics: Sequence[tuple[str, float, int]],
        params: Mapping[str, str],
        tags: Mapping[str, str],
        at: int,
    ) -> None:
        """What MLflow says of a write that is not possible."""
        from mlflow.entities import Metric, Param, RunTag

        self.whole.log_batch(
            run_id,
            [Metric(key, value, at, step) for key, value, step in metrics],
            [Param(*param) for param in params.items()],
            [RunTag(*tag) for tag in tags.items()],
        )

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        """Set or replace a tag of a run."""
        self.write_to(run_id, [], {}, {key: value}, 0)

    def log_param(self, run_id: str, key: str, value: str) -> None:
        """Write a param of a run. Raises MlflowException if it has another value already."""
        self.write_to(run_id, [], {key: value}, {}, 0)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag of a run."""
        with self.writing() as connection:
            if are_active(partial(_execute, connection), [run_id]):
                connection.execute("DELETE FROM tags WHERE run_uuid = ? AND key = ?", (run_id, key))
                return
        self.whole.delete_tag(run_id, key)

    def artifacts(self, run_id: str) -> Path | None:
        """The folder of the run's artifacts; None if they are elsewhere."""
        return local_path(self.get_run(run_id).info.artifact_uri)

    def log_artifact(self, run_id: str, file: str, folder: str | None = None) -> None:
        """Copy a file into the run's artifacts, which are elsewhere."""
        self.whole.log_artifact(run_id, file, folder)

    def write_input(self, run_id: str, data: Mapping[str, str], tag: tuple[str, str]) -> None:
        """Write which data a run has, under MLflow's names for what is known of them; writing the same again changes nothing."""
        with self.writing() as connection:
            if are_active(partial(_execute, connection), [run_id]):
                place = {**data, "run_id": run_id}
                connection.execute(_INSERT_DATASET, {**place, "uuid": uuid.uuid4().hex})
                made = uuid.uuid4().hex
                connection.execute(_INSERT_INPUT, {**place, "uuid": made})
                connection.execute(_INSERT_INPUT_TAG, (*tag, made))
                return
        from mlflow.entities import Dataset, DatasetInput, InputTag

        self.whole.log_inputs(run_id, datasets=[DatasetInput(Dataset(**data), [InputTag(*tag)])])

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; nothing is written if its body raises."""
        with contextlib.closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")


def _execute(connection: sqlite3.Connection, statement: str, values: Any) -> sqlite3.Cursor:
    return (connection.executemany if isinstance(values, list) else connection.execute)(statement, values)


def _differ(execute: Execute, rows: Rows) -> bool:
    """Whether a param is there with another value."""
    query = "SELECT 1 FROM params WHERE run_uuid = :id AND key = :key AND value <> :value"
    return any(
        execute(query, {"id": run_id, "key": key, "value": text}).fetchone() is not None
        for (run_id, key), text in rows.params.items()
    )


def _are_plain(tags: Mapping[str, str]) -> bool:
    return all(is_plain_name(key) and len(value) <= _LONGEST_TEXT for key, value in tags.items())


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
