"""The estimate of the time that is left, over made-up sweeps whose end is known."""

import os

import pytest

from mlptune.experiments.time_left import TimeLeft, slowdown


def even(slower: float, expected: float | None, warm_up: float = 0.0, total: int = 64) -> list[tuple[float, float]]:
    """What is estimated, and the truth, of a sweep whose trials bring news each second and are `slower` than was counted."""
    took = warm_up + total * slower
    left = TimeLeft(0.0, total, expected)
    pairs = []
    second = warm_up
    while (second := second + 1.0) < took:
        work = (second - warm_up) / slower
        left.advance(second, work, finished=int(work) > int(work - 1 / slower))
        estimate = left.seconds(second + 0.25)
        if estimate is not None:
            pairs.append((estimate, took - second - 0.25))
    return pairs


@pytest.mark.parametrize("slower", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("expected", [64.0, None])
def test_each_estimate_is_within_a_factor_of_two_even_on_a_machine_that_is_slower(
    slower: float, expected: float | None
) -> None:
    pairs = even(slower, expected)
    assert len(pairs) > 20
    # Of the last seconds nobody asks for more than seconds.
    assert all(0.5 < estimate / truth < 2.0 for estimate, truth in pairs[5:] if truth > 5)


def test_workers_that_first_have_to_start_do_not_mislead_for_long() -> None:
    assert all(0.5 < estimate / truth < 2.0 for estimate, truth in even(1.0, 64.0, warm_up=5.0)[1:] if truth > 5)


def test_what_a_resume_replays_is_not_taken_for_speed() -> None:
    left = TimeLeft(0.0, 64, 640.0)
    for number in range(40):
        left.advance(0.2, number + 1.0, finished=True)
    seconds = left.seconds(1.0)
    assert seconds is not None
    assert 0.45 * 239 < seconds < 2 * 239
    for second in range(10, 50, 5):
        left.advance(second, 40 + second / 10, finished=True)
        assert left.seconds(second + 1.0) == pytest.approx(240 - second, rel=0.3)


def test_while_no_news_come_the_time_passes_and_then_grows() -> None:
    left = TimeLeft(0.0, 10, None)
    left.advance(10.0, 5.0, finished=True)
    seen = [left.seconds(now) for now in (10.0, 12.0, 100.0, 200.0)]
    assert seen == [10.0, 8.0, 50.0, 100.0]


def test_at_the_end_nothing_is_left_and_before_the_start_nothing_is_known() -> None:
    left = TimeLeft(0.0, 2, 5.0)
    assert left.seconds(3.0) is None
    left.advance(3.0, 2.0, finished=True)
    assert left.seconds(3.0) == left.seconds(9.0) == 0.0


def test_a_machine_is_slower_by_what_waits_for_its_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    for load, expected in ((0.3, 1.0), (4.0, 1.0), (10.0, 2.5)):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 50.0, 50.0), raising=False)
        assert slowdown() == expected
    monkeypatch.delattr(os, "getloadavg")  # as on Windows
    assert slowdown() == 1.0


def test_more_trials_than_the_window_holds_end_in_one_instant() -> None:
    """As when the store has opened late: all that has waited for it is told at once."""
    left = TimeLeft(0.0, 64, expected=8.0)
    for done in range(1, 64):
        left.advance(9.0 + 1e-4 * done, float(done), finished=True)
        seconds = left.seconds(9.0 + 1e-4 * done)
        assert seconds is not None
        assert 0.0 <= seconds < 60.0
