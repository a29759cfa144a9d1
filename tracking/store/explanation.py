"""Errors of MLflow, databases and files in one line."""

from concurrent.futures import BrokenExecutor

from .address import redact, sqlite_path
from .errors import _AWAY, _AWAY_ERRNO, _FOR_GOOD, StoreAway, StoreError


def explained(error: Exception, uri: str, doing: str) -> Exception:
    """Store and file errors as one line that names what was being done, StoreAway where a retry may succeed.

    All other errors stay as they are.
    """
    of_store = type(error).__module__.startswith(("mlflow.", "sqlalchemy.", "sqlite3"))
    if isinstance(error, StoreError) or (not of_store and not isinstance(error, OSError | BrokenExecutor)):
        return error
    reason = str(error).partition("\n")[0]
    if "Caused by" in reason:  # requests wraps the system's message in four layers of its own
        reason = reason.rpartition("Caused by ")[2].rpartition(": ")[2].strip("\"'()> ")
    reason = reason if len(reason) <= 400 else reason[:397] + "..."
    kind = StoreAway if _is_away(error) else StoreError
    path = sqlite_path(uri)
    if of_store and path is not None and not path.exists():
        # SQLite calls it "readonly" or "unable to open", which would send users to look at permissions.
        reason, kind = "its file is gone; move it back and use --resume, or start again", StoreError
    line = kind(f"the store {redact(uri)} failed while {doing}: {redact(reason)}")
    line.__cause__ = error
    return line


def _is_away(error: Exception) -> bool:
    if isinstance(error, BrokenExecutor | ConnectionError | TimeoutError):
        return True
    if type(error).__module__.startswith("requests."):
        return True
    if isinstance(error, OSError):
        return error.errno in _AWAY_ERRNO
    reason = str(error)
    if _FOR_GOOD.search(reason):
        return False
    code = getattr(error, "error_code", "")
    if code in ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED") or _AWAY.search(reason):
        return True
    # Some of the database's own errors come wrapped as internal ones of MLflow.
    inner: BaseException | None = error
    while inner is not None and not (
        type(inner).__module__ in ("sqlalchemy.exc", "sqlite3")
        and type(inner).__name__ in ("OperationalError", "InterfaceError", "PendingRollbackError")
    ):
        inner = inner.__cause__ or inner.__context__
    return inner is not None
