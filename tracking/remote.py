"""The writer's hand in a process of its own: MLflow is imported and written to beside the coordinator, not in its way.

The coordinator proposes trials and collects results in one interpreter; MLflow needs a second to be imported and some
20 ms of computing for each trial, which would make both wait for each other.
"""

import gc
from importlib import import_module
from typing import Any

from . import store
from .runs import Runs

_runs: Runs | None = None
_known: dict[int, str] = {}


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
    """Run a method of `Runs` ("" for none) here; return its result and the run ids that came to be known.

    What it raises can be sent between processes: MLflow's own errors, and files', become StoreError.
    """
    global _runs
    doing = what
    try:
        if _runs is None:
            doing = "opening it"
            _runs = Runs(uri)
            doing = what
        result = getattr(_runs, method)(**arguments) if method else None
    except Exception as error:
        explained = store.explained(error, uri, doing)
        if explained is error:
            raise
        raise explained from None
    new = {number: trial.run_id for number, trial in _runs.trials.items() if _known.get(number) != trial.run_id}
    _known.update(new)
    return result, new
