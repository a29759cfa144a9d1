"""A launch written without MLflow leaves what MLflow's own client leaves, row for row and file for file."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import records, schema, store
from mlptune.tracking.runs import launches
from mlptune.tracking.runs.table_client import TableClient
from tests.support.full_launches import write_all


def rows_of(uri: str) -> dict[str, list[list[str]]]:
    """The rows of all tables, with ids by the order of their first appearance, and without times and folders."""
    path = store.sqlite_path(uri)
    assert path is not None
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        ids = ids_in(connection)
        for table in tables:
            rows = [plain(dict(row), ids, str(path.parent)) for row in connection.execute(f"SELECT * FROM {table}")]
            if rows:
                found[table] = sorted(rows)
    return found


def ids_in(connection: sqlite3.Connection) -> dict[str, str]:
    """What each id stands for."""
    of_runs = connection.execute(
        "SELECT r.run_uuid, r.name, COALESCE((SELECT value FROM tags t WHERE t.run_uuid = r.run_uuid AND key = ?), ''), "
        "(SELECT COUNT(*) FROM runs s WHERE s.rowid < r.rowid) FROM runs r",
        (schema.ATTEMPT,),
    )
    ids = {run_id: f"run {name} {attempt} {n}" for run_id, name, attempt, n in of_runs}
    models = connection.execute("SELECT model_id, source_run_id FROM logged_models").fetchall()
    ids |= {model: f"model of {ids[run]}" for model, run in models}
    ids |= {data: "data" for (data,) in connection.execute("SELECT dataset_uuid FROM datasets")}
    ids |= {made: f"input {n}" for n, (made,) in enumerate(connection.execute("SELECT input_uuid FROM inputs"))}
    return ids


VARYING = ("time", "timestamp", "heartbeat", "digest", "input_uuid")


def plain(row: dict[str, Any], ids: dict[str, str], folder: str) -> list[str]:
    if row.get("key") in (schema.CLAIM, schema.HOLDER, schema.HEARTBEAT) or str(row.get("key")).startswith(
        schema.CLAIM
    ):
        row["value"] = "a holder"
    if row.get("key") == schema.SETUP:
        row["value"] = records.dumps({**json.loads(row["value"]), "claim": "a holder"})
    cells = []
    for name, value in sorted(row.items()):
        text = "some" if value and any(part in name for part in VARYING) else repr(value)
        if str(row.get("key", row.get("tag_key"))) == schema.MODEL_LOGGED and "value" in name:
            text = "when"
        if str(row.get("key")).startswith("mlflow.sharedViewState") and name == "value":
            text = "a view"
        for made, meaning in ids.items():
            text = text.replace(made, meaning)
        cells.append(f"{name}={text.replace(folder, 'HERE')}")
    return cells


def test_all_rows_and_files_are_those_of_mlflow(
    stores: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = stores("ours"), stores("them")
    monkeypatch.chdir(tmp_path)
    write_all(ours, tmp_path / "model of ours")
    with monkeypatch.context() as patch:
        patch.setattr(launches, "is_known", lambda uri: False)
        write_all(theirs, tmp_path / "model of them")
    mine, known = rows_of(ours), rows_of(theirs)
    assert mine.keys() == known.keys()
    for table in known:
        assert mine[table] == known[table], table
    assert files_in(tmp_path / "ours") == files_in(tmp_path / "them")


def files_in(folder: Path) -> list[str]:
    """The artifacts, by their names from the run's or model's folder on."""
    paths = [path for path in (folder / "mlruns").rglob("*") if path.is_file()]
    return sorted(str(path).partition("/artifacts/")[2] for path in paths)


def test_neither_mlflow_nor_sqlalchemy_is_imported(stores: Callable[[str], str], tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.support.full_launches import write_all
for name in [name for name in sys.modules if name.partition(".")[0] in ("mlflow", "sqlalchemy")]:
    del sys.modules[name]
write_all({stores("ours")!r}, Path({str(tmp_path / "model")!r}))
assert not {{"mlflow", "sqlalchemy", "sklearn"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)


def test_what_is_not_possible_here_mlflow_refuses(uri: str, client: Any) -> None:
    import mlflow

    own = TableClient(uri)
    experiment = own.create_experiment("cars", "file:///tmp/cars", {})
    with pytest.raises(sqlite3.IntegrityError):
        own.create_experiment("cars", "file:///tmp/cars", {})
    run_id = own.create_run(experiment, 5, {"mlflow.user": "somebody"}, "first").info.run_id
    own.log_param(run_id, "x", "1")
    own.log_param(run_id, "x", "1")
    with pytest.raises(mlflow.MlflowException, match="Changing param values"):
        own.log_param(run_id, "x", "2")
    with pytest.raises(mlflow.MlflowException, match=r"\.\./x"):
        own.set_tag(run_id, "../x", "1")
    with pytest.raises(mlflow.MlflowException, match="not found"):
        own.get_run("0" * 32)
    own.delete_run(run_id)
    for forbidden in (
        lambda: own.set_tag(run_id, "t", "1"),
        lambda: own.set_terminated(run_id, "FINISHED"),
        lambda: own.delete_tag(run_id, "t"),
        lambda: own.update_run(run_id, "RUNNING"),
    ):
        with pytest.raises(mlflow.MlflowException, match="active"):
            forbidden()
    client.delete_experiment(experiment)
    with pytest.raises(mlflow.MlflowException, match="active"):
        own.set_experiment_tag(experiment, "t", "1")
    with pytest.raises(mlflow.MlflowException, match="active"):
        own.create_run(experiment, 5, {}, "second")
    run = client.get_run(run_id)
    assert (run.info.lifecycle_stage, run.info.run_name, run.data.params) == ("deleted", "first", {"x": "1"})


def test_names_and_texts_beyond_mlflows_limits_are_treated_as_it_does(uri: str, client: Any) -> None:
    own = TableClient(uri)
    run_id = own.create_run(own.create_experiment("cars", "file:///tmp/cars", {}), 5, {}, "first").info.run_id
    own.write_to(run_id, [("a: b", 1.0, 1)], {"p": "x" * 7000}, {"t": "y" * 9000, schema.RUN_NAME: "renamed"}, 7)
    run = client.get_run(run_id)
    assert run.data.metrics == {"a: b": 1.0}
    assert (run.data.params["p"], run.data.tags["t"]) == ("x" * 6000, "y" * 8000)
    assert run.info.run_name == run.data.tags[schema.RUN_NAME] == "renamed"
