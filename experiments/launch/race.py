"""Racing folds: a trial that is behind on the first folds is not given the rest.

All trials of a batch train on the first fold, the better half of them on the second, the better half of those on the others; so
the same work allows about twice the trials. What a trial comes to is a function of its batch alone, and a trial that got all folds
has the numbers that it would have without a race.
"""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...tracking.records import BEHIND
from ..execution.evaluation import Evaluator, Outcome, Request, Returned

# How many folds have been trained when the rest of the trials is halved.
ROUNDS = (1, 2)


def share_of_networks(n_folds: int) -> float:
    """How many of their networks the trials of a large batch train."""
    ends = [*(folds for folds in ROUNDS if folds < n_folds), n_folds]
    trained = sum((end - begin) / 2**i for i, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)))
    return trained / n_folds


class Race:
    """An evaluator that lets the trials of each call race against one another.

    Args:
        evaluator: Trains them.
        n_folds: How many folds there are.
        n_seeds: How many networks a trial trains on each.
        direction: "maximize" or "minimize".
    """

    def __init__(self, evaluator: Evaluator, n_folds: int, n_seeds: int, direction: str) -> None:
        self._evaluator = evaluator
        self._n_folds = n_folds
        self._n_seeds = n_seeds
        self._sign = -1.0 if direction == "maximize" else 1.0

    @property
    def objective_key(self) -> str:
        return self._evaluator.objective_key

    def forget(self, number: int) -> None:
        self._evaluator.forget(number)

    def conclude(self, number: int) -> Outcome | None:
        """See `Evaluator.conclude`."""
        return self._evaluator.conclude(number)

    def advance(
        self, requests: Sequence[Request], deadline: float | None = None, *, until_one: bool = False
    ) -> Iterable[Outcome]:
        limit: dict[str, Any] = {} if deadline is None else {"deadline": deadline, "until_one": until_one}
        racing, behind, jobs = list(requests), dict[int, int](), list[Returned]()
        for i, folds in enumerate(ROUNDS):
            if folds >= self._n_folds:
                break
            losses: dict[int, float] = {}
            trained = folds * self._n_seeds
            for outcome in self._evaluator.advance([replace(r, networks=trained) for r in racing], **limit):
                if outcome.ended:
                    yield replace(outcome, jobs=(*jobs, *outcome.jobs))
                    jobs.clear()
                else:
                    jobs += outcome.jobs
                    losses[outcome.number] = self._sign * float(np.mean(outcome.values))
            if deadline is not None and time.monotonic() > deadline and not until_one:
                return
            places = math.ceil(len(requests) / 2 ** (i + 1))
            order = sorted(losses, key=lambda number: (losses[number], number))
            behind |= dict.fromkeys(order[places:], folds)
            racing = [request for request in racing if request.number in order[:places]]
        whole: dict[int, tuple[float, ...]] = {}
        for outcome in self._evaluator.advance(racing, **limit) if racing else ():
            if outcome.ended == "finished":
                whole[outcome.number] = outcome.values
            yield replace(outcome, jobs=(*jobs, *outcome.jobs))
            jobs.clear()
        # In trial order, whatever order they came in: the order of a sum changes its last bits.
        in_order = [whole[number] for number in sorted(whole)]
        for number in sorted(behind):
            yield self._left(number, behind[number], in_order)

    def _left(self, number: int, folds: int, whole: Sequence[tuple[float, ...]]) -> Outcome:
        """The end of a trial that is behind.

        Folds differ in how hard they are. Its mean over those that it has is moved by as much as that of the trials with `whole`
        folds moves by the others.
        """
        outcome = self._evaluator.conclude(number)
        assert outcome is not None, "its networks have ended and have not diverged"
        if outcome.ended != "behind":  # a committed trial of a batch that was smaller then
            return outcome
        estimate = float(np.mean(outcome.values))
        if whole:
            values = np.array(whole)
            estimate += float(values.mean() - values[:, : len(outcome.values)].mean())
        return replace(outcome, estimate=estimate, reason=f"{BEHIND} {folds} of {self._n_folds} folds")
