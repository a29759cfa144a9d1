"""Asynchronous successive halving: the best third of all trials that ever reached a rung continue to the next.

Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht, Talwalkar 2020, "A System for Massively Parallel Hyperparameter Tuning",
arXiv:1810.05934, algorithm 2. Their r, R, eta are `min_epochs`, `max_epochs`, `eta`; their s is 0.
Optuna's pruner of this name decides once, when a trial arrives, and stops it if it is not among the best so far. Here such a
trial is paused with its network, and is promoted as soon as later, worse ones have made it one of the best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .decisions import Continue, Decision, Pause, Progress, Scheduler, refuse_ended
from .rungs import best_so_far, rungs

if TYPE_CHECKING:
    from optuna.study import Study


class AshaScheduler(Scheduler):
    """Promotes all trials that can be promoted before a new batch is asked.

    If no trial has finished after the last batch, the one that came furthest continues, so that there is a result.

    Args:
        study: its direction says which values are better.
        max_epochs: of a trial that is promoted to the end.
        eta: one in `eta` is promoted.
        min_epochs: the lowest rung is not below this epoch.
    """

    def __init__(self, study: Study, max_epochs: int, *, eta: float = 3, min_epochs: int = 1) -> None:
        self._study = study
        self._maximize = study.direction.name == "MAXIMIZE"
        self._eta = eta
        self.rungs = rungs(max_epochs, min_epochs, eta)
        self._following = dict(zip(self.rungs, self.rungs[1:], strict=False))
        # The values at each rung, by trial, also of trials that have ended since. A resumed sweep reports all of them again.
        self._arrived: dict[int, dict[int, float]] = {epoch: {} for epoch in self.rungs[:-1]}

    def decide(self, live: Sequence[Progress]) -> list[Decision]:
        refuse_ended(live, self.rungs[-1])
        if any(p.epoch == 0 for p in live):
            return [Continue(self.rungs[0]) if p.epoch == 0 else Pause() for p in live]
        for progress in live:
            self._arrived[progress.epoch].setdefault(progress.number, best_so_far(progress.values, self._maximize))
        promotable = {epoch: self._best(epoch) for epoch in self._following}
        return [Continue(self._following[p.epoch]) if p.number in promotable[p.epoch] else Pause() for p in live]

    def arrive(self, curves: Mapping[int, Sequence[float | None]]) -> None:
        """Count trials that have ended, by number, as ones that reached the rungs up to the end of their curves."""
        for epoch, arrived in self._arrived.items():
            for number, curve in curves.items():
                if len(curve) >= epoch:
                    arrived.setdefault(number, best_so_far(curve[:epoch], self._maximize))

    def finish(self, live: Sequence[Progress]) -> list[Decision]:
        from optuna.trial import TrialState

        decisions = self.decide(live)
        if all(isinstance(d, Pause) for d in decisions) and not self._study.get_trials(
            deepcopy=False, states=(TrialState.COMPLETE,)
        ):
            furthest = max(live, key=lambda p: (p.epoch, self._arrived[p.epoch][p.number], -p.number))
            decisions[live.index(furthest)] = Continue(self._following[furthest.epoch])
        return decisions

    def describe(self, total: int) -> list[str]:
        """The rungs, in a line."""
        if len(self.rungs) == 1:
            return [f"successive halving has one rung only, epoch {self.rungs[0]}: every trial trains to the end"]
        steps = ", ".join(str(epoch) for epoch in self.rungs)
        return [
            f"successive halving: {total} begun, most of them stopped early; rungs at epochs {steps}",
            f"  of all that reached a rung the best 1 in {self._eta:g} continue to the next",
        ]

    def _best(self, epoch: int) -> set[int]:
        """The best 1 / eta of the trials that have reached a rung, promoted or not."""
        arrived = self._arrived[epoch]
        order = sorted(arrived, key=lambda number: (-arrived[number], number))
        return set(order[: int(len(arrived) / self._eta)])
