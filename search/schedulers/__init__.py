"""Schedulers by name: they decide how long each trial trains. One rule, one file; this one only finds them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..methods import EARLY_CURVES, METHODS
from ..plugins import Registry, check_integer

if TYPE_CHECKING:
    from optuna.study import Study

    from ..spaces.space import Space
    from .decisions import Scheduler

SCHEDULERS = Registry(
    "scheduler",
    {
        "pruner": ".schedulers.pruning:PrunerScheduler",
        EARLY_CURVES: ".schedulers.early_curves:EarlyCurvesScheduler",
        **{name: method.home for name, method in METHODS.items() if method.scheduler == name},
    },
)


def scheduler(
    name: str,
    study: Study,
    max_epochs: int,
    *,
    seed: int = 0,
    space: Space | None = None,
    changeable: Collection[str] = (),
    trials: int | None = None,
    **options: Any,
) -> Scheduler:
    """The scheduler of this name for a study's trials of at most `max_epochs` epochs.

    The names: `pruner` asks the study's pruner; `asha` and `hyperband` pause and promote; `early_curves` promotes where that pays;
    `pbt` is population-based training. `seed`, `space`, `changeable` (the hyperparameters that may change while a network
    trains) and `trials` (how many there will be) are context: each scheduler takes what it needs.
    `options` are its own arguments. Any other name is that of an entry point in the group `mlptune.schedulers`.

    Raises ValueError for an unknown name or option, and for `max_epochs` below 1.
    """
    check_integer("max_epochs", max_epochs)
    context = {"study": study, "max_epochs": max_epochs, "seed": seed, "space": space, "changeable": changeable}
    context |= {"trials": trials}
    made: Scheduler = SCHEDULERS.build(name, context, options)
    return made
