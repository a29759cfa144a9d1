"""mlptune: hyperparameter tuning of NumPy multilayer perceptrons, recorded in MLflow.

The public names are loaded when they are first used, so that `import mlptune` and `mlptune --help` stay quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass
    from .core.estimators import MLPClassifier as MLPClassifier
    from .core.estimators import MLPRegressor as MLPRegressor

__version__ = "0.1.0"

_HOMES = {
    "MLPClassifier": ".core.estimators",
    "MLPRegressor": ".core.estimators",
    "best_config": ".experiments.results",
    "load_model": ".experiments.results",
    "run_sweep": ".experiments.run",
    "objective": ".experiments.objective",
}

__all__ = ["MLPClassifier", "MLPRegressor", "best_config", "load_model", "objective", "run_sweep", "search"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    if name == "search":
        return import_module(".search", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
