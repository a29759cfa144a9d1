"""The writer's process: MLflow is imported and written to beside the coordinator, not in its way.

The coordinator proposes trials and collects results in one interpreter; MLflow needs a second to be imported, and for
each trial 2 ms of computing in a database and 20 behind a server: both would wait for each other.
"""

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from . import store
from .runs.launches import Runs
from .source.tables import REVISIONS

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Call(Generic[R]):
    """A call of a method of `Runs`, which can be sent to another process; `doing` says for error messages what it does."""

    doing: str
    method: Callable[..., R]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def on(self, runs: Runs) -> R:
        """Make the call."""
        return self.method(runs, *self.args, **self.kwargs)


def call(doing: str, method: Callable[Concatenate[Runs, P], R], *args: P.args, **kwargs: P.kwargs) -> Call[R]:
    """The call of a method such as `Runs.write_trials`, whose arguments a type checker compares with the method's."""
    return Call(doing, method, args, kwargs)


class StoreWorker:
    """Makes the calls of one writer at a time, in whichever process it is.

    A writer is known by its `session`. When it leaves, or the next one comes, everything about it is forgotten, so that one process
    can serve several writers one after the other.
    """

    def __init__(self) -> None:
        self._session: str | None = None
        self._runs: Runs | None = None

    def execute(self, uri: str, session: str, call: Call[R]) -> tuple[R, dict[int, str], dict[str, str]]:
        """Make the call in the store at `uri`; return its result, the run ids of trials that have become known, and the requests.

        What it raises can be sent between processes: MLflow's own errors, and files', become StoreError or StoreAway.
        """
        if session != self._session:
            self.leave(self._session)
        doing = "opening it"
        try:
            if self._runs is None:
                self._runs, self._session = Runs(uri), session
            doing = call.doing
            self._runs.check_held()
            result = call.on(self._runs)
        except Exception as error:
            explained = store.explained(error, uri, doing)
            if explained is error:
                raise
            raise explained from None
        return result, self._runs.take_trial_run_ids(), self._runs.requests

    def leave(self, session: str | None) -> None:
        """Forget the writer of that session, if it is the present one; its launch can be taken up by others."""
        if session == self._session:
            if self._runs is not None:
                self._runs.close()
            self._session, self._runs = None, None


_worker = StoreWorker()


def prepare(uri: str | None = None) -> None:
    """Import what the first writes need before they arrive, to the store at `uri` if that is given. Writes to no store."""
    if uri is not None and store.ready_revision(uri) in REVISIONS:
        return
    # Imported modules stay: looking for garbage in them takes a fifth of the time and finds none.
    gc.disable()
    try:
        store.import_mlflow()
        for module in ("tracking.sqlalchemy_store", "model_registry.sqlalchemy_store", "db.utils"):
            import_module(f"mlflow.store.{module}")
    finally:
        gc.freeze()
        gc.enable()


def execute(uri: str, session: str, call: Call[R]) -> tuple[R, dict[int, str], dict[str, str]]:
    """As `StoreWorker.execute`, by the one worker of this process."""
    # The queue retries by itself, and must know of each run whether its creation may have been requested twice.
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    return _worker.execute(uri, session, call)


def leave(session: str) -> None:
    """As `StoreWorker.leave`, by the one worker of this process."""
    _worker.leave(session)
