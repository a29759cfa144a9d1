"""Which trial is best: the one rule for it, for results, warm starts and the live view."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..tracking.records import TrialRecord


def ranked(trials: Iterable[TrialRecord], direction: str) -> list[TrialRecord]:
    """The complete trials with a finite value, the best first, of equals the one with the lowest number.

    Args:
        trials: Trials in any order and in any state.
        direction: "maximize" or "minimize".
    """
    sign = -1.0 if direction == "maximize" else 1.0
    keyed = [
        (sign * trial.value, trial.number, trial)
        for trial in trials
        if trial.state == "complete" and trial.value is not None and math.isfinite(trial.value)
    ]
    return [trial for _, _, trial in sorted(keyed, key=lambda entry: entry[:2])]


def best_trial(trials: Iterable[TrialRecord], direction: str) -> TrialRecord | None:
    """The best complete trial, None if there is none."""
    return next(iter(ranked(trials, direction)), None)


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
