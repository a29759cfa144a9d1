"""What views know of a sweep: how much of it is done, and how long the rest will take."""

import pytest

from mlptune.experiments.progress import SweepInfo
from mlptune.experiments.view import LEADERS, View
from mlptune.tracking.records import TrialRecord


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_counts_leaders_and_time_left() -> None:
    clock = Clock()
    view = View(clock)
    view.started(SweepInfo("cars", "tpe", 10, 2, 20, "val_score", "minimize"))
    assert view.seconds_left() is None
    for number in range(8):
        clock.now += 2
        view.trial_advanced(number, 10, 0.5)
        view.trial_finished(TrialRecord(number, "complete", 1 - number / 10, params={}, epochs=20))
    view.trial_advanced(8, 10, 0.5)
    assert (view.count, view.share) == ("8/10", 0.85)
    assert [trial.number for trial in view.leaders] == [7, 6, 5, 4, 3][:LEADERS]
    assert view.seconds_left() == pytest.approx(1.5 / (8.5 / 16))


def test_a_budget_in_time_has_no_total() -> None:
    clock = Clock()
    view = View(clock)
    view.started(SweepInfo("cars", "tpe", 10, 2, 20, "val_score", "minimize", seconds=60))
    clock.now += 15
    assert (view.count, view.share, view.seconds_left()) == ("0", 0.25, 45)
