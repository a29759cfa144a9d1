"""The estimate of the time that is left, over made-up sweeps whose end is known."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.time_left import TimeLeft


@dataclass(frozen=True)
class Sweep:
    """A made-up sweep: batches of trials, in stacks, on workers that have to start first.

    Attributes:
        slower: How many times as long as counted a job takes on this machine.
        start: Seconds until the workers train.
        stack: Trials of a stack.
        counted: Seconds that a trial takes on one worker by the count.
        unlike: By how much stacks differ from that, as a factor.
        replayed: Trials that are known already.
    """

    trials: int = 64
    batch: int = 16
    stack: int = 4
    workers: int = 2
    counted: float = 2.0
    slower: float = 1.0
    start: float = 0.0
    unlike: float = 1.0
    replayed: int = 0
    seed: int = 0

    def estimates(self) -> Iterator[tuple[float, float]]:
        """What is estimated after each piece of news, and what is true."""
        news = list(self._news())
        end = max(time for time, *_ in news)
        left = TimeLeft(0.0, self.trials, self.counted * self.trials / self.workers, workers=self.workers)
        for time, work, job in news:
            if job:
                left.trained(time, *job, job[1])
            left.advance(time, work)
            estimate = left.seconds(time)
            if estimate is not None and time > 1.0:
                yield estimate, end - time

    def _news(self) -> Iterator[tuple[float, float, tuple[float, float] | None]]:
        """When there is news, how many trials have ended then, and the counted and real seconds of a job that has returned."""
        unlike, done = random.Random(self.seed), 0
        for _ in range(self.replayed):
            done += 1
            yield 0.5, done, None
        free = [self.start + 0.1 * i for i in range(self.workers)]
        while done < self.trials:
            ends: list[tuple[float, int, float]] = []
            waiting = min(self.batch, self.trials - done)
            while waiting:
                n = min(self.stack, waiting)
                expected = n * self.counted * self.unlike ** unlike.uniform(-1, 1)
                began = heapq.heappop(free)
                heapq.heappush(free, began + expected * self.slower)
                ends.append((began + expected * self.slower, n, expected))
                waiting -= n
            for end, n, expected in sorted(ends):
                for i in range(n):
                    done += 1
                    yield end + 0.01 * i, done, None if i else (expected, expected * self.slower)
            free = [max(free)] * self.workers


def within(factor: float, pairs: list[tuple[float, float]]) -> bool:
    """Whether each is right within a factor, but for the last fifth, in which few stacks decide and workers wait for them."""
    long = max(pairs[0][1] / 5, 5) if pairs else 0.0
    return all(1 / factor < estimate / truth < factor for estimate, truth in pairs if truth > long)


@given(
    st.builds(
        Sweep,
        trials=st.integers(16, 200),
        batch=st.sampled_from([8, 16, 32]),
        stack=st.integers(2, 8),
        workers=st.integers(1, 4),
        counted=st.floats(0.5, 10.0),
        slower=st.floats(0.1, 20.0),
        start=st.floats(0.0, 30.0),
    )
)
def test_the_first_estimate_is_within_a_factor_of_two_on_any_machine_however_late_its_workers_start(
    sweep: Sweep,
) -> None:
    # A batch that does not keep all workers busy to its end is slower than what its jobs took says.
    if sweep.batch < 2 * sweep.stack * sweep.workers or sweep.trials % sweep.batch:
        batch = 2 * sweep.stack * sweep.workers
        sweep = Sweep(**{**vars(sweep), "batch": batch, "trials": 6 * batch})
    assert within(2.0, list(sweep.estimates())[:1])


@pytest.mark.parametrize("slower", [0.2, 1.0, 7.0])
@pytest.mark.parametrize("start", [0.0, 20.0])
def test_so_is_each_later_one_though_trials_differ(slower: float, start: float) -> None:
    for seed in range(20):
        pairs = list(Sweep(slower=slower, start=start, unlike=1.5, seed=seed).estimates())
        assert len(pairs) > 20
        assert within(2.0, pairs), seed


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_one_stack_a_batch_that_leaves_workers_idle_is_learned(workers: int) -> None:
    pairs = list(Sweep(batch=4, workers=workers).estimates())
    assert within(2.0, pairs[6 * 4 :]), "after six stacks"


def test_what_a_resume_replays_is_not_taken_for_speed() -> None:
    assert within(2.0, list(Sweep(replayed=40, slower=3.0, start=5.0).estimates()))


def test_a_thousand_trials_of_no_time_end_soon() -> None:
    """News of hundreds of trials at once had counted as no progress, and 3,636,576 hours left."""
    left = TimeLeft(0.0, 1000, 5.0, workers=2)
    for number in range(1, 301):
        now = 2.0 + 0.001 * number
        if number % 64 == 1:
            left.trained(now, 0.1, 0.1, 0.1)
        left.advance(now, number)
        seconds = left.seconds(now)
        assert seconds is not None
        assert seconds < 10.0


def test_trials_that_are_told_long_after_their_jobs_leave_the_estimate_sane() -> None:
    """A busy coordinator commits hundreds of trials whose jobs returned together."""
    left = TimeLeft(0.0, 1000, 5.0, workers=2)
    for _ in range(16):
        left.trained(2.0, 0.1, 0.2, 0.1)
    for number in range(1, 901):
        now = 2.0 + 0.01 * number
        left.advance(now, number)
        seconds = left.seconds(now)
        assert seconds is not None
        assert seconds < 60.0


def test_a_count_that_is_wrong_by_as_much_as_you_like_is_corrected_by_the_first_job() -> None:
    left = TimeLeft(0.0, 10, 1e6)
    left.trained(30.0, 1e5, 10.0, 10.0)
    left.advance(30.0, 1.0)
    assert left.seconds(31.0) == pytest.approx(89.0)


@pytest.mark.parametrize("lasts", [True, False])
def test_a_first_job_that_seldom_had_a_processor_may_have_met_a_short_or_a_lasting_rush(lasts: bool) -> None:
    """A third of a processor for the first jobs, while MLflow is imported, or from then on."""
    left, truth = TimeLeft(0.0, 20, 20.0), 19 * (3.0 if lasts else 1.0)
    left.trained(3.0, 1.0, 3.0, 1.0)
    left.advance(3.0, 1.0)
    estimate = left.seconds(3.0)
    assert estimate is not None
    assert truth / 2 < estimate < 2 * truth
    slower = 3.0 if lasts else 1.0
    for trials in range(2, 8):
        now = 3.0 + slower * (trials - 1)
        left.trained(now, 1.0, slower, 1.0)
        left.advance(now, trials)
    estimate = left.seconds(now + 0.5)
    assert estimate == pytest.approx(slower * 13, rel=0.25)


def test_without_a_count_it_goes_by_what_has_ended() -> None:
    left = TimeLeft(0.0, 10, None)
    left.advance(10.0, 0.5)
    assert left.seconds(10.0) is None, "half a trial is too little to go by"
    left.advance(10.0, 5.0)
    seen = [left.seconds(now) for now in (10.0, 12.0, 100.0, 200.0)]
    assert seen == [10.0, 8.0, 50.0, 100.0]


def test_making_the_model_counts_at_the_speed_of_the_trials() -> None:
    left = TimeLeft(0.0, 2, 10.0, model=8.0)
    left.trained(6.0, 2.0, 6.0, 6.0)
    left.advance(6.0, 1.0)
    assert left.seconds(6.0) == pytest.approx(30.0 - 6.0 + 24.0)
    left.advance(30.0, 2.0)
    assert left.seconds(31.0) == 0.0


def test_at_the_end_nothing_is_left_and_before_the_start_nothing_is_known() -> None:
    left = TimeLeft(0.0, 2, 5.0)
    assert left.seconds(3.0) is None
    left.advance(3.0, 2.0)
    assert left.seconds(3.0) == left.seconds(9.0) == 0.0
