"""Addresses are completed, refused in one line, and shown without their passwords."""

from pathlib import Path

import pytest

from mlptune.tracking import store


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
