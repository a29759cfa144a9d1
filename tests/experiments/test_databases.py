"""SQLite: tables and queries are read as they are stored, and nothing is ever written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mlptune.experiments import databases
from mlptune.experiments.errors import UserError


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "the shop?.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            'create table orders (item text, price real, "the day" text);'
            "insert into orders values ('tea', 3.5, '2020-01-01'), ('01', NULL, 'x'), (CAST(x'4369e8' AS TEXT), 'two', NULL);"
            'create table "items ""here""" (a); create view cheap as select * from orders where price < 4;'
        )
    return path


def read(path: Path, part: str = "", wanted: str = ""):
    return databases.read("shop.db", path, part, wanted, lambda line: None)


def test_cells_are_as_they_are_stored(shop):
    said: list[str] = []
    frame = databases.read("shop.db", shop, "table", "orders", said.append)
    assert list(frame) == databases.column_names("shop.db", shop, "table", "Orders") == ["item", "price", "the day"]
    assert frame["item"].tolist() == ["tea", "01", "Ciè"]
    assert frame["price"].tolist()[::2] == [3.5, "two"]
    assert said == ["shop.db: is not all UTF-8; what is not was read as Windows-1252"]
    assert len(read(shop, "table", "cheap")) == 1
    assert list(read(shop, "table", 'items "here"')) == ["a"]
    query = (
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, upper('a') AS b FROM n;"
    )
    assert read(shop, "query", query).to_numpy().tolist() == [[i, "A"] for i in range(1, 6)]


def test_virtual_tables_are_tables(shop):
    with closing(sqlite3.connect(shop)) as connection, connection:
        connection.execute("CREATE VIRTUAL TABLE notes USING fts5(text)")
        connection.execute("INSERT INTO notes VALUES ('good tea')")
    assert read(shop, "query", "SELECT * FROM notes WHERE notes MATCH 'tea'").to_numpy().tolist() == [["good tea"]]
    assert read(shop, "query", "SELECT value FROM json_each('[1, 2]')").to_numpy().tolist() == [[1], [2]]


def test_the_only_table_needs_no_name(shop):
    with pytest.raises(UserError, match=r"^shop\.db: add \?table=NAME or \?query=SELECT \.\.\.; known: cheap, items"):
        read(shop)
    with closing(sqlite3.connect(shop)) as connection:
        connection.executescript('drop view cheap; drop table "items ""here"""')
    assert len(read(shop)) == 3


@pytest.mark.parametrize(
    ("part", "wanted", "message"),
    [
        ("table", "order", "has no table 'order'; did you mean 'orders'?"),
        ("table", "sqlite_master", "has no table 'sqlite_master'; known: cheap, "),
        ("query", "SELECT prize FROM orders", "cannot be read: no such column: prize"),
        ("query", "SELEC 1", 'cannot be read: near "SELEC": syntax error'),
        ("query", "-- nothing", "a query must be a SELECT"),
        ("query", "CREATE TEMP TABLE t AS SELECT 1", "a query must be a SELECT"),
        ("query", "BEGIN EXCLUSIVE", "a query must be a SELECT"),
        *(
            ("query", query, "a query may be one SELECT and nothing that writes")
            for query in (
                "DELETE FROM orders",
                "INSERT INTO orders VALUES (1, 2, 3) RETURNING *",
                "SELECT 1; DROP TABLE orders",
                "ATTACH 'other.db' AS other",
                "VACUUM INTO 'other.db'",
                "PRAGMA user_version = 3",
                "DROP TABLE orders",
                "SELECT load_extension('other')",
            )
        ),
    ],
)
def test_what_fails_or_would_write_is_refused(shop, monkeypatch, part, wanted, message):
    monkeypatch.chdir(shop.parent)
    before = shop.read_bytes()
    for attempt in (read, lambda *arguments: databases.column_names("shop.db", *arguments)):
        with pytest.raises(UserError) as caught:
            attempt(shop, part, wanted)
        assert str(caught.value).startswith("shop.db: ")
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    assert shop.read_bytes() == before
    assert [path.name for path in shop.parent.iterdir()] == [shop.name]


def test_damaged_files_are_refused(shop):
    data = shop.read_bytes()
    for damaged, message in ((data[:-4096], "malformed"), (b"a,b\n1,2\n" * 999, "not a database"), (data[:50], "")):
        shop.write_bytes(damaged)
        with pytest.raises(UserError, match=rf"^shop\.db: cannot be read: .*{message}"):
            read(shop, "table", "orders")
