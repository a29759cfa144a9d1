"""Samplers by name: they propose the next configuration. One strategy, one file; this one only finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..methods import METHODS
from ..plugins import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optuna.samplers import BaseSampler

    from ..known_costs import KnownCosts
    from ..spaces.space import Space


def _reseeded(cls: type[BaseSampler]) -> Callable[..., BaseSampler]:
    from .reseeded import reseeded

    return reseeded(cls)


SAMPLERS = Registry(
    "sampler",
    {name: method.home for name, method in METHODS.items() if method.sampler == name},
    optuna_base="BaseSampler",
    adapt=_reseeded,
    packages={"CmaEsSampler": "cmaes", "GPSampler": "torch"},
)

NOT_FOR_SWEEPS = {
    "GridSampler": 'it wants the points themselves and ends a study of its own; method "grid" takes them from [space]',
    "PartialFixedSampler": "it wants a sampler object, which no sweep file can give; a value in [model] is fixed for all trials",
}
"""Classes of `optuna.samplers` that a sweep cannot use, and what does the same."""


def sampler(
    name: str,
    seed: int = 0,
    *,
    space: Space | Mapping[str, Any] | None = None,
    trials: int | None = None,
    batch: int | None = None,
    given: int = 0,
    cost: Callable[[Mapping[str, Any]], float] | None = None,
    known_costs: KnownCosts | None = None,
    **options: Any,
) -> BaseSampler:
    """An Optuna sampler, for any study.

    Every proposal is a function of the seed, the trial's number and the study's history, so a study that was rebuilt
    proposes what the lost one would have. The names: `grid` (needs `space`), `random`, `quasirandom`, `tpe`,
    `bayesian`, `genetic`, `rl`, `nas`, `auto`, `bohb`, `mobster`; an entry point of the group
    `mlptune.samplers`; a class of `optuna.samplers` (`"QMCSampler"`), whose generators are then seeded anew for each
    trial.

    `space` (a Space, or its table), `trials` (how many there will be), `batch` (how many are asked at once), `given` (how many of
    the first ones are enqueued), `cost` (the operations of training a configuration, from its values in the space's own terms) and
    `known_costs` (a `search.known_costs.KnownCosts`: what is minimised beside a score, and what is within the limits) are context:
    each sampler takes what it needs. `options` are the sampler's own arguments.

    Raises ValueError for an unknown name or option.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError(f"seed: {seed!r} is not an integer")
    context = {
        "seed": seed,
        "space": space,
        "trials": trials,
        "batch": batch,
        "given": given,
        "cost": cost,
        "known_costs": known_costs,
    }
    made: BaseSampler = SAMPLERS.build(name, context, options)
    if known_costs is None or not known_costs.limited or name == "grid":  # which leaves out itself what does not fit
        return made
    from ..spaces.space import Space
    from .limited import LimitedSampler

    if space is None:
        raise ValueError(f"sampler {name}: limits need space=, what is searched")
    return LimitedSampler(made, space if isinstance(space, Space) else Space.parse(space), known_costs, seed)


def move_to(sampler: BaseSampler, space: Space) -> None:
    """Have a sampler search the same hyperparameters in other ranges; see `Method.moves` for those that can."""
    sampler.move_to(space)  # type: ignore[attr-defined]


def ignores_history(sampler: BaseSampler) -> bool:
    """Whether proposals depend on the seed and the trial's number alone, so that batches need no barrier."""
    return bool(getattr(sampler, "ignores_history", False))
