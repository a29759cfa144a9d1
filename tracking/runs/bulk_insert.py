"""Many trials in one transaction of MLflow's own tables, where the store is a database that this process can reach.

MLflow's client takes six transactions a trial and makes an object for every point of a curve; written this way a trial costs a
tenth of that (docs/decisions/0016). What is in the tables afterwards is the same, row for row, and `Trials` falls back to the
client wherever it may not be: behind a server, in tables that have changed, in a deleted experiment or run.
"""

import math
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import schema, store

# A statement with its values by name, or with a list of such values; what it gives has `fetchone`.
Execute = Callable[[str, Any], Any]

# Names and texts of which MLflow's checks have nothing to say; longer texts it cuts or refuses.
_PLAIN_NAME = re.compile(r"[/\w.\- ]{1,250}")
_LONGEST_PARAM, _LONGEST_TAG = 6000, 8000

_INSERT_RUN = """INSERT INTO runs (run_uuid, name, user_id, start_time, experiment_id, artifact_uri, status, end_time, source_type,
    source_name, entry_point_name, source_version, deleted_time, lifecycle_stage)
VALUES (:run_uuid, :name, :user_id, :start_time, :experiment_id, :artifact_uri, :status, :end_time, 'UNKNOWN', '', '', '', NULL,
    'active')"""
_INSERT_PARAM = "INSERT INTO params (run_uuid, key, value) VALUES (:run_uuid, :key, :value) ON CONFLICT DO NOTHING"
_INSERT_TAG = """INSERT INTO tags (run_uuid, key, value) VALUES (:run_uuid, :key, :value)
ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value"""
_POINT = "(run_uuid, key, value, timestamp, step, is_nan) VALUES (:run_uuid, :key, :value, :timestamp, :step, :is_nan)"
_INSERT_METRIC = f"INSERT INTO metrics {_POINT} ON CONFLICT DO NOTHING"
_INSERT_LATEST = f"""INSERT INTO latest_metrics {_POINT} ON CONFLICT (key, run_uuid) DO UPDATE
SET step = excluded.step, timestamp = excluded.timestamp, value = excluded.value, is_nan = excluded.is_nan
WHERE (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)
    < (excluded.step, excluded.timestamp, excluded.value)"""
_END_RUN = "UPDATE runs SET status = :status, end_time = :end_time WHERE run_uuid = :run_uuid"

# What MLflow's tables were when the rows below were written; a release that adds a column is left to MLflow's own client.
_COLUMNS = {
    "SqlRun": {
        "run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time", "end_time",
        "deleted_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id",
    },
    "SqlMetric": {"key", "value", "timestamp", "step", "is_nan", "run_uuid"},
    "SqlLatestMetric": {"key", "value", "timestamp", "step", "is_nan", "run_uuid"},
    "SqlParam": {"key", "value", "run_uuid"},
    "SqlTag": {"key", "value", "run_uuid"},
}  # fmt: skip


@dataclass
class Rows:
    """What is to be written, by run id: `begin` for each new run, then `add` for what it gets."""

    begun: dict[str, dict[str, Any]] = field(default_factory=dict)
    continued: set[str] = field(default_factory=set)
    ended: dict[str, tuple[str, int]] = field(default_factory=dict)
    params: dict[tuple[str, str], str] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    latest: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def begin(self, run_id: str, name: str, user: str, started: int) -> None:
        """A run that is not in the store: `started` in milliseconds since 1970."""
        self.begun[run_id] = {"run_uuid": run_id, "name": name, "user_id": user, "start_time": started}
        self.tags[run_id, schema.RUN_NAME] = name

    def add(
        self,
        run_id: str,
        params: Mapping[str, str],
        tags: Mapping[str, str],
        metrics: Iterable[tuple[str, float, int]],
        now: int,
        status: str | None = None,
    ) -> None:
        """More of a run: metrics as (key, value, step), all at the time `now`; with `status` its end."""
        if run_id not in self.begun:
            self.continued.add(run_id)
        for key, text in params.items():
            self.params.setdefault((run_id, key), text)
        for key, text in tags.items():
            self.tags[run_id, key] = text
        for key, value, step in metrics:
            row = {"run_uuid": run_id, "key": key, "value": value, "timestamp": now, "step": step, "is_nan": False}
            if not math.isfinite(value):
                # As MLflow stores them.
                row["is_nan"] = math.isnan(value)
                row["value"] = 0.0 if row["is_nan"] else math.copysign(1.7976931348623157e308, value)
            self.metrics.append(row)
            last = self.latest.get((run_id, key))
            if last is None or _age(last) < _age(row):
                self.latest[run_id, key] = row
        if status is not None:
            self.ended[run_id] = (status, now)


