"""The errors of a store."""

import errno
import re
import sqlite3
import sys


class UnusableStore(ValueError):
    """The store cannot be what its address says; the message is one line that says what to do."""


class StoreError(RuntimeError):
    """The store did not take a write; the message names it and the reason, in one line."""


class StoreAway(StoreError):
    """The store is locked, slow, restarting or out of reach: the same write may succeed later."""


def client_errors() -> tuple[type[Exception], ...]:
    """What a client raises where the store refuses or fails: MLflow's errors, if it is imported at all, and those of SQLite."""
    mlflow = sys.modules.get("mlflow.exceptions")
    return (sqlite3.Error, *(() if mlflow is None else (mlflow.MlflowException,)))


def is_there_already(error: Exception) -> bool:
    """Whether a client's error says that what was to be created is there."""
    return isinstance(error, sqlite3.IntegrityError) or getattr(error, "error_code", "") == "RESOURCE_ALREADY_EXISTS"


# Messages of databases about what retrying cannot mend, though MLflow calls it temporary.
_FOR_GOOD = re.compile(
    r"disk is full|disk I/O error|no space left|readonly database|read-only|unable to open database|no such (table|column)"
    r"|malformed|not a database|DiskFull|authentication failed|permission denied|does not exist",
    re.IGNORECASE,
)


# A server that cannot be reached, or that cannot reach its own database; 501 and 505 say that it never will.
_AWAY = re.compile(
    r"^API request to .* failed with (timeout )?exception|failed with error code (408|429|5(?!0[15])\d\d) "
)


_AWAY_ERRNO = {
    errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT, errno.ENETDOWN, errno.ENETUNREACH,
    errno.EHOSTDOWN, errno.EHOSTUNREACH,
}  # fmt: skip
