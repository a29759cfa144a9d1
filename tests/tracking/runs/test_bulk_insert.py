"""Trials written straight into MLflow's tables are what MLflow's own client would have written, row for row."""

import math
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlptune.tracking import lease, schema, store
from mlptune.tracking.records import TrialRecord, TrialWrite
from mlptune.tracking.runs import bulk_insert
from mlptune.tracking.runs.launches import Runs
from tests.support.servers import postgresql_server

START = 1_700_000_000_000
TABLES = ("runs", "params", "tags", "metrics", "latest_metrics")


@pytest.fixture(scope="module")
def sqlite(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("bulk") / "mlflow.db"
    shutil.copyfile(migrated, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with postgresql_server() as database:
        yield store.store_uri(database.get_uri())


def write(number: int, attempt: int = 1, at: int = 0, **changes: Any) -> TrialWrite:
    params = {"number": str(number), "é": "x" * (7000 if number == 3 else 2)}
    record = TrialRecord(number, changes.pop("state", None) or "running", None, params, attempt=attempt)
    return TrialWrite(record, **{"metrics": [], "now": START + at, **changes})


def written(uri: str, groups: Sequence[Sequence[TrialWrite]], way: str) -> list[Any]:
    """All rows of the trials' runs, after the groups were written in order; run ids and the sweep's name by what they stand for.

    By MLflow's client alone, or their rows by SQLAlchemy, or all in the way that the store has.
    """
    runs = Runs(uri)
    if way != "tables":
        runs._client = store.import_mlflow().MlflowClient(uri)
        runs._tables = bulk_insert.tables(uri) if way == "rows" else None
    assert (runs._tables is None) == (way == "client")
    name = f"sweep {time.monotonic_ns()}"
    holder = lease.register_holder()
    launch = runs.open_launch(name, "", {}, {"mlflow.user": "somebody"}, {}, True, holder, START)
    try:
        for group in groups:
            runs.write_trials(group)
    finally:
        runs.close()
        lease.unregister_holder(holder)
    return rows(uri, runs._experiment_id, {launch.run_id: "the launch", name: "the sweep"})


def rows(uri: str, experiment: str, names: dict[str, str]) -> list[Any]:
    engine = sqlalchemy.create_engine(uri)
    metadata = sqlalchemy.MetaData()
    metadata.reflect(engine, only=TABLES)
    found = []
    with engine.connect() as connection:
        ids = [
            row[0]
            for row in connection.execute(
                sqlalchemy.text("SELECT run_uuid FROM runs WHERE experiment_id = :e"), {"e": int(experiment)}
            )
        ]
        for run_id in ids:
            labels = {"mlptune.number", "mlptune.attempt"}
            tags = connection.execute(sqlalchemy.select(metadata.tables["tags"]).filter_by(run_uuid=run_id)).mappings()
            names.setdefault(run_id, " ".join(sorted(f"{t['key']}={t['value']}" for t in tags if t["key"] in labels)))
        for table in TABLES:
            for row in connection.execute(
                sqlalchemy.select(metadata.tables[table]).where(metadata.tables[table].c.run_uuid.in_(ids))
            ).mappings():
                if names[row["run_uuid"]] != "the launch":
                    found.append((table, *sorted((key, shown(value, names)) for key, value in row.items())))
    engine.dispose()
    return sorted(found)


def shown(value: Any, names: dict[str, str]) -> str:
    """A cell as text, without what differs from sweep to sweep (ids, folders, the number of the experiment)."""
    if isinstance(value, int) and value > START + 1_000_000:
        return "now"  # when a superseded run was closed
    text = str(value)
    if text.endswith("/artifacts"):
        return names[text.split("/")[-2]]
    return names.get(text, text) if not isinstance(value, int) else text


def same(uri: str, groups: Sequence[Sequence[TrialWrite]]) -> None:
    def without_experiment(found: list[Any]) -> list[Any]:
        return [tuple(cell for cell in row if cell[0] != "experiment_id") for row in found]

    by_client = without_experiment(written(uri, groups, "client"))
    assert without_experiment(written(uri, groups, "rows")) == by_client
    assert without_experiment(written(uri, groups, "tables")) == by_client
    assert {row[0] for row in by_client} == set(TABLES)


HARD = [
    [
        write(0, metrics=[("loss", 1.0, 1), ("loss", math.nan, 2)], tags={"t": "1"}, started=START - 5),
        write(0, at=1, metrics=[("loss", 0.5, 3), ("value", -math.inf, 0)], tags={"t": "2"}, state="complete"),
        write(1, metrics=[("loss", float(step), step) for step in range(1, 1300)]),
    ],
    [write(3, metrics=[("a b/c.d-e", math.inf, 1)], state="failed"), write(2, metrics=[("loss", 1.0, 7)])],
    # Said again, and a point that is older than the latest.
    [
        write(1, metrics=[("loss", 5.0, 5), ("loss", 3.0, 2000)]),
        write(2, metrics=[("loss", 1.0, 7)]),
        write(2, at=3, state="pruned"),
    ],
    # Of a text too long for a tag, which becomes an artifact, and of a second attempt, the client takes care.
    [write(4, tags={"long": "y" * 9000}, state="complete")],
    [write(5, metrics=[("loss", 1.0, 1)]), write(5, attempt=2, metrics=[("loss", 2.0, 1)], state="complete")],
]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_hard_cases(kind: str, request: pytest.FixtureRequest) -> None:
    same(request.getfixturevalue(kind), HARD)


writes = st.builds(
    write,
    st.integers(0, 2),
    at=st.integers(0, 3),
    tags=st.dictionaries(st.sampled_from(["t", "u"]), st.text("ab", max_size=2), max_size=2),
    metrics=st.lists(
        st.tuples(st.sampled_from(["loss", "score"]), st.floats(allow_subnormal=False), st.integers(0, 4)), max_size=4
    ),
    state=st.sampled_from([None, None, "complete", "pruned"]),
)


@given(st.lists(st.lists(writes, min_size=1, max_size=4), min_size=1, max_size=3))
@example([[write(0, metrics=[("loss", 1.0, 1), ("loss", 1.0, 1)])]])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_writes(sqlite: str, groups: list[list[TrialWrite]]) -> None:
    groups[0].append(write(0, tags={"t": "a"}, metrics=[("loss", 0.5, 9)]))
    same(sqlite, groups)


def test_nothing_is_written_into_what_was_deleted(sqlite: str) -> None:
    mlflow = store.import_mlflow()
    client = mlflow.MlflowClient(sqlite)
    tables = bulk_insert.tables(sqlite)
    assert tables is not None
    experiment = client.create_experiment("deleted")
    run = client.create_run(experiment)
    begun, more = bulk_insert.Rows(), bulk_insert.Rows()
    begun.begin("f" * 32, "new", "somebody", START)
    begun.add("f" * 32, {"x": "1"}, {}, [("loss", 1.0, 1)], START)
    more.add(run.info.run_id, {"x": "1"}, {}, [("loss", 1.0, 1)], START, "FINISHED")
    client.delete_run(run.info.run_id)
    assert not tables.write(experiment, more)
    client.restore_run(run.info.run_id)
    client.delete_experiment(experiment)
    assert not tables.write(experiment, begun)
    client.restore_experiment(experiment)
    assert client.get_run(run.info.run_id).data.params == {}
    assert tables.write(experiment, more)
    assert tables.write(experiment, begun)
    assert {run.data.params["x"] for run in client.search_runs([experiment])} == {"1"}
    assert client.get_run(run.info.run_id).info.status == "FINISHED"


def test_what_mlflow_refuses_is_refused_whole(sqlite: str) -> None:
    mlflow = store.import_mlflow()
    tables = bulk_insert.tables(sqlite)
    assert tables is not None
    client = mlflow.MlflowClient(sqlite)
    experiment = client.create_experiment("refused")
    rows = bulk_insert.Rows()
    rows.begin("e" * 32, "new", "somebody", START)
    rows.add("e" * 32, {"../x": "1"}, {schema.STATE: "running"}, [], START)
    with pytest.raises(mlflow.MlflowException, match=r"\.\./x"):
        tables.write(experiment, rows)
    assert client.search_runs([experiment]) == []


def test_a_store_behind_a_server_is_not_reached_directly() -> None:
    assert bulk_insert.tables("http://127.0.0.1:9") is None
