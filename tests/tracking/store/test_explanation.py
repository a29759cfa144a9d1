"""Errors of databases, servers and files become one line that says whether waiting can help."""

import errno
import sqlite3
from concurrent.futures import BrokenExecutor

import pytest

from mlptune.tracking import store


def _chained(outer: Exception, inner: Exception) -> Exception:
    outer.__context__ = inner
    return outer


def _database(kind: str, text: str, code: str = "TEMPORARILY_UNAVAILABLE") -> Exception:
    """As MLflow raises what its database driver says."""
    store.import_mlflow()
    import sqlalchemy
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import ErrorCode

    inner = getattr(sqlalchemy.exc, kind)("INSERT", {}, Exception(text))
    return _chained(MlflowException(inner, ErrorCode.Value(code)), inner)


def _answered(status: int) -> Exception:
    """What MLflow makes of a server's answer."""
    from mlflow.exceptions import MlflowException
    from mlflow.utils.rest_utils import verify_rest_response
    from requests import Response

    response = Response()
    response.status_code = status
    response._content = b"no"
    with pytest.raises(MlflowException) as caught:
        verify_rest_response(response, "/api/2.0/mlflow/runs/create")
    return caught.value


def test_what_a_retry_may_mend_and_what_not() -> None:
    away = [
        _database("OperationalError", "database is locked"),
        _database("OperationalError", "terminating connection due to administrator command", "INTERNAL_ERROR"),
        _database("OperationalError", "connection to server failed: Connection refused"),
        _database("OperationalError", "the database system is starting up"),
        _database("InterfaceError", "the connection is closed", "BAD_REQUEST"),
        sqlite3.OperationalError("database is locked"),
        _answered(503),
        ConnectionResetError("the answer is lost"),
        OSError(errno.ESTALE, "Stale file handle"),
        BrokenExecutor("the process has died"),
    ]
    refused = [
        _database("OperationalError", "database or disk is full"),
        _database("OperationalError", "disk I/O error"),
        _database("OperationalError", "attempt to write a readonly database"),
        _database("OperationalError", "no such table: runs"),
        _database("OperationalError", 'password authentication failed for user "x"'),
        _database("ProgrammingError", 'relation "runs" does not exist', "BAD_REQUEST"),
        _database("IntegrityError", "UNIQUE constraint failed", "BAD_REQUEST"),
        sqlite3.DatabaseError("database disk image is malformed"),
        sqlite3.OperationalError("no such table: runs"),
        _answered(501),
        OSError(errno.ENOSPC, "No space left on device"),
        PermissionError(errno.EACCES, "Permission denied"),
    ]
    for error in away + refused:
        explained = store.explained(error, "postgresql://me:s3cret@host/db", "committing trial 3")
        assert isinstance(explained, store.StoreError)
        assert isinstance(explained, store.StoreAway) == (error in away), error
        assert "s3cret" not in str(explained)
        assert "committing trial 3" in str(explained)
    ours = ValueError("a fault of ours")
    assert store.explained(ours, "sqlite:////x.db", "x") is ours


def test_a_store_whose_file_is_gone_is_recognised(uri: str) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(uri)
    client.create_experiment("before")
    path = store.sqlite_path(uri)
    assert path is not None
    path.unlink()
    with pytest.raises(MlflowException) as refused:
        client.create_experiment("after")
    explained = store.explained(refused.value, uri, "committing trial 3")
    assert str(explained).endswith(
        "failed while committing trial 3: its file is gone; move it back and use --resume, or start again"
    )
    assert not isinstance(explained, store.StoreAway)
    assert not path.exists()
