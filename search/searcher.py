"""A method and a pruner as a sweep file names them, resolved into sampler, pruner and scheduler, each with its options."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._text import hint
from .methods import EARLY_CURVES, METHODS
from .plugins import CONTEXT
from .pruners import PRUNERS
from .samplers import NOT_FOR_SWEEPS, SAMPLERS
from .schedulers import SCHEDULERS


class Searcher(NamedTuple):
    """What a method comes down to, by names."""

    sampler: str
    pruner: str = "none"
    scheduler: str = "pruner"

    @property
    def chooses_lengths(self) -> bool:
        """Whether trials are promoted or all train to the end, as their curves have it."""
        return self.scheduler == EARLY_CURVES

    @property
    def needs_total(self) -> bool:
        """Whether its scheduler has to know how many trials there will be."""
        return self.own_scheduler and not self.chooses_lengths

    @property
    def own_scheduler(self) -> bool:
        """Whether trials wait for one another, so that none can join by hand and the space must stay as it is."""
        return self.scheduler != "pruner"

    @property
    def ends_early(self) -> bool:
        """Whether a pruner or a scheduler may end trials before their last epoch."""
        return (self.pruner, self.scheduler) != ("none", "pruner")

    @property
    def enumerates(self) -> bool:
        """Whether it tries all points of the space, in an order of its own."""
        return self.sampler == "grid"

    @property
    def searches_layers(self) -> bool:
        """Whether its default space is one of architectures, layer by layer."""
        return self.sampler == "nas"


def resolve(method: str, pruner: str | None = None, *, in_epochs: bool = False) -> Searcher:
    """The names of sampler, pruner and scheduler that a method stands for, with `pruner` as the user's own choice.

    A method may also be the name of any sampler (an Optuna class, an entry point); it then prunes nothing unless `pruner` says
    so. A pruner may also be the name of a scheduler that an installed package offers. With a budget `in_epochs` a method may have
    another sampler and scheduler, unless a pruner is named.

    Raises:
        ValueError: for unknown names, and for a pruner under a method that has its own scheduler.
    """
    if method not in METHODS:
        try:
            SAMPLERS.check(method)
        except ValueError:
            raise ValueError(f"method: {method!r} is unknown{hint(method, [*METHODS, *SAMPLERS.names()])}") from None
        try:
            SAMPLERS.check_installed(method)
        except ValueError as error:
            raise ValueError(f"method: {error}") from None
        if method in NOT_FOR_SWEEPS and not SAMPLERS.plugins(method):
            raise ValueError(f"method: {method}: {NOT_FOR_SWEEPS[method]}")
    scheduler = _scheduler(pruner or "none")
    entry = METHODS.get(method)
    if in_epochs and entry is not None and entry.in_epochs is not None and pruner is None:
        first, rule = entry.in_epochs
        return Searcher(first, scheduler=rule)
    if entry is not None and entry.scheduler != "pruner":
        if pruner not in (None, "none"):
            raise ValueError(
                f"pruner: {pruner!r} cannot be combined with method {method!r}, which has its own scheduler"
            )
        scheduler = entry.scheduler
    return Searcher(
        entry.sampler if entry else method, pruner or "none" if scheduler == "pruner" else "none", scheduler
    )


def _scheduler(pruner: str) -> str:
    """The scheduler of what a sweep file calls its pruner: the one of this name from an installed package, else `pruner`."""
    try:
        PRUNERS.check(pruner)
    except ValueError:
        offered = [point.name for point in SCHEDULERS.plugins()]
        if pruner in offered:
            return pruner
        raise ValueError(f"pruner: {pruner!r} is unknown{hint(pruner, [*PRUNERS.names(), *offered])}") from None
    return "pruner"


def can_move(method: str, searcher: Searcher) -> bool:
    """Whether the ranges of the space may change while this method searches."""
    entry = METHODS.get(method)
    return entry is not None and entry.moves and not searcher.own_scheduler


def may_use_priors(method: str) -> bool:
    """Whether this method may use the priors of the space; of a sampler from an installed package it is not known."""
    entry = METHODS.get(method)
    return entry.priors if entry is not None else bool(SAMPLERS.plugins(method))


def split_options(
    searcher: Searcher, options: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The options of a method as those of its (scheduler, pruner, sampler).

    An option that sampler and pruner have both is the sampler's.

    Raises:
        ValueError: for what the sweep says by itself, and for what none of the three has.
    """
    parts: tuple[dict[str, Any], ...] = ({}, {}, {})
    if not options:
        return parts[0], parts[1], parts[2]  # without a look at classes that may take long to import
    of_scheduler = SCHEDULERS.option_names(searcher.scheduler)
    of_pruner = PRUNERS.option_names(searcher.pruner)
    of_sampler = SAMPLERS.option_names(searcher.sampler)
    for option, value in options.items():
        if option in CONTEXT:
            raise ValueError(f"options: {option!r} is not an option: the sweep sets it")
        if option in (of_scheduler or ()):
            parts[0][option] = value
        elif option in (of_sampler or ()):
            parts[2][option] = value
        elif option in (of_pruner or ()):
            parts[1][option] = value
        elif of_sampler is None:
            parts[2][option] = value
        elif of_scheduler is None:
            parts[0][option] = value
        else:
            known = {*(of_scheduler or ()), *(of_pruner or ()), *of_sampler}
            raise ValueError(f"options: unknown option {option!r}{hint(option, known)}")
    return parts[0], parts[1], parts[2]
