"""Which bounds the best trials stand at."""

import pytest

from mlptune.experiments.edges import Edge, edges, place
from mlptune.tracking.records import TrialRecord

SPACE = {"rate": {"low": 1e-4, "high": 1e-1, "log": True}, "drop": {"low": 0.0, "high": 0.5}, "kind": ["a", "b"]}


def leaders(*rates: float, drop: float = 0.25) -> list[TrialRecord]:
    return [TrialRecord(i, "complete", 1.0, {"rate": rate, "drop": drop, "kind": "a"}) for i, rate in enumerate(rates)]


def test_a_place_is_on_the_ranges_own_scale() -> None:
    assert place(SPACE["rate"], 1e-3) == pytest.approx(1 / 3)  # type: ignore[arg-type]
    assert place(SPACE["drop"], 0.1) == pytest.approx(0.2)  # type: ignore[arg-type]
    assert place(SPACE["drop"], True) is None  # type: ignore[arg-type]


def test_a_bound_wins_with_the_best_and_most_of_the_others() -> None:
    assert edges(SPACE, leaders(0.1, 0.099, 0.001, 0.08, 0.01)) == [Edge("rate", "high", 0.1, 3)]
    assert edges(SPACE, leaders(0.01, 0.1, 0.1, 0.1, 0.1)) == [], "the best is elsewhere"
    assert edges(SPACE, leaders(0.1, 0.1, 0.01, 0.01, 0.01)) == []
    assert edges(SPACE, leaders(1e-4, 1e-4, drop=0.0)) == [Edge("rate", "low", 1e-4, 2)], "nothing is below 0"
    assert edges(SPACE, leaders(0.5, 0.5)) == [], "they are outside"
    assert edges(SPACE, []) == []
