"""Addresses are completed, refused in one line, and shown without their passwords."""

from pathlib import Path

import pytest

from mlptune.tracking import store
from mlptune.tracking.runs.launches import Runs


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "sqlite:///{cwd}/mlflow.db"),
        ("sqlite:///x/y.db", "sqlite:///{cwd}/x/y.db"),
        ("sqlite:////x/../y.db?timeout=3", "sqlite:////y.db?timeout=3"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg2://h/d", "postgresql+psycopg2://h/d"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
    ],
)
def test_address(given: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = store.store_uri(given)
    assert result == expected.format(cwd=tmp_path)
    assert store.store_uri(result) == result
    if given:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        assert store.store_uri(None) == result


@pytest.mark.parametrize(
    "given", ["mlruns", "./mlruns", "file:///tmp/mlruns", "/tmp/x", "sqlite://", "sqlite:///:memory:"]
)
def test_address_that_is_no_store(given: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///") as caught:
        store.store_uri(given)
    assert "\n" not in str(caught.value)


def test_address_of_a_bare_file_says_how_to_write_it() -> None:
    with pytest.raises(ValueError, match=r"sqlite:///runs\.db"):
        store.store_uri("runs.db")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://user:s3cret@host:5432/db",
        "http://user:s3c:s3cret/s3cret@host",
        "postgresql://host/db?password=s3cret&x=1",
        "cannot reach postgresql://user:s3cret@host/db, sorry",
    ],
)
def test_redact(address: str) -> None:
    hidden = store.redact(address)
    assert "s3c" not in hidden
    assert "host" in hidden


def test_redact_leaves_plain_addresses() -> None:
    for address in ("sqlite:////a/b@c.db", "http://127.0.0.1:5000/a"):
        assert store.redact(address) == address


@pytest.mark.parametrize("name", ["a%20b", "%41 #1", "what?", "50%", "ä & b"])
def test_a_folder_may_be_called_what_it_likes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = store.store_uri()
    assert (store.store_uri(uri), store.sqlite_path(uri)) == (uri, folder / "mlflow.db")
    assert not store.store_exists(uri)
    Runs(uri)  # MLflow itself finds the same file
    assert store.store_exists(uri)
    assert (folder / "mlflow.db").stat().st_size > 0


def test_what_an_address_means_by_20_is_the_folder_that_there_is(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "c%20d").mkdir()
    for written, meant in (
        ("a%20b", "a b"),
        ("a b", "a b"),
        ("c%20d", "c%20d"),
        ("c%2520d", "c%20d"),
        ("e%20f", "e f"),
    ):
        path = store.sqlite_path(store.store_uri(f"sqlite:///{tmp_path}/{written}/x.db"))
        assert path == tmp_path / meant / "x.db"