class Tables:
    """MLflow's tables of runs in the database of `engine` (SQLAlchemy's)."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def write(self, experiment_id: str, rows: Rows) -> bool:
        """As `write_rows`, in one transaction. Raises MlflowException and SQLAlchemyError."""
        from sqlalchemy import text

        check(rows)
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.execute(text(f"PRAGMA busy_timeout = {1000 * store.LOCK_SECONDS}"))
            return write_rows(
                lambda statement, values: connection.execute(text(statement), values), experiment_id, rows
            )


def tables(uri: str) -> Tables | None:
    """The tables of the store at `uri`; None where they are out of reach (a server's) or not as they are known here."""
    from mlflow.store.tracking.dbmodels import models
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from mlflow.tracking._tracking_service.utils import _get_store

    found = _get_store(uri)
    known = all(set(getattr(models, name).__table__.c.keys()) == columns for name, columns in _COLUMNS.items())
    of_these = type(found) is SqlAlchemyStore and found.engine.dialect.name in ("sqlite", "postgresql")
    return Tables(found.engine) if known and of_these else None


def write_rows(execute: Execute, experiment_id: str, rows: Rows) -> bool:
    """Write all within a transaction; False, and nothing written, where experiment or runs are not there or are deleted.

    What is in the tables already is left (points of curves, params), replaced (tags) or kept if newer (the latest points), so
    that writing the same again changes nothing.
    """
    experiment = execute(
        "SELECT artifact_location FROM experiments WHERE experiment_id = :id AND lifecycle_stage = 'active'",
        {"id": int(experiment_id)},
    ).fetchone()
    if experiment is None or not are_active(execute, rows.continued):
        return False
    if rows.begun:
        execute(_INSERT_RUN, [_run(run, experiment_id, experiment[0], rows) for run in rows.begun.values()])
    add_rows(execute, rows)
    ended = [
        {"run_uuid": run_id, "status": status, "end_time": now}
        for run_id, (status, now) in rows.ended.items()
        if run_id not in rows.begun
    ]
    if ended:
        execute(_END_RUN, ended)
    return True


def are_active(execute: Execute, run_ids: Iterable[str]) -> bool:
    """Whether all these runs are there and not deleted."""
    query = "SELECT 1 FROM runs WHERE run_uuid = :id AND lifecycle_stage = 'active'"
    return all(execute(query, {"id": run_id}).fetchone() is not None for run_id in run_ids)


def add_rows(execute: Execute, rows: Rows) -> None:
    """Write params, tags and metrics of runs that are there."""
    if rows.params:
        execute(_INSERT_PARAM, _texts(rows.params))
    if rows.tags:
        execute(_INSERT_TAG, _texts(rows.tags))
    if rows.metrics:
        execute(_INSERT_METRIC, rows.metrics)
        execute(_INSERT_LATEST, list(rows.latest.values()))


def _run(run: dict[str, Any], experiment_id: str, artifacts: str, rows: Rows) -> dict[str, Any]:
    status, end_time = rows.ended.get(run["run_uuid"], ("RUNNING", None))
    return {
        **run,
        "experiment_id": int(experiment_id),
        "artifact_uri": inside(artifacts, run["run_uuid"], "artifacts"),
        "status": status,
        "end_time": end_time,
    }


def inside(location: str, *names: str) -> str:
    """The address of a place inside that of a folder."""
    if "?" in location or "#" in location:
        from mlflow.utils.uri import append_to_uri_path

        return str(append_to_uri_path(location, *names))
    return "/".join([location.rstrip("/"), *names])


def check(rows: Rows) -> None:
    """Refuse names and texts that MLflow refuses, with its words; texts that are too long for it are cut as it cuts them."""
    if _is_plain(rows):  # nearly always, and it spares MLflow's import
        return
    from mlflow.utils import validation

    for (_, key), row in rows.latest.items():
        validation._validate_metric(key, row["value"], row["timestamp"], row["step"])
    for (run_id, key), text in rows.params.items():
        rows.params[run_id, key] = validation._validate_param(key, text).value
    for (run_id, key), text in rows.tags.items():
        rows.tags[run_id, key] = validation._validate_tag(key, text).value


def _is_plain(rows: Rows) -> bool:
    keys = {key for place in (*rows.latest, *rows.params, *rows.tags) for key in place[1:]}
    return (
        all(is_plain_name(key) for key in keys)
        and all(len(text) <= _LONGEST_PARAM for text in rows.params.values())
        and all(len(text) <= _LONGEST_TAG for text in rows.tags.values())
    )


def is_plain_name(name: str) -> bool:
    """Whether MLflow takes it as the name of a metric, a param or a tag."""
    return bool(_PLAIN_NAME.fullmatch(name)) and posixpath.normpath(name) == name and name[0] not in "/."


def _texts(texts: Mapping[tuple[str, str], str]) -> list[dict[str, str]]:
    return [{"run_uuid": run_id, "key": key, "value": text} for (run_id, key), text in texts.items()]


def _age(row: Mapping[str, Any]) -> tuple[int, int, float]:
    return row["step"], row["timestamp"], row["value"]
