"""Short texts that the commands share: the lines about a running sweep."""

from collections.abc import Mapping, Sequence

from ...tracking.records import TrialRecord
from ..short import params_text


def copied_text(copied: Sequence[tuple[int, int]]) -> str:
    """Return which trials a trial has copied, given as (epoch, trial)."""
    return "copied " + ", ".join(f"trial {number} at epoch {epoch}" for epoch, number in copied)


def trial_text(trial: TrialRecord) -> str:
    """Return the parameters that a trial began with, or which trials it has copied since."""
    return copied_text(trial.copied) if trial.copied else params_text(trial.params)


def refit_text(number: int) -> str:
    """Return the line that says what happens after the last trial."""
    return f"training the configuration of trial {number} on all rows that are not test"


def running_text(running: Mapping[int, tuple[int, float | None]], max_epochs: int) -> str:
    """Return the running trials with the epochs that they have trained, the first eight of them."""
    shown = [f"#{number} {epoch}/{max_epochs}" for number, (epoch, _) in sorted(running.items())]
    return "  ".join(shown[:8]) + (f"  and {len(shown) - 8} more" if len(shown) > 8 else "")
