"""mlptune: hyperparameter tuning of NumPy multilayer perceptrons, recorded in MLflow.

The public names are loaded when they are first used, so that `import mlptune` and `mlptune --help` stay quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import search as search
    from .core.estimators import MLPClassifier as MLPClassifier
    from .core.estimators import MLPRegressor as MLPRegressor
    from .experiments.columns import columns as columns
    from .experiments.errors import ExecutorLost as ExecutorLost
    from .experiments.errors import Interrupted as Interrupted
    from .experiments.errors import SweepFailed as SweepFailed
    from .experiments.errors import UserError as UserError
    from .experiments.model import TunedModel as TunedModel
    from .experiments.objective import objective as objective
    from .experiments.progress import Observer as Observer
    from .experiments.queries import best_config as best_config
    from .experiments.queries import load_model as load_model
    from .experiments.results import SweepResult as SweepResult
    from .experiments.results import load_result as load_result
    from .experiments.run import run_sweep as run_sweep
    from .experiments.tuned import TunedMLPClassifier as TunedMLPClassifier
    from .experiments.tuned import TunedMLPRegressor as TunedMLPRegressor
    from .tracking.reader import NotFound as NotFound
    from .tracking.store.errors import StoreError as StoreError
    from .tracking.store.errors import UnusableStore as UnusableStore

__version__ = "0.2.0"

# Where each public name lives; the imports above say the same to type checkers (tests/test_public_names.py compares them).
_HOMES = {
    "ExecutorLost": ".experiments.errors",
    "Interrupted": ".experiments.errors",
    "MLPClassifier": ".core.estimators",
    "MLPRegressor": ".core.estimators",
    "NotFound": ".tracking.reader",
    "Observer": ".experiments.progress",
    "StoreError": ".tracking.store.errors",
    "SweepFailed": ".experiments.errors",
    "SweepResult": ".experiments.results",
    "TunedMLPClassifier": ".experiments.tuned",
    "TunedMLPRegressor": ".experiments.tuned",
    "TunedModel": ".experiments.model",
    "UnusableStore": ".tracking.store.errors",
    "UserError": ".experiments.errors",
    "best_config": ".experiments.queries",
    "columns": ".experiments.columns",
    "load_model": ".experiments.queries",
    "load_result": ".experiments.results",
    "objective": ".experiments.objective",
    "run_sweep": ".experiments.run",
    "search": ".search",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(_HOMES[name], __name__)
    return home if name == "search" else getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
