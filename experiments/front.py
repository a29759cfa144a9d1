"""The Pareto front of a sweep with several metrics: the trials of which no other one is better in one and worse in none."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..search.spaces.layers import configuration
from ..tracking.records import TrialRecord
from .ranking import ranked

if TYPE_CHECKING:
    from .costs import Costs

ByTrial = Mapping[int, Mapping[str, float]]


@dataclass(frozen=True)
class LaunchCosts:
    """The costs of the trials of one launch with several metrics; empty of any other.

    Attributes:
        counted: Those that are metrics of the sweep.
        by_trial: By number all costs of each trial.
        front: The trials of the Pareto front, the cheapest first.
    """

    counted: tuple[str, ...] = ()
    by_trial: ByTrial = field(default_factory=dict)
    front: tuple[TrialRecord, ...] = ()


def trial_costs(trials: Iterable[TrialRecord], costs: "Costs", fixed: Mapping[str, Any]) -> dict[int, dict[str, int]]:
    """By number what the model of each trial costs, without those that are no network at all.

    Args:
        trials: The trials.
        costs: What is counted, on the sweep's table.
        fixed: The hyperparameters that all of them share.
    """
    found = {}
    for trial in trials:
        try:
            found[trial.number] = costs.of(trial.configuration or configuration(trial.params, fixed))
        except (ValueError, KeyError):
            continue
    return found


def front(trials: Iterable[TrialRecord], costs: ByTrial, counted: Sequence[str], direction: str) -> list[TrialRecord]:
    """The complete trials on the front, the cheapest first; of those that are equal in all metrics only the first.

    Args:
        trials: Trials in any order and in any state.
        costs: By number what each costs.
        counted: The costs that are metrics.
        direction: "maximize" or "minimize", of their value.
    """
    import numpy as np

    from ..search.pareto import non_dominated

    sign = -1.0 if direction == "maximize" else 1.0
    rows: dict[tuple[float, ...], TrialRecord] = {}
    for trial in ranked(trials, direction):
        of_trial = costs.get(trial.number)
        if of_trial is not None and trial.value is not None and math.isfinite(trial.value):
            rows.setdefault((sign * trial.value, *(of_trial[name] for name in counted)), trial)
    if not rows:
        return []
    best = non_dominated(np.array(list(rows)))
    found = [
        (key[1:], trial.number, trial) for (key, trial), is_best in zip(rows.items(), best, strict=True) if is_best
    ]
    return [trial for _, _, trial in sorted(found, key=lambda entry: entry[:2])]


def on_front(trials: Sequence[TrialRecord], costs: ByTrial, counted: tuple[str, ...], direction: str) -> LaunchCosts:
    """The costs of trials with their front; arguments as of `front`."""
    return LaunchCosts(counted, costs, tuple(front(trials, costs, counted, direction)))
