"""A method is a sampler with a pruner or a scheduler: the table that says what each name in a sweep file stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._text import hint
from . import pruners, samplers, schedulers
from .plugins import CONTEXT
from .pruners import check_pruner
from .samplers import check_sampler, sampler_names


@dataclass(frozen=True)
class Method:
    """What a method's name stands for, and what `trials` counts under it."""

    sampler: str
    pruner: str = "none"
    trials: str = "configurations trained"
    about: str = ""
    scheduler: str = "pruner"  # any other schedules by itself: a pruner besides would contradict it
    in_step: bool = False  # all trials of a batch train to the last epoch: nothing may end them early
    grows: bool = True  # a larger number of trials continues the same plan


METHODS: dict[str, Method] = {
    "grid": Method("grid", trials="points of the grid; its size unless given", about="every point once, in order"),
    "random": Method("random", about="independent points"),
    "quasirandom": Method("quasirandom", about="points of a scrambled Sobol sequence"),
    "tpe": Method("tpe", about="tree-structured Parzen estimator"),
    "bayesian": Method("bayesian", about="Gaussian process of scikit-optimize"),
    "genetic": Method("genetic", about="the best cross and mutate"),
    "rl": Method("rl", about="a policy learns which values pay (REINFORCE)"),
    "nas": Method("nas", about="architectures by regularised evolution and a predictor"),
    "auto": Method("auto", about="Gaussian process, a few milliseconds a proposal"),
    "hyperband": Method(
        "random",
        trials="configurations begun, most stopped early",
        about="random points in brackets of successive halving",
        scheduler="hyperband",
        grows=False,
    ),
    "asha": Method(
        "random",
        trials="configurations begun, most stopped early",
        about="random points, the best third of a rung promoted",
        scheduler="asha",
        grows=False,
    ),
    "bohb": Method(
        "bohb",
        trials="configurations begun, most stopped early",
        about="TPE in the brackets of Hyperband",
        scheduler="hyperband",
        grows=False,
    ),
    "mobster": Method(
        "mobster",
        trials="configurations begun, most stopped early",
        about="Gaussian process of configuration and epoch, the best third of a rung promoted",
        scheduler="asha",
        grows=False,
    ),
    "pbt": Method(
        "random",
        trials="members of the population, all trained to the end",
        about="population-based training from random points",
        scheduler="pbt",
        in_step=True,
        grows=False,
    ),
}


class Searcher(NamedTuple):
    """What a method comes down to, by names."""

    sampler: str
    pruner: str
    scheduler: str = "pruner"


def resolve(method: str, pruner: str | None = None) -> Searcher:
    """The names of sampler, pruner and scheduler that a method stands for, with `pruner` as the user's own choice.

    A method may also be the name of any sampler (an Optuna class, an entry point); it then prunes nothing unless
    told. Raises ValueError for unknown names, and for a pruner under a method that schedules by itself.
    """
    if method not in METHODS:
        try:
            check_sampler(method)
        except ValueError:
            raise ValueError(f"method: {method!r} is unknown{hint(method, [*METHODS, *sampler_names()])}") from None
    if pruner is not None:
        check_pruner(pruner)
    if method not in METHODS:
        return Searcher(method, pruner or "none")
    entry = METHODS[method]
    if pruner not in (None, "none") and entry.scheduler != "pruner":
        raise ValueError(f"pruner: {pruner!r} contradicts method {method!r}, which schedules by itself")
    return Searcher(entry.sampler, pruner or entry.pruner, entry.scheduler)


def split_options(
    searcher: Searcher, options: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The options of a method as those of its (scheduler, pruner, sampler).

    An option that sampler and pruner have both is the sampler's. Raises ValueError for what the sweep says by itself, and for
    what none of the three has.
    """
    parts: tuple[dict[str, Any], ...] = ({}, {}, {})
    if not options:
        return parts[0], parts[1], parts[2]  # without a look at classes that may take long to import
    of_scheduler = schedulers.option_names(searcher.scheduler)
    of_pruner = pruners.option_names(searcher.pruner)
    of_sampler = samplers.option_names(searcher.sampler)
    for option, value in options.items():
        if option in CONTEXT:
            raise ValueError(f"options: {option!r} is no option, the sweep itself says it")
        if option in (of_scheduler or ()):
            parts[0][option] = value
        elif option in (of_sampler or ()):
            parts[2][option] = value
        elif option in (of_pruner or ()):
            parts[1][option] = value
        elif of_sampler is None:
            parts[2][option] = value
        else:
            known = {*(of_scheduler or ()), *(of_pruner or ()), *of_sampler}
            raise ValueError(f"options: unknown option {option!r}{hint(option, known)}")
    return parts[0], parts[1], parts[2]
