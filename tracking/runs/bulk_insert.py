"""Many trials in one transaction of MLflow's own tables, where the store is a database that this process can reach.

MLflow's client takes six transactions a trial and makes an object for every point of a curve; written this way a trial costs a
tenth of that (docs/decisions/0016). What is in the tables afterwards is the same, row for row, and `Trials` falls back to the
client wherever it may not be: behind a server, in tables that have changed, in a deleted experiment or run.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import schema, store

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
        from mlflow.store.tracking.dbmodels import models
        from sqlalchemy.dialects import postgresql, sqlite

        self._engine = engine
        self._insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[engine.dialect.name]
        self._experiments: Any = models.SqlExperiment.__table__
        self._runs, self._metrics, self._latest, self._params, self._tags = (
            getattr(models, name).__table__ for name in _COLUMNS
        )

    def write(self, experiment_id: str, rows: Rows) -> bool:
        """Write all in one transaction; False, and nothing written, where experiment or runs are not there or are deleted.

        What is in the tables already is left (points of curves, params), replaced (tags) or kept if newer (the latest points), so
        that writing the same again changes nothing. Raises MlflowException and SQLAlchemyError.
        """
        from sqlalchemy import bindparam, func, select, text, tuple_, update

        _check(rows)
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.execute(text(f"PRAGMA busy_timeout = {1000 * store.LOCK_SECONDS}"))
            artifacts = connection.execute(
                select(self._experiments.c.artifact_location).where(
                    self._experiments.c.experiment_id == int(experiment_id),
                    self._experiments.c.lifecycle_stage == "active",
                )
            ).scalar()
            there = select(func.count()).where(
                self._runs.c.run_uuid.in_(rows.continued), self._runs.c.lifecycle_stage == "active"
            )
            if artifacts is None or connection.execute(there).scalar() != len(rows.continued):
                return False
            if rows.begun:
                runs = [self._run(run, experiment_id, artifacts, rows) for run in rows.begun.values()]
                connection.execute(self._insert(self._runs), runs)
            if rows.params:
                connection.execute(self._insert(self._params).on_conflict_do_nothing(), _texts(rows.params))
            if rows.tags:
                tags = self._insert(self._tags)
                tags = tags.on_conflict_do_update(
                    index_elements=["key", "run_uuid"], set_={"value": tags.excluded.value}
                )
                connection.execute(tags, _texts(rows.tags))
            if rows.metrics:
                connection.execute(self._insert(self._metrics).on_conflict_do_nothing(), rows.metrics)
                latest, columns = self._insert(self._latest), ("step", "timestamp", "value")
                latest = latest.on_conflict_do_update(
                    index_elements=["key", "run_uuid"],
                    set_={name: latest.excluded[name] for name in (*columns, "is_nan")},
                    where=tuple_(*(self._latest.c[name] for name in columns))
                    < tuple_(*(latest.excluded[name] for name in columns)),
                )
                connection.execute(latest, list(rows.latest.values()))
            ended = [
                {"run": run_id, "status": status, "end_time": now}
                for run_id, (status, now) in rows.ended.items()
                if run_id not in rows.begun
            ]
            if ended:
                connection.execute(update(self._runs).where(self._runs.c.run_uuid == bindparam("run")), ended)
        return True

    def _run(self, run: dict[str, Any], experiment_id: str, artifacts: str, rows: Rows) -> dict[str, Any]:
        from mlflow.utils.uri import append_to_uri_path

        status, end_time = rows.ended.get(run["run_uuid"], ("RUNNING", None))
        return {
            **run,
            "experiment_id": int(experiment_id),
            "artifact_uri": append_to_uri_path(artifacts, run["run_uuid"], "artifacts"),
            "status": status,
            "end_time": end_time,
            "source_type": "UNKNOWN",
            "source_name": "",
            "entry_point_name": "",
            "source_version": "",
            "deleted_time": None,
            "lifecycle_stage": "active",
        }


def tables(uri: str) -> Tables | None:
    """The tables of the store at `uri`; None where they are out of reach (a server's) or not as they are known here."""
    from mlflow.store.tracking.dbmodels import models
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from mlflow.tracking._tracking_service.utils import _get_store

    found = _get_store(uri)
    known = all(set(getattr(models, name).__table__.c.keys()) == columns for name, columns in _COLUMNS.items())
    return Tables(found.engine) if known and type(found) is SqlAlchemyStore else None


def _check(rows: Rows) -> None:
    """Refuse names and texts that MLflow refuses, with its words; texts that are too long for it are cut as it cuts them."""
    from mlflow.utils import validation

    for (_, key), row in rows.latest.items():
        validation._validate_metric(key, row["value"], row["timestamp"], row["step"])
    for (run_id, key), text in rows.params.items():
        rows.params[run_id, key] = validation._validate_param(key, text).value
    for (run_id, key), text in rows.tags.items():
        rows.tags[run_id, key] = validation._validate_tag(key, text).value


def _texts(texts: Mapping[tuple[str, str], str]) -> list[dict[str, str]]:
    return [{"run_uuid": run_id, "key": key, "value": text} for (run_id, key), text in texts.items()]


def _age(row: Mapping[str, Any]) -> tuple[int, int, float]:
    return row["step"], row["timestamp"], row["value"]
