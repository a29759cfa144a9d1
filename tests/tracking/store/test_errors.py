"""Which of a database's errors waiting can mend, as SQLite itself raises them, and how they come from the writing process."""

import pickle
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from mlptune.tracking import store
from mlptune.tracking.store.errors import StoreAway, StoreError, UnusableStore

WRITE = "INSERT INTO numbers VALUES (1)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE numbers (x UNIQUE)")
        connection.executemany("INSERT INTO numbers VALUES (?)", [(f"{i:0999}",) for i in range(2, 99)])
        connection.commit()
    return path


def explained(path: Path, statements: Sequence[str]) -> Exception:
    """What we make of the error that the last of the statements raises."""
    store.import_mlflow()
    import sqlalchemy

    address = f"sqlite:///{path}"
    engine = sqlalchemy.create_engine(address, connect_args={"timeout": 0.01})
    with engine.connect() as connection:
        for statement in statements[:-1]:
            connection.exec_driver_sql(statement)
        with pytest.raises(sqlalchemy.exc.DBAPIError) as caught:
            connection.exec_driver_sql(statements[-1])
    engine.dispose()
    return store.explained(caught.value, address, "committing trial 3")


@pytest.mark.parametrize("mode", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_store_that_another_program_is_writing_to_is_waited_for(path: Path, mode: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"BEGIN {mode}")
        error = explained(path, [WRITE])
    assert isinstance(error, StoreAway)
    assert "database is locked" in str(error)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (["PRAGMA query_only = ON", WRITE], "attempt to write a readonly database"),
        (["PRAGMA max_page_count = 1", "INSERT INTO numbers VALUES (randomblob(100000))"], "database or disk is full"),
        (["SELECT x FROM letters"], "no such table: letters"),
        (["SELECT y FROM numbers"], "no such column: y"),
        ([WRITE, WRITE], "UNIQUE constraint failed"),
    ],
)
def test_a_write_that_would_fail_again_is_not_waited_for(path: Path, statements: list[str], message: str) -> None:
    error = explained(path, statements)
    assert isinstance(error, StoreError)
    assert not isinstance(error, StoreAway)
    assert message in str(error)


@pytest.mark.parametrize(
    ("first", "message"), [(0, "file is not a database"), (4096, "database disk image is malformed")]
)
def test_a_file_that_was_overwritten_is_not_waited_for(path: Path, first: int, message: str) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:first] + b"\xff" * (len(whole) - first))
    error = explained(path, ["SELECT count(*) FROM numbers"])
    assert isinstance(error, StoreError)
    assert not isinstance(error, StoreAway)
    assert message in str(error)


@pytest.mark.parametrize("kind", [UnusableStore, StoreError, StoreAway])
def test_an_error_is_what_it_was_when_it_comes_from_another_process(kind: type[Exception]) -> None:
    arrived = pickle.loads(pickle.dumps(kind("the store sqlite:////x.db failed while waiting: x")))
    assert type(arrived) is kind
    assert str(arrived) == "the store sqlite:////x.db failed while waiting: x"


def test_what_both_clients_raise_is_recognised(tmp_path: Path) -> None:
    client = store.import_mlflow().MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    client.create_experiment("cars")
    with pytest.raises(store.client_errors()) as taken:
        client.create_experiment("cars")
    with pytest.raises(store.client_errors()) as missing:
        client.get_run("0" * 32)
    with pytest.raises(store.client_errors()) as unique, closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("CREATE TABLE t (x UNIQUE); INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)")
    assert [store.is_there_already(found.value) for found in (taken, missing, unique)] == [True, False, True]
