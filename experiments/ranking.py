"""Which trial is best: the one rule for it, for results, warm starts, reports and the live view."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..tracking.records import LaunchRecord, TrialRecord


def sign_of(direction: str) -> float:
    """What makes of a value one of which more is better: -1 to "minimize", 1 to "maximize"."""
    return 1.0 if direction == "maximize" else -1.0


def is_ranked(trial: TrialRecord) -> bool:
    """Whether a trial can be the best: it is complete and its value is finite."""
    return trial.state == "complete" and trial.value is not None and math.isfinite(trial.value)


def value_to_maximize(trial: TrialRecord, direction: str) -> float:
    """The trial's value so that more is better; -inf where it has none that counts."""
    return sign_of(direction) * float(trial.value or 0.0) if is_ranked(trial) else -math.inf


def ranked(trials: Iterable[TrialRecord], direction: str) -> list[TrialRecord]:
    """The complete trials with a finite value, the best first, of equals the one with the lowest number.

    Args:
        trials: Trials in any order and in any state.
        direction: "maximize" or "minimize".
    """
    counted = [trial for trial in trials if is_ranked(trial)]
    return sorted(counted, key=lambda trial: (-value_to_maximize(trial, direction), trial.number))


def best_trial(trials: Iterable[TrialRecord], direction: str) -> TrialRecord | None:
    """The best complete trial, None if there is none."""
    return next(iter(ranked(trials, direction)), None)


def best_of_launch(launch: LaunchRecord, trials: Iterable[TrialRecord]) -> TrialRecord | None:
    """The recorded best of a finished launch; else the best of the trials that are committed so far."""
    return launch.best or best_trial(trials, launch.direction)


def best_so_far(trials: Iterable[TrialRecord], direction: str) -> list[float | None]:
    """After each of the trials, in their order, the best value until then; None before the first that counts."""
    best: TrialRecord | None = None
    found: list[float | None] = []
    for trial in trials:
        if value_to_maximize(trial, direction) > (-math.inf if best is None else value_to_maximize(best, direction)):
            best = trial
        found.append(None if best is None else best.value)
    return found


def ranked_rows(trials: Iterable[Mapping[str, Any]], best: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The complete trials of `mlptune show --json`, the best first, given its best one.

    Whether more is better follows from the best trial, which is in the better half: no other value exceeds its own, or it was named
    among finalists.
    """
    complete = [trial for trial in trials if trial["state"] == "complete" and trial["value"] is not None]
    number, top = best.get("number"), best.get("value")
    above = sum(top is not None and trial["value"] > top for trial in complete)
    below = sum(top is not None and trial["value"] < top for trial in complete)
    sign = 1 if above > below else -1
    return sorted(complete, key=lambda trial: (trial["number"] != number, sign * trial["value"], trial["number"]))
