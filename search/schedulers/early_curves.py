"""Promotion as long as the curves of some trials do not show that an early value tells nothing, then full training.

What successive halving saves it saves by an early value that ranks trials as the last one does. Whether it does depends on the data
and on what is searched: under a schedule that lowers the learning rate at the end, or with regularisation that slows the
beginning, it may not. So a tenth of the epochs goes to trials that train to their end whatever their early values are: controls.
Those that were promoted would not do, since they were selected by what is to be judged. Once enough controls are complete, the
rank correlation (Spearman 1904, "The Proof and Measurement of Association between Two Things") of their best values after a quarter
of the epochs with those at the end decides, once and for all: between `asha`, which has gone on meanwhile, and full training of all
that follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .asha import AshaScheduler
from .decisions import Continue, Decision, Pause, Progress, Scheduler, refuse_ended
from .rungs import best_so_far

if TYPE_CHECKING:
    from optuna.study import Study

CONTROLS = 4
"""How many controls must be complete before their curves are judged."""

SHARE = 0.1
"""The share of all epochs that controls may take until then."""

LEAST_TRIALS = 8
"""With fewer trials hardly one would be promoted to the end."""

EARLY = 4
"""The early value is the best after one in so many epochs."""

TELLING = 0.7
"""The least rank correlation with which curves tell early."""


class EarlyCurvesScheduler(Scheduler):
    """Promotes as `asha` does, and trains all that follow to the end if the controls show that early values tell nothing.

    Args:
        study: its complete trials are judged.
        max_epochs: of a trial that trains to the end.
    """

    def __init__(self, study: Study, max_epochs: int) -> None:
        self._study = study
        self._maximize = study.direction.name == "MAXIMIZE"
        self._max_epochs = max_epochs
        self._asha = AshaScheduler(study, max_epochs)
        self._controls: set[int] = set()
        self._correlation: float | None = None
        self._notices: list[str] = []

    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        refuse_ended(live, self._max_epochs)
        if self._correlation is None:
            self._judge()
        if self._correlation is None:
            self._choose_controls(live)
        if self._promotes:
            return self._promoting(live)
        # Those that wait are as good as new ones, and too many to train them all.
        return [Continue(self._max_epochs) if p.epoch == 0 else Pause() for p in live]

    def finish(self, live: Sequence[Progress]) -> list[Decision]:
        return self._asha.finish(live) if self._promotes else super().finish(live)

    def describe(self, total: int) -> list[str]:
        """What decides, in a line."""
        return [
            f"the best third of each rung goes on; {CONTROLS} trials train to the end whatever they are like, and their curves "
            "decide whether it stays so or all that follow train to the end"
        ]

    def notices(self) -> list[str]:
        """What the curves have decided, when they have."""
        notices, self._notices = self._notices, []
        return notices

    @property
    def _promotes(self) -> bool:
        return self._correlation is None or self._correlation >= TELLING

    def _promoting(self, live: Sequence[Progress]) -> list[Decision]:
        """The decisions of `asha`, but for controls."""
        judged = [p for p in live if p.number not in self._controls]
        of_asha = dict(zip((p.number for p in judged), self._asha.decide(judged), strict=True))
        return [of_asha.get(p.number, Continue(self._max_epochs)) for p in live]

    def _choose_controls(self, live: Sequence[Progress]) -> None:
        """Make controls of the first new trials, as many as a tenth of all epochs trained so far pays for."""
        from optuna.trial import TrialState

        trials = self._study.get_trials(deepcopy=False)
        at = {t.number: len(t.intermediate_values) for t in trials} | {p.number: p.epoch for p in live}
        paid = min(CONTROLS, int(SHARE * sum(at.values()) / self._max_epochs))
        dropped = {t.number for t in trials if t.state in (TrialState.PRUNED, TrialState.FAIL)}
        new = [p.number for p in live if p.epoch == 0 and p.number not in self._controls]
        self._controls.update(new[: max(0, paid - len(self._controls - dropped))])

    def _judge(self) -> None:
        """Decide, where there are enough complete controls."""
        from optuna.trial import TrialState

        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        controls = [t for t in complete if t.number in self._controls]
        if len(controls) < CONTROLS:
            return
        curves = {t.number: [t.intermediate_values[epoch] for epoch in sorted(t.intermediate_values)] for t in controls}
        quarter = max(1, self._max_epochs // EARLY)
        early = [best_so_far(curve[:quarter], self._maximize) for curve in curves.values()]
        final = [best_so_far(curve, self._maximize) for curve in curves.values()]
        self._correlation = _rank_correlation(early, final)
        if self._promotes:
            self._asha.arrive(curves)
        then = "the best third of each rung goes on" if self._promotes else "all that follow train to the end"
        self._notices = [
            f"after epoch {quarter} the values of {len(controls)} trials rank them as the last ones do with a correlation of "
            f"{self._correlation:.1f}: {then}"
        ]


def _rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's coefficient; 0 where one of the two does not rank at all."""
    if min(len(set(first)), len(set(second))) < 2:
        return 0.0
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic)
