"""Pruners by name: they stop bad trials early. Budgets and steps are epochs, counted from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .plugins import Registry, check_integer

if TYPE_CHECKING:
    from collections.abc import Callable

    from optuna.pruners import BasePruner


def pruner(name: str, max_epochs: int = 81, **options: Any) -> BasePruner:
    """An Optuna pruner for trials of at most `max_epochs` epochs that report after each.

    - `none`: `NopPruner`, stops nothing.
    - `median`: `MedianPruner`, stops what is below the median of the finished trials at the same epoch; asked
      every tenth of the epochs after the first fifth, once five trials are complete.
    - `asha`: `SuccessiveHalvingPruner`, rungs at r, 3r, 9r ... epochs, the best third of a rung continues. Li et al.
      2020, arXiv:1810.05934; r, eta, s = min_resource, reduction_factor, min_early_stopping_rate.
    - `hyperband`: `HyperbandPruner`, four such brackets with later and later first rungs. Li et al. 2018,
      JMLR 18-185; R, eta = max_resource / min_resource, reduction_factor. It stops trials and never resumes one.
    - `extrapolation`: `search.extrapolation.ExtrapolationPruner`, stops a trial whose predicted final value beats the best
      finished trial with less than 5 % probability.

    For `asha` and `hyperband` r = max(1, max_epochs // 27) and eta = 3: rungs at 3, 9, 27 (and the end, 81) or 1, 3, 9, 27
    (and the end, 50). `options` are the pruner's own arguments and override these defaults. Any other name is that
    of an entry point of the group `mlptune.pruners` or of a class in `optuna.pruners`.

    Optuna's Hyperband assigns a trial to a bracket by a hash of the study's name and the trial's number: name the study if its
    decisions must be repeatable.

    Raises ValueError for an unknown name or option, and for `max_epochs` below 1.
    """
    check_integer("max_epochs", max_epochs)
    made: BasePruner = PRUNERS.build(
        name, _OURS[name][1](max_epochs) if name in _OURS else _budget(max_epochs), options
    )
    return made


def _budget(max_epochs: int) -> dict[str, Any]:
    """The budget of a trial, for pruners that have it as an argument: without it Hyperband stops nothing until one has finished."""
    return {"max_epochs": max_epochs, "max_resource": max_epochs}


def _median(max_epochs: int) -> dict[str, Any]:
    steps = {"n_warmup_steps": max(1, max_epochs // 5), "interval_steps": max(1, max_epochs // 10)}
    return {"n_startup_trials": 5, "n_min_trials": 1, **steps}


def _halving(max_epochs: int) -> dict[str, Any]:
    return {"min_resource": max(1, max_epochs // 27), "reduction_factor": 3, "bootstrap_count": 0}


# Where each is, and its default arguments for trials of at most so many epochs.
_OURS: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "none": ("optuna.pruners:NopPruner", _budget),
    "median": ("optuna.pruners:MedianPruner", _median),
    "asha": (
        "optuna.pruners:SuccessiveHalvingPruner",
        lambda epochs: {**_halving(epochs), "min_early_stopping_rate": 0},
    ),
    "hyperband": ("optuna.pruners:HyperbandPruner", lambda epochs: {**_halving(epochs), "max_resource": epochs}),
    "extrapolation": (".extrapolation:ExtrapolationPruner", _budget),
}

PRUNERS = Registry("pruner", {name: home for name, (home, _) in _OURS.items()}, optuna_base="BasePruner")
