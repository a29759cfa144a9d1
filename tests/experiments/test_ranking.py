"""The best trial: complete, finite, of equals the first."""

import math
import random

from mlptune.experiments.ranking import best_so_far, best_trial, ranked, ranked_rows
from mlptune.tracking.records import TrialRecord

TRIALS = [
    TrialRecord(0, "complete", 0.5),
    TrialRecord(1, "pruned", 0.9),
    TrialRecord(2, "complete", 0.75),
    TrialRecord(3, "failed", None),
    TrialRecord(4, "complete", 0.75),
    TrialRecord(5, "complete", math.nan),
    TrialRecord(6, "complete", math.inf),
    TrialRecord(7, "complete", -math.inf),
    TrialRecord(8, "complete", 0.0),
]


def test_complete_trials_are_ranked() -> None:
    for seed in range(5):
        shuffled = random.Random(seed).sample(TRIALS, len(TRIALS))
        assert [trial.number for trial in ranked(shuffled, "maximize")] == [2, 4, 0, 8]
        assert [trial.number for trial in ranked(shuffled, "minimize")] == [8, 0, 2, 4]


def test_the_best_is_the_first_of_equals() -> None:
    best = best_trial(reversed(TRIALS), "maximize")
    assert best is not None
    assert best.number == 2
    assert best_trial(TRIALS[5:8], "minimize") is None
    assert best_trial([], "maximize") is None


def test_the_best_so_far_is_the_best_of_the_trials_until_then() -> None:
    for direction in ("maximize", "minimize"):
        for seed in range(5):
            trials = random.Random(seed).sample(TRIALS, len(TRIALS))
            until = [best_trial(trials[: i + 1], direction) for i in range(len(trials))]
            assert best_so_far(trials, direction) == [None if best is None else best.value for best in until]


def test_rows_are_ranked_by_which_of_them_is_the_best() -> None:
    rows = [{"number": t.number, "state": t.state, "value": t.value} for t in TRIALS if t.number in (0, 1, 2, 3, 4, 8)]
    assert [row["number"] for row in ranked_rows(rows, {"value": 0.75})] == [2, 4, 0, 8]
    assert [row["number"] for row in ranked_rows(rows, {"value": 0.0})] == [8, 0, 2, 4]
    # One that was named among finalists need not have the best value, but it is in the better half.
    assert [row["number"] for row in ranked_rows(rows, {"number": 4, "value": 0.75})] == [4, 2, 0, 8]
