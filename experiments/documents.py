"""The documents of `mlptune show --json` and `best --json`, from the records of a launch: one place that knows their keys."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..tracking.records import TrialRecord
from .front import LaunchCosts

NO_COSTS = LaunchCosts()


def show_document(
    name: str,
    run_id: str,
    state: str,
    method: str,
    trials: list[TrialRecord],
    best: dict[str, Any] | None,
    stopped: str | None = None,
    by_hand: Sequence[int] = (),
    space_changes: Sequence[Mapping[str, Any]] = (),
    costs: LaunchCosts = NO_COSTS,
) -> dict[str, Any]:
    """The document of `mlptune show --json`.

    `stopped` says why the search ended early, `by_hand` which trials were by hand, `space_changes` how the ranges of the space
    changed. With several metrics `counted` are those after the first, each trial has its `costs`, and `front` are the numbers of
    the trials on the Pareto front, the cheapest first.
    """
    document: dict[str, Any] = {
        "name": name,
        "run_id": run_id,
        "state": state,
        "method": method,
        "trials": [
            {
                "number": trial.number,
                "state": trial.state,
                "value": finite(trial.value),
                "params": dict(trial.params),
                "epochs": trial.epochs,
                "run_id": trial.run_id,
                "reason": trial.reason,
            }
            for trial in sorted(trials, key=lambda trial: trial.number)
        ],
        "best": best,
        "stopped": stopped,
        "by_hand": list(by_hand),
        "space_changes": [dict(change) for change in space_changes],
    }
    if costs.counted:
        for trial in document["trials"]:
            trial["costs"] = dict(costs.by_trial.get(trial["number"], {}))
        document |= {"counted": list(costs.counted), "front": [trial.number for trial in costs.front]}
    return document


def best_document(
    name: str,
    run_id: str,
    best: TrialRecord,
    metric: str,
    test_score: float | None,
    configuration: Mapping[str, Any],
    ensemble: Sequence[Mapping[str, Any]] = (),
    expected: Mapping[str, float] | None = None,
    threshold: float | None = None,
) -> dict[str, Any]:
    """The document of `mlptune best --json`; `run_id` is the launch's.

    `params` are as they were sampled, `configuration` is complete, as `best_config` gives it. Of a trial that has copied
    others that is the schedule of its network, whose values need not be those of `params`. `test_score`, `expected` and
    `threshold` are those of the model: of its `ensemble` of trials where there is one, else of this configuration.
    """
    return {
        "name": name,
        "run_id": run_id,
        "number": best.number,
        "params": dict(best.params),
        "metric": metric,
        "value": finite(best.value),
        "test_score": finite(test_score),
        "configuration": dict(configuration),
        "ensemble": [dict(member) for member in ensemble],
        "expected": None if expected is None else dict(expected),
        "decision_threshold": threshold,
    }


def finite(value: float | None) -> float | None:
    """The value, or None for one that strict JSON does not have."""
    return value if value is not None and math.isfinite(value) else None
