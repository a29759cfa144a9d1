"""The tables read by SQL give what MLflow's client gives, and whatever is not known is left to it."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import reader, schema, store
from mlptune.tracking.source import ClientSource, TableSource, is_known, open_source

QUESTIONS: dict[str, Callable[[Any, list[str]], Any]] = {
    "sweeps": lambda source, _: source.sweeps(),
    "experiment": lambda source, _: [source.experiment(name) for name in ("other", "gone", "nothing", "Default")],
    "launches": lambda source, _: shapes(source.runs(list(source.sweeps()), {schema.KIND: "launch"})),
    "trials": lambda source, _: shapes(source.runs(list(source.sweeps()), {schema.KIND: "trial"})),
    "nothing": lambda source, _: [shapes(source.runs([], {})), shapes(source.runs(["1"], {schema.KIND: "none"}))],
    "run": lambda source, ids: [*shapes(map(source.run, ids)), source.run("0" * 32), source.run("x y")],
    "histories": lambda source, ids: [repr(list(source.histories(ids, key))) for key in ("loss", "one", "none")],
    "model": lambda source, ids: [source.model_location(run_id) for run_id in ids],
}


def shapes(runs: Iterable[Any]) -> list[str]:
    """All that the reader looks at, with NaN written so that it equals itself."""
    return [shape(run) for run in runs]


def shape(run: Any) -> str:
    names = ("run_id", "run_name", "experiment_id", "status", "start_time", "artifact_uri", "lifecycle_stage")
    parts = (run.data.tags, run.data.params, run.data.metrics)
    return repr(([getattr(run.info, name) for name in names], [sorted(part.items()) for part in parts]))


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_sources_answer_alike(full: str, question: str) -> None:
    with contextlib.closing(sqlite3.connect(str(store.sqlite_path(full)))) as connection:
        every = [row[0] for row in connection.execute("SELECT run_uuid FROM runs ORDER BY run_uuid")]
    tables, client = TableSource(full), ClientSource.of(full)
    found = QUESTIONS[question](tables, every)
    assert found
    assert found == QUESTIONS[question](client, every)


def test_the_pinned_mlflow_makes_stores_that_are_known(full: str) -> None:
    """If this fails after an upgrade of MLflow: compare the tables, and name the new revision."""
    assert is_known(full)
    assert type(open_source(full)) is TableSource


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "postgresql+psycopg://x/y", "sqlite:////no/such/file.db"])
def test_what_is_no_local_file_is_not_known(uri: str) -> None:
    assert not is_known(uri)


def test_another_revision_is_left_to_mlflow(full: str, tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    shutil.copyfile(str(store.sqlite_path(full)), path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
    assert not is_known(f"sqlite:///{path}")
    path.write_text("no database")
    assert not is_known(f"sqlite:///{path}")
    with pytest.raises(store.UnusableStore, match="is not a SQLite database"):
        reader.sweeps(f"sqlite:///{path}")


def test_reading_beside_a_writer_waits_for_it(full: str, tmp_path: Path) -> None:
    """A write that takes a moment is waited for; nothing half written is seen."""
    path = tmp_path / "mlflow.db"
    shutil.copyfile(str(store.sqlite_path(full)), path)
    program = (
        f"import sqlite3, sys, time; c = sqlite3.connect({str(path)!r}, isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE'); c.execute(\"DELETE FROM runs\"); print(flush=True); time.sleep(0.3); c.rollback()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as writing:
        assert writing.stdout is not None
        writing.stdout.readline()
        assert len(reader.sweeps(f"sqlite:///{path}")) == 2


def test_a_store_that_stays_locked_is_told_so(full: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mlflow.db"
    shutil.copyfile(str(store.sqlite_path(full)), path)
    monkeypatch.setattr("mlptune.tracking.store.sqlite.LOCK_SECONDS", 0.1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(store.StoreAway, match=r"mlflow.db failed while reading it: database is locked$"):
            reader.sweeps(f"sqlite:///{path}")


def test_damaged_tables_are_told_in_one_line(full: str, tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    shutil.copyfile(str(store.sqlite_path(full)), path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE tags RENAME TO lost")
    with pytest.raises(store.StoreError, match=r"mlflow.db failed while reading it: no such table: tags$"):
        reader.sweeps(f"sqlite:///{path}")


def test_nothing_of_mlflow_is_imported(full: str) -> None:
    program = f"""
import sys
from mlptune.tracking import reader
(other,) = (launch for [launch, *_] in reader.sweeps({full!r}) if launch.name == "other")
trials = reader.trials({full!r}, other.run_id)
assert reader.curves({full!r}, [trial.run_id for trial in trials], ["loss"])
assert reader.model_folder({full!r}, other.run_id).is_dir()
print(*[name for name in ("mlflow", "sqlalchemy", "numpy") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
