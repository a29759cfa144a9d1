"""Search: spaces, samplers, pruners and schedulers on the interfaces of Optuna.

The names below are loaded when they are first used: importing this package costs nothing, and Optuna and
scikit-optimize are imported by the one sampler or pruner that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .methods import METHODS as METHODS
    from .methods import Method as Method
    from .pruners import pruner as pruner
    from .samplers import ignores_history as ignores_history
    from .samplers import sampler as sampler
    from .schedulers import Continue as Continue
    from .schedulers import Copy as Copy
    from .schedulers import Decision as Decision
    from .schedulers import Pause as Pause
    from .schedulers import Progress as Progress
    from .schedulers import PrunerScheduler as PrunerScheduler
    from .schedulers import Scheduler as Scheduler
    from .schedulers import Stop as Stop
    from .schedulers import scheduler as scheduler
    from .searcher import Searcher as Searcher
    from .searcher import resolve as resolve
    from .searcher import split_options as split_options
    from .spaces.defaults import architecture_space as architecture_space
    from .spaces.defaults import default_space as default_space
    from .spaces.layers import configuration as configuration
    from .spaces.space import Space as Space

_HOMES = {
    "METHODS": ".methods",
    "Method": ".methods",
    "Searcher": ".searcher",
    "resolve": ".searcher",
    "pruner": ".pruners",
    "ignores_history": ".samplers",
    "sampler": ".samplers",
    "Continue": ".schedulers",
    "Copy": ".schedulers",
    "Decision": ".schedulers",
    "Pause": ".schedulers",
    "Progress": ".schedulers",
    "PrunerScheduler": ".schedulers",
    "Scheduler": ".schedulers",
    "Stop": ".schedulers",
    "scheduler": ".schedulers",
    "split_options": ".searcher",
    "Space": ".spaces.space",
    "architecture_space": ".spaces.defaults",
    "configuration": ".spaces.layers",
    "default_space": ".spaces.defaults",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
