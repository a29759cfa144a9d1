"""The writer's hand in a process of its own: MLflow is imported and written to beside the coordinator, not in its way.

The coordinator proposes trials and collects results in one interpreter; MLflow needs a second to be imported, and for
each trial 2 ms of computing in a database and 20 behind a server: both would wait for each other.
"""

import gc
import os
from importlib import import_module
from typing import Any

from . import store
from .runs import Runs


class Hand:
    """Has the calls of one writer executed, in whichever process it is."""

    def __init__(self) -> None:
        self._runs: Runs | None = None
        self._known: dict[int, str] = {}

    def execute(self, uri: str, method: str, what: str, arguments: dict[str, Any]) -> tuple[Any, dict[int, str]]:
        """Run a method of `Runs` ("" for none); return its result and the run ids that came to be known.

        What it raises can be sent between processes: MLflow's own errors, and files', become StoreError or StoreAway.
        """
        doing = what
        try:
            if self._runs is None:
                doing = "opening it"
                self._runs = Runs(uri)
                doing = what
            if method != "leave":
                self._runs.check_held()
            result = getattr(self._runs, method)(**arguments) if method else None
        except Exception as error:
            explained = store.explained(error, uri, doing)
            if explained is error:
                raise
            raise explained from None
        found = {number: trial.run_id for number, trial in self._runs.trials.items()}
        new = {number: run_id for number, run_id in found.items() if self._known.get(number) != run_id}
        self._known.update(new)
        return result, new


_hand = Hand()


def prepare() -> None:
    """Import what the first writes need, before they are there. Touches no store."""
    # What an import makes stays: looking for garbage in it takes a fifth of the time and finds none.
    gc.disable()
    try:
        store.import_mlflow()
        for module in ("tracking.sqlalchemy_store", "model_registry.sqlalchemy_store", "db.utils"):
            import_module(f"mlflow.store.{module}")
    finally:
        gc.freeze()
        gc.enable()


def execute(uri: str, method: str, what: str, arguments: dict[str, Any]) -> tuple[Any, dict[int, str]]:
    """As `Hand.execute`, by the one hand of this process."""
    # The writer tries again by itself, and must know of each run whether making it may have been asked for twice.
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    return _hand.execute(uri, method, what, arguments)
