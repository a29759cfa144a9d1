"""Stop rules: `[search] target`, `patience` and `epochs_total`, which end a search between batches, by what its trials have given.

A rule sees nothing but the trials that have ended, in trial order, and how far the paused ones have trained, so a sweep ends with
the same trial on any number of workers, and a sweep with a rule is the beginning of the one without.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..._text import counted
from ...tracking.records import TrialRecord
from ..ranking import sign_of, value_to_maximize
from ..short import value_text

NOISE_SHARE = 0.5
"""How much of the standard error of the best trial's value a gain must exceed.

Trials are compared on the same rows with the same seeds, so their errors go together: with a correlation r the difference of two
values has a standard error of sqrt(2 (1 - r)) of theirs, which is a half at r = 7/8.
"""


@dataclass(frozen=True)
class Stopped:
    """Why a search ended before its budget: `by` "target", "patience", "epochs" or "hand", and in words."""

    by: str
    text: str

    def dumps(self) -> str:
        """As the launch's tag has it."""
        return json.dumps(vars(self))

    @classmethod
    def loads(cls, text: str | None) -> "Stopped | None":
        """Of a launch's tag; None where it has none."""
        return cls(**json.loads(text)) if text else None


@dataclass(frozen=True)
class StopRules:
    """When a search is over though its budget is not.

    Attributes:
        target: The value of a complete trial with which it is; None for none.
        patience: After how many trials without a gain beyond the noise it is; None for never.
        direction: "maximize" or "minimize".
        epochs: After how many epochs of training, summed over trials, it is; None for no limit.
    """

    target: float | None = None
    patience: int | None = None
    direction: str = "maximize"
    epochs: int | None = None

    @property
    def given(self) -> bool:
        """Whether there is a rule at all."""
        return (self.target, self.patience, self.epochs) != (None, None, None)

    def stopped(
        self,
        trials: Iterable[TrialRecord],
        begun: int,
        batches: Mapping[int, int] | None = None,
        paused_epochs: int = 0,
    ) -> Stopped | None:
        """Whether the search ends here; the target comes first.

        Args:
            trials: Those that have ended, in any order.
            begun: How many have been begun, those that a scheduler has paused among them.
            batches: By trial the first one of the batch in which it ended, where that is not its own: it was paused before.
            paused_epochs: What the paused ones have trained.
        """
        ended = sorted(
            (max(trial.number, (batches or {}).get(trial.number, 0)), trial.number, trial) for trial in trials
        )
        in_order = [(place, trial) for place, _, trial in ended]
        return (
            self._at_target([trial for _, trial in in_order])
            or self._out_of_patience(in_order, begun)
            or self._out_of_epochs(sum(trial.epochs for _, trial in in_order) + paused_epochs, begun)
        )

    def _out_of_epochs(self, spent: int, begun: int) -> Stopped | None:
        if self.epochs is None or spent < self.epochs:
            return None
        return Stopped("epochs", f"{counted(begun, 'trial')} trained {spent} of {counted(self.epochs, 'epoch')}")

    def _at_target(self, ended: list[TrialRecord]) -> Stopped | None:
        for trial in ended if self.target is not None else ():
            if self._key(trial) >= sign_of(self.direction) * float(self.target or 0.0):
                return Stopped("target", f"trial {trial.number} reached {value_text(trial.value)}")
        return None

    def _out_of_patience(self, ended: list[tuple[int, TrialRecord]], begun: int) -> Stopped | None:
        """A gain is one over the trial of the latest gain, so small ones add up until they are beyond the noise."""
        if self.patience is None:
            return None
        gained, at = None, 0
        for place, trial in ended:
            if gained is None or self._key(trial) - self._key(gained) > margin(gained):
                gained, at = (trial, place) if math.isfinite(self._key(trial)) else (None, place)
        since = begun - 1 - at
        if gained is None or since < self.patience:
            return None
        gain = max(self._key(trial) for _, trial in ended) - self._key(gained)
        text = f"the last {counted(since, 'trial')} gained {value_text(gain) if gain else 'nothing'}"
        noise = margin(gained)
        return Stopped("patience", f"{text}; the noise is {value_text(noise)}" if noise else text)

    def _key(self, trial: TrialRecord) -> float:
        return value_to_maximize(trial, self.direction)


def margin(trial: TrialRecord) -> float:
    """What a gain over this trial must exceed: `NOISE_SHARE` of its value's standard error; 0 for one network."""
    networks = len(trial.best_epochs)
    if not trial.spread or networks < 2 or not math.isfinite(trial.spread):
        return 0.0
    return NOISE_SHARE * trial.spread / math.sqrt(networks)
