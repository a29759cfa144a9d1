"""How long the rest of a sweep takes: at first by the count of its operations, where there is one, then by what was trained."""

import os
from collections import deque

RATE_WINDOW = 32
"""Finished trials that the rate is taken from: recent ones, since what trials cost changes as the search narrows."""
COUNTED_SHARE, COUNTED_TRIALS = 0.1, 2.0
"""For how much of the trials, and for how many at most, the count of operations stands in the rate as if they had been trained."""
INSTANT = 0.05
"""Seconds within which news belong together: the trials of a stack end at once, and of the first alone nothing can be told."""


def slowdown() -> float:
    """How much slower this machine may be for what else runs on it: processes that wait for each processor; 1 where it has room."""
    try:
        waiting = os.getloadavg()[0]  # of the last minute
    except (AttributeError, OSError):  # not known here
        return 1.0
    return max(1.0, waiting / (os.cpu_count() or 1))


class TimeLeft:
    """An estimate from the news of a sweep.

    Until the second news the time also has in it how long the workers take to start, and the work what a resume replays. With a
    count of operations the rate is therefore that from the first news on, as soon as there is another.

    Args:
        began: When it began, in seconds.
        total: How many trials it counts.
        expected: How many seconds it takes by the count of its operations, where that is known.
    """

    def __init__(self, began: float, total: int, expected: float | None = None) -> None:
        self._total = max(total, 1)
        self._counted = 0.0 if expected is None else min(COUNTED_SHARE * self._total, COUNTED_TRIALS)
        self._a_trial = None if expected is None else expected / self._total
        self._finishes = deque([(began, 0.0)], maxlen=RATE_WINDOW + 1)
        self._settled = self._latest = (began, 0.0)
        self._news = 0

    def advance(self, now: float, work: float, *, finished: bool = False) -> None:
        """So many trials are done, parts of running ones among them; with `finished` one has just ended."""
        if now - self._latest[0] > INSTANT:
            self._settled = self._latest
            self._news += 1
            if self._news == 2 and self._a_trial is not None:
                self._finishes.clear()
                self._finishes.append(self._latest)
        self._latest = (now, work)
        if finished:
            self._finishes.append(self._latest)

    def seconds(self, now: float) -> float | None:
        """The seconds until the last trial ends; None before there is anything to estimate from."""
        work = self._latest[1]
        if work <= 0.0 or (self._a_trial is None and work < 1.0):
            return None
        if work >= self._total:
            return 0.0
        # More trials than the window holds may end in one instant, of which then nothing earlier is left.
        is_overtaken = self._settled[1] < self._finishes[0][1]
        is_settled = self._a_trial is None or now - self._latest[0] > INSTANT or is_overtaken
        told, known = self._latest if is_settled else self._settled
        left = self._total - known
        # Between two pieces of news time passes; where none comes for long the rate falls.
        slowest = self._rate(now if is_settled else told, known)
        return max(left / self._rate(told, known) - (now - told), 0.5 * left / slowest)

    def _rate(self, now: float, work: float) -> float:
        """Trials a second, those that stand for the count of operations among them."""
        began, before = self._finishes[0]
        seconds = max(now - began, 0.0) + self._counted * (self._a_trial or 0.0)
        rate = max(work - before + self._counted, 1e-9) / max(seconds, 1e-3)
        return min(rate, 2.0 / self._a_trial) if self._a_trial and self._news < 2 else rate
