"""Which hyperparameters mattered: Optuna's PED-ANOVA, without scikit-learn.

The package `optuna.importance` imports scikit-learn for another evaluator, which takes a second; PED-ANOVA needs NumPy alone.
"""

import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

_PACKAGE = "optuna.importance"


def importances(study: "optuna.Study") -> dict[str, float]:
    """By hyperparameter how much it tells the better complete trials from the others (Watanabe et al. 2023); together they are 1.

    As `optuna.importance.get_param_importances` with its PED-ANOVA; the most important first.
    """
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        # Layers that few trials have: their bar is short, which says as much.
        warnings.filterwarnings("ignore", "Some regimes for parameter", UserWarning)
        found: dict[str, float] = _evaluator()().evaluate(study)
    total = sum(found.values())
    return {name: value / total if total else 1.0 / len(found) for name, value in found.items()}


def _evaluator() -> Any:
    """Optuna's class, by way of its package only where that is imported already, or laid out in another way."""
    package = find_spec(_PACKAGE)
    if _PACKAGE in sys.modules or package is None or package.submodule_search_locations is None:
        return import_module(_PACKAGE).PedAnovaImportanceEvaluator
    stand_in = ModuleType(_PACKAGE)
    stand_in.__path__ = list(package.submodule_search_locations)
    sys.modules[_PACKAGE] = stand_in
    try:
        return import_module(f"{_PACKAGE}._ped_anova.evaluator").PedAnovaImportanceEvaluator
    except ModuleNotFoundError:  # of another version
        pass
    finally:  # whoever imports the package gets the real one
        for name in [name for name in sys.modules if name.startswith(_PACKAGE)]:
            del sys.modules[name]
    return import_module(_PACKAGE).PedAnovaImportanceEvaluator
