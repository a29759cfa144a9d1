"""How long the rest of a sweep takes: by what its jobs took, and at first by the count of their operations too."""

import math
from collections import deque
from dataclasses import dataclass

RECENT_TRIALS = 32.0
"""Trials that the cost of one is taken from: recent ones, since what trials cost changes as the search narrows."""
COUNTED_SHARE, COUNTED_TRIALS = 0.1, 2.0
"""For how much of the trials, and for how many at most, the count of operations stands as if they had been trained."""
BURST, LONGEST_BURST = 0.2, 1.0
"""Seconds within which updates belong together: the trials of a stack end at once, and the first alone says nothing.

Where updates come without a pause they are taken together after so many seconds at the latest.
"""
LEAST_SECONDS_A_TRIAL = 0.003
"""Seconds that a trial takes at least, whatever it trains: to ask for it, to report and to write it (a thousand took three)."""


@dataclass(frozen=True)
class _Update:
    """How far the sweep was at a time.

    Attributes:
        time: When.
        trials: How many trials were done, parts of running ones among them.
        jobs: How many jobs had returned.
        took: How many seconds they took.
        cost: How many they would take now.
    """

    time: float
    trials: float
    jobs: int = 0
    took: float = 0.0
    cost: float = 0.0


class TimeLeft:
    """An estimate from the updates of a sweep (its ETA).

    A count of operations does not know how fast the machine is and what else it does; what the jobs took that have returned
    says so, from the first one on. Since only their own time counts, it does not matter how long the workers took to start, nor
    what a resume replayed. While the first jobs run other processes of the sweep start, and they do not show what else keeps
    the processors busy: they count with the geometric mean of their seconds and those in which they had a processor.

    Args:
        began: When the sweep began, in seconds.
        total: How many trials it counts.
        expected: How many seconds they take by the count of their operations, where that is known.
        workers: How many jobs run at once.
        model: How many seconds, by the same count, making the model takes after the last trial.
    """

    def __init__(
        self, began: float, total: int, expected: float | None = None, *, workers: int = 1, model: float = 0.0
    ) -> None:
        self._total, self._workers, self._model = max(total, 1), max(workers, 1), model
        self._a_trial = None if expected is None else expected * self._workers / self._total
        self._stands_for = 0.0 if expected is None else min(COUNTED_SHARE * self._total, COUNTED_TRIALS)
        self._expected = self._took = self._cost = self._work = 0.0
        self._jobs = 0
        self._begin(began)

    def _begin(self, time: float) -> None:
        """Training begins; what is done already has been replayed."""
        self._began = time
        self._updates = deque([_Update(time, self._work)])
        self._latest: _Update | None = None
        self._since = time

    def trained(self, now: float, expected: float, seconds: float, processor_seconds: float) -> None:
        """A job has returned after `seconds`, with a processor for so many of them, where the count says `expected`."""
        if not self._took:
            self._begin(max(now - seconds, self._began))
        self._expected += expected
        self._took += seconds
        self._cost += seconds if self._jobs >= self._workers else math.sqrt(seconds * min(processor_seconds, seconds))
        self._jobs += 1

    def advance(self, now: float, work: float) -> None:
        """So many trials are done, parts of running ones among them."""
        self._close_burst(now)
        self._work = work
        self._since = now if self._latest is None else self._since
        # Without updates of jobs all workers are taken to have been busy.
        all_busy = 0.0 if self._jobs else self._workers * (now - self._began)
        self._latest = _Update(now, work, self._jobs, self._took or all_busy, self._cost or all_busy)

    def seconds(self, now: float) -> float | None:
        """The seconds until the model is made, 0 once all trials have ended; None before there is anything to estimate from."""
        if self._work <= 0.0 or (self._a_trial is None and self._work < 1.0):
            return None
        if self._work >= self._total:
            return 0.0  # how many members the model has is known now, and what they take is said by who trains them
        self._close_burst(now)
        update = self._updates[-1] if self._a_trial is not None or self._latest is None else self._latest
        rest = (self._total - update.trials) * self._a_trial_costs(update)
        so_far, passed = update.time - self._began, now - update.time
        first = min(self._first_jobs(update) * update.cost / update.took, 0.5 * rest) if update.jobs else 0.0
        left = (rest - first) / (self._workers * self._share_busy(update))
        left = max(left, (self._total - update.trials) * LEAST_SECONDS_A_TRIAL)
        # Between two updates time passes; where none comes for long all takes longer.
        slowest = 0.5 * left * (so_far + passed) / so_far if so_far else 0.0
        return max(left - passed, slowest) + self._model * self._slowness()

    def _close_burst(self, now: float) -> None:
        """Take the updates of a burst together."""
        if self._latest is None or (now - self._latest.time <= BURST and now - self._since <= LONGEST_BURST):
            return
        self._updates.append(self._latest)
        self._latest = None
        while len(self._updates) > 2 and self._is_enough(self._updates[1], self._updates[-1]):
            self._updates.popleft()

    def _is_enough(self, first: _Update, last: _Update) -> bool:
        """Whether what a trial costs can be taken from between these, which needs jobs that took time."""
        return last.trials - first.trials >= RECENT_TRIALS and last.jobs - first.jobs >= self._workers

    def _a_trial_costs(self, update: _Update) -> float:
        """Seconds of a worker that a trial takes, those that stand for the count of operations among them."""
        first = self._updates[0]
        counted = self._stands_for * (self._a_trial or 0.0) * self._slowness()
        return (update.cost - first.cost + counted) / max(update.trials - first.trials + self._stands_for, 1e-9)

    def _slowness(self) -> float:
        """How many times as long as by the count jobs take."""
        return self._cost / self._expected if self._expected else 1.0

    def _first_jobs(self, update: _Update) -> float:
        """Seconds of the workers that have not returned a job yet, and began when the others did."""
        return max(self._workers - update.jobs, 0) * (update.time - self._began) if update.jobs else 0.0

    def _share_busy(self, update: _Update) -> float:
        """The share of their time that workers train. Since the start a half of a job is on its way for each of them."""
        first = self._updates[0]
        there = self._workers * (update.time - first.time)
        if not update.jobs or there <= 0.0:
            return 1.0
        on_the_way = 0.0 if first.jobs else self._first_jobs(update) or 0.5 * self._workers * update.took / update.jobs
        return min(max((update.took - first.took + on_the_way) / there, 0.01), 1.0)
