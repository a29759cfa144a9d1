"""Short texts that the commands share: the lines about a running sweep."""

from collections.abc import Sequence

from ...tracking.records import TrialRecord
from ..short import params_text


def copied_text(copied: Sequence[tuple[int, int]]) -> str:
    """Return which trials a trial has copied, given as (epoch, trial)."""
    return "copied " + ", ".join(f"trial {number} at epoch {epoch}" for epoch, number in copied)


def trial_text(trial: TrialRecord) -> str:
    """Return the parameters that a trial began with, or which trials it has copied since."""
    return copied_text(trial.copied) if trial.copied else params_text(trial.params)
