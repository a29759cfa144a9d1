"""Runs from the tables of a SQLite store, read with Python's own `sqlite3`.

The tables are those of the schema revisions below; a store of any other is left to MLflow's client (docs/decisions/0019). Each
answer is one transaction. Nothing is written.
"""

import contextlib
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import schema, store
from .client import ClientSource

# Schema revisions of MLflow whose tables of runs are as they are read here: that of 3.17.
REVISIONS = ("dc11669786a5",)

_RUN_COLUMNS = "run_uuid, name, experiment_id, status, start_time, end_time, artifact_uri, lifecycle_stage"
_RUNS_A_QUERY = 500  # SQLite takes at least 999 values in one statement


def is_known(uri: str) -> bool:
    """Whether the store at `uri` is a SQLite file of a revision that can be read here; False for what cannot be opened.

    Raises sqlite3.OperationalError if it is locked for long.
    """
    path = store.sqlite_path(uri)
    try:
        return path is not None and "?" not in uri and store.revision(path) in REVISIONS
    except (ValueError, OSError):
        return False


@dataclass(frozen=True)
class RunInfo:
    """As MLflow's: `start_time` and `end_time` are in milliseconds since 1970."""

    run_id: str
    run_name: str | None
    experiment_id: str
    status: str
    start_time: int
    end_time: int | None
    artifact_uri: str
    lifecycle_stage: str


@dataclass(frozen=True)
class RunData:
    """As MLflow's: of each metric its latest value."""

    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What is read of a run, under the names that MLflow's own has."""

    info: RunInfo
    data: RunData


class TableSource:
    """The SQLite store at `uri`, whose revision `is_known`: methods and answers of `ClientSource`. Raises sqlite3.Error."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def sweeps(self) -> dict[str, str]:
        """Experiment id -> name of each sweep, without deleted ones."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT e.experiment_id, e.name FROM experiments e JOIN experiment_tags t USING (experiment_id) "
                "WHERE t.key = ? AND t.value = 'sweep' AND e.lifecycle_stage = 'active'",
                (schema.KIND,),
            )
            return {str(experiment_id): name for experiment_id, name in rows}

    def experiment(self, name: str) -> str | None:
        """The id of the experiment `name`, unless it is deleted."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT experiment_id FROM experiments WHERE name = ? AND lifecycle_stage = 'active'", (name,)
            ).fetchone()
        return None if row is None else str(row[0])

    def has_experiment_tag(self, experiment_id: str, key: str) -> bool:
        """Whether the experiment has that tag."""
        with self._reading() as connection:
            query = "SELECT 1 FROM experiment_tags WHERE experiment_id = ? AND key = ?"
            return connection.execute(query, (int(experiment_id), key)).fetchone() is not None

    def runs(self, experiment_ids: Sequence[str], tags: dict[str, str], deleted: bool = False) -> Iterator[Run]:
        """The runs with these tags, the newest first; deleted ones only where they are asked for too."""
        stages = ("active", "deleted") if deleted else ("active",)
        tagged = " AND run_uuid IN (SELECT run_uuid FROM tags WHERE key = ? AND value = ?)" * len(tags)
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT {_RUN_COLUMNS} FROM runs WHERE experiment_id IN ({_marks(experiment_ids)}) "
                f"AND lifecycle_stage IN ({_marks(stages)}){tagged} ORDER BY start_time IS NULL, start_time DESC, run_uuid",
                [*map(int, experiment_ids), *stages, *(text for pair in tags.items() for text in pair)],
            )
            return iter(_with_data(connection, rows))

    def run(self, run_id: str) -> Run | None:
        """The run, deleted or not; None if there is none."""
        with self._reading() as connection:
            rows = connection.execute(f"SELECT {_RUN_COLUMNS} FROM runs WHERE run_uuid = ?", (run_id,))
            return next(iter(_with_data(connection, rows)), None)

    def histories(self, run_ids: Sequence[str], key: str) -> Iterator[tuple[str, int, float]]:
        """Run, step and value of each point of a metric, each run's by time."""
        with self._reading() as connection:
            for some in _chunks(run_ids):
                rows = connection.execute(
                    f"SELECT run_uuid, step, value, is_nan FROM metrics WHERE run_uuid IN ({_marks(some)}) AND key = ? "
                    "ORDER BY run_uuid, timestamp, step, value",
                    [*some, key],
                )
                yield from ((run_id, step, math.nan if is_nan else value) for run_id, step, value, is_nan in rows)

    def model_location(self, run_id: str) -> str | None:
        """Where the files of the run's latest model are; None if it has none, or that was deleted."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT m.artifact_location FROM inputs i LEFT JOIN logged_models m ON m.model_id = i.destination_id "
                "AND m.lifecycle_stage = 'active' "
                "WHERE i.source_type = 'RUN_OUTPUT' AND i.source_id = ? AND i.destination_type = 'MODEL_OUTPUT'",
                (run_id,),
            ).fetchall()
        return rows[-1][0] if rows else None

    def download_artifact(self, run_id: str, path: str) -> Path:
        """A local copy of an artifact that lies elsewhere, by MLflow."""
        return ClientSource.of(self._uri).download_artifact(run_id, path)

    def download_model(self, location: str) -> Path:
        """A local copy of a model that lies elsewhere, by MLflow."""
        return ClientSource.of(self._uri).download_model(location)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(self._connect()) as connection:
            connection.execute("BEGIN")
            yield connection

    def _connect(self) -> sqlite3.Connection:
        path = store.sqlite_path(self._uri)
        assert path is not None
        return store.connect(path)


def _with_data(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> list[Run]:
    infos = [RunInfo(run_id, name, str(experiment_id), *rest) for run_id, name, experiment_id, *rest in rows]
    data = {info.run_id: RunData() for info in infos}
    for some in _chunks(list(data)):
        of_these = f"WHERE run_uuid IN ({_marks(some)})"
        for run_id, key, value in connection.execute(f"SELECT run_uuid, key, value FROM tags {of_these}", some):
            data[run_id].tags[key] = value
        for run_id, key, value in connection.execute(f"SELECT run_uuid, key, value FROM params {of_these}", some):
            data[run_id].params[key] = value
        metrics = connection.execute(f"SELECT run_uuid, key, value, is_nan FROM latest_metrics {of_these}", some)
        for run_id, key, value, is_nan in metrics:
            data[run_id].metrics[key] = math.nan if is_nan else value
    return [Run(info, data[info.run_id]) for info in infos]


def _chunks(run_ids: Sequence[str]) -> Iterator[list[str]]:
    for first in range(0, len(run_ids), _RUNS_A_QUERY):
        yield list(run_ids[first : first + _RUNS_A_QUERY])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
