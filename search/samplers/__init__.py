"""Samplers by name: who proposes the next configuration. One strategy, one file; this one only finds them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..plugins import build, classes, options_of, plugin, plugin_names, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optuna.samplers import BaseSampler

    from ..spaces.space import Space

GROUP = "mlptune.samplers"

_OURS = {
    "grid": (".grid", "GridSampler"),
    "random": (".random", "RandomSampler"),
    "quasirandom": (".quasirandom", "QuasirandomSampler"),
    "tpe": (".tpe", "TPESampler"),
    "bayesian": (".skopt.sampler", "BayesianSampler"),
    "genetic": (".genetic", "GeneticSampler"),
    "rl": (".rl", "ReinforceSampler"),
    "nas": (".nas", "EvolutionSampler"),
    "auto": (".auto", "AutoSampler"),
    "bohb": (".bohb", "BohbSampler"),
    "mobster": (".mobster", "MobsterSampler"),
}


def sampler(
    name: str,
    seed: int = 0,
    *,
    space: Space | Mapping[str, Any] | None = None,
    trials: int | None = None,
    batch: int | None = None,
    cost: Callable[[Mapping[str, Any]], float] | None = None,
    **options: Any,
) -> BaseSampler:
    """An Optuna sampler, for any study.

    Every proposal is a function of the seed, the trial's number and the study's history, so a study that was rebuilt
    proposes what the lost one would have. The names: `grid` (needs `space`), `random`, `quasirandom`, `tpe`,
    `bayesian`, `genetic`, `rl`, `nas`, `auto`, `bohb`, `mobster`; an entry point in the group
    `mlptune.samplers`; a class of `optuna.samplers` (`"QMCSampler"`), whose generators are then seeded anew for each
    trial.

    `space` (a Space, or its table), `trials` (how many there will be), `batch` (how many are asked at once) and
    `cost` (the operations it takes to train a configuration, from its values in the space's own terms) are context: a
    sampler takes what it needs of it. `options` are the sampler's own arguments.

    Raises ValueError for an unknown name or option.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError(f"seed: {seed!r} is not an integer")
    context = {"seed": seed, "space": space, "trials": trials, "batch": batch, "cost": cost}
    return build(_factory(name), f"sampler {name}", context, options)


def ignores_history(sampler: BaseSampler) -> bool:
    """Whether proposals depend on the seed and the trial's number alone, so that batches need no barrier."""
    return bool(getattr(sampler, "ignores_history", False))


def sampler_names() -> list[str]:
    """Every name that `sampler` takes."""
    import optuna

    return [*_OURS, *plugin_names(GROUP), *classes(optuna.samplers, optuna.samplers.BaseSampler)]


def option_names(name: str) -> frozenset[str] | None:
    """The options of the sampler by name; None where it takes any."""
    return options_of(_factory(name))


def check_sampler(name: str) -> None:
    """Raise ValueError if no sampler has this name."""
    if name not in _OURS:
        _factory(name)


def _factory(name: str) -> Callable[..., Any]:
    if name in _OURS:
        module, cls = _OURS[name]
        return getattr(import_module(module, __name__), cls)
    found = plugin(name, GROUP)
    if found is not None:
        return found
    import optuna

    optunas = classes(optuna.samplers, optuna.samplers.BaseSampler)
    if name not in optunas:
        raise unknown("sampler", name, sampler_names())
    from .reseeded import reseeded

    return reseeded(optunas[name])
