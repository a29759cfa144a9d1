"""Short texts that the commands share: times, and the lines about a running sweep."""

from collections.abc import Mapping, Sequence

from ..._text import counted
from ...tracking.records import TrialRecord
from ..progress import SweepInfo
from ..short import params_text


def copied_text(copied: Sequence[tuple[int, int]]) -> str:
    """Return which trials a trial has copied, given as (epoch, trial)."""
    return "copied " + ", ".join(f"trial {number} at epoch {epoch}" for epoch, number in copied)


def time_text(seconds: float) -> str:
    """Return seconds as m:ss or h:mm:ss."""
    minutes, second = divmod(round(max(seconds, 0.0)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def headline(info: SweepInfo) -> str:
    """Return the line that says what is being swept."""
    better = "higher is better" if info.direction == "maximize" else "lower is better"
    many = counted(info.total, "trial") if info.seconds is None else f"{time_text(info.seconds)} of trials"
    trials = f"{many} by {info.method}"
    size = f"{counted(info.max_epochs, 'epoch')}, {counted(info.workers, 'worker')}"
    return f"{info.name}: {trials}, {info.metric} ({better}), {size}"


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
