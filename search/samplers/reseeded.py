"""Any of Optuna's samplers, made repeatable: its generators are seeded anew before each trial.

Optuna's samplers draw from generators whose state is not stored, so a rebuilt study would continue differently. Seeded by
(seed, trial number) their proposals depend on the study alone, and not on what this process did before.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.samplers._lazy_random_state import LazyRandomState
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..seeds import derive32


def reseeded(cls: type[BaseSampler]) -> Callable[..., BaseSampler]:
    """A factory `(seed, **options)` for a subclass of `cls`, of the same name, that seeds itself for each trial."""

    def before_trial(self: BaseSampler, study: Study, trial: FrozenTrial) -> None:
        for path, state in _generators(self):
            state.rng.seed(derive32(self.__dict__["_mlptune_seed"], path, trial.number))
        cls.before_trial(self, study, trial)

    def reseed_rng(self: BaseSampler) -> None:
        """Nothing: several threads of `study.optimize` must not change the proposals."""

    def after_trial(self: BaseSampler, study: Study, trial: FrozenTrial, state: TrialState, values: Any) -> None:
        """Classes that try each point once stop `study.optimize` here; a study that is asked and told goes on, with repeats."""
        try:
            cls.after_trial(self, study, trial, state, values)
        except RuntimeError as error:
            if "Study.stop" not in str(error):
                raise

    methods = {
        "before_trial": before_trial,
        "after_trial": after_trial,
        "reseed_rng": reseed_rng,
        "__doc__": cls.__doc__,
    }
    subclass = type(cls.__name__, (cls,), methods)
    parameters = inspect.signature(cls).parameters

    def factory(seed: int, **options: Any) -> BaseSampler:
        if "seed" in parameters:
            options["seed"] = derive32(seed, cls.__name__)
        with warnings.catch_warnings():
            # A user who names a sampler that Optuna calls experimental has chosen it.
            warnings.simplefilter("ignore", ExperimentalWarning)
            made: BaseSampler = subclass(**options)
        made.__dict__["_mlptune_seed"] = seed
        return made

    own = [p for name, p in parameters.items() if name != "seed"]
    seed = inspect.Parameter("seed", inspect.Parameter.KEYWORD_ONLY)
    keywords = [p.replace(kind=p.KEYWORD_ONLY) if p.kind is p.POSITIONAL_OR_KEYWORD else p for p in own]
    factory.__signature__ = inspect.Signature([seed, *keywords])  # type: ignore[attr-defined]
    return factory


def _generators(owner: object, path: str = "") -> Iterator[tuple[str, LazyRandomState]]:
    """The generators of a sampler and of the samplers inside it, each with its path of attributes."""
    for name, value in sorted(vars(owner).items()):
        here = f"{path}.{name}"
        if isinstance(value, LazyRandomState):
            yield here, value
        elif isinstance(value, BaseSampler):
            yield from _generators(value, here)
