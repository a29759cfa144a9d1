"""Search: spaces, samplers, pruners and schedulers on the interfaces of Optuna.

The names below are those for users and for authors of plug-ins. Importing them is quick: Optuna and scikit-optimize are
imported by the sampler, pruner or scheduler that needs them, when it is made.
"""

from typing import Any

from .methods import METHODS as METHODS
from .pruners import pruner as pruner
from .samplers import sampler as sampler
from .schedulers import scheduler as scheduler
from .schedulers.decisions import Continue as Continue
from .schedulers.decisions import Copy as Copy
from .schedulers.decisions import Decision as Decision
from .schedulers.decisions import Pause as Pause
from .schedulers.decisions import Progress as Progress
from .schedulers.decisions import Scheduler as Scheduler
from .schedulers.decisions import Stop as Stop
from .spaces.defaults import default_space as default_space
from .spaces.layers import configuration as configuration
from .spaces.space import Space as Space

# Names that were here in 0.1.0; they go in the next minor version.
_MOVED = {
    "Method": "methods",
    "PrunerScheduler": "schedulers.pruning",
    "Searcher": "searcher",
    "architecture_space": "spaces.defaults",
    "ignores_history": "samplers",
    "resolve": "searcher",
    "split_options": "searcher",
}


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import warnings
    from importlib import import_module

    home = f"{__name__}.{_MOVED[name]}"
    warnings.warn(
        f"mlptune.search.{name} is now {home}.{name}; the old name goes in the next minor version",
        DeprecationWarning,
        stacklevel=2,
    )
    return getattr(import_module(home), name)
