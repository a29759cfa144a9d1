"""Promotion where the curves of the first trials tell early which of them are good, else full training.

What successive halving saves it saves by an early value that ranks trials as the last one does. Whether it does depends on the data
and on what is searched: under a schedule that lowers the learning rate at the end, or with regularisation that slows the
beginning, it may not. So of the first trials every second one trains to its end, and the others wait at the first rung. Once
enough have ended, the rank correlation (Spearman 1904, "The Proof and Measurement of Association between Two Things") of their best
values after a quarter of the epochs with those at the end decides, once and for all, between `asha` and full training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .asha import AshaScheduler
from .decisions import Continue, Decision, Pause, Progress, Scheduler, refuse_ended
from .rungs import best_so_far

if TYPE_CHECKING:
    from optuna.study import Study

FIRST = 4
"""How many trials must be complete before their curves are judged."""

LEAST_TRIALS = 2 * FIRST
"""With fewer trials too few are ever complete, since every second one waits for the others to be judged."""

EARLY = 4
"""The early value is the best after one in so many epochs."""

TELLING = 0.7
"""The least rank correlation with which curves tell early."""


class EarlyCurvesScheduler(Scheduler):
    """Promotes as `asha` does, or trains all to the end, as the first complete trials have it.

    Args:
        study: its complete trials are judged.
        max_epochs: of a trial that trains to the end.
    """

    def __init__(self, study: Study, max_epochs: int) -> None:
        self._study = study
        self._maximize = study.direction.name == "MAXIMIZE"
        self._max_epochs = max_epochs
        self._asha = AshaScheduler(study, max_epochs)
        self._correlation: float | None = None
        self._news: list[str] = []

    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        refuse_ended(live, self._max_epochs)
        if self._correlation is None:
            self._judge()
        if self._correlation is None:
            return [self._begin(p.number) if p.epoch == 0 else Pause() for p in live]
        return self._asha.decide(live) if self._promotes else [Continue(self._max_epochs)] * len(live)

    def finish(self, live: Sequence[Progress]) -> list[Decision]:
        return self._asha.finish(live) if self._promotes else super().finish(live)

    def describe(self, total: int) -> list[str]:
        """What decides, in a line."""
        return [
            f"the curves of the first {FIRST} complete trials decide whether the best third goes on, or all train to the end"
        ]

    def news(self) -> list[str]:
        """What the curves have decided, when they have."""
        told, self._news = self._news, []
        return told

    @property
    def _promotes(self) -> bool:
        return self._correlation is not None and self._correlation >= TELLING

    def _begin(self, number: int) -> Decision:
        return Continue(self._asha.rungs[0] if number % 2 else self._max_epochs)

    def _judge(self) -> None:
        """Decide, where there are enough complete trials."""
        from optuna.trial import TrialState

        trials = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(trials) < FIRST:
            return
        curves = {t.number: [t.intermediate_values[epoch] for epoch in sorted(t.intermediate_values)] for t in trials}
        quarter = max(1, self._max_epochs // EARLY)
        early = [best_so_far(curve[:quarter], self._maximize) for curve in curves.values()]
        final = [best_so_far(curve, self._maximize) for curve in curves.values()]
        self._correlation = _rank_correlation(early, final)
        if self._promotes:
            self._asha.arrive(curves)
        then = "the best third of each rung goes on" if self._promotes else "all trials train to the end"
        self._news = [
            f"after epoch {quarter} the values of {len(trials)} trials rank them as the last ones do with a correlation of "
            f"{self._correlation:.1f}: {then}"
        ]


def _rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's coefficient; 0 where one of the two does not rank at all."""
    if min(len(set(first)), len(set(second))) < 2:
        return 0.0
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic)
