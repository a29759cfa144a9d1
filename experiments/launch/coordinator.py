"""The one loop that runs a search: ask for a batch, train to the next rung, decide, tell in trial order, ask again.

Trials that a scheduler pauses stay live over later batches, until it lets them train on or the search ends.

The loop knows neither MLflow nor the engine: evaluator, recorder and observer are passed in, so a benchmark on a table of
published results measures the same loop that users run. What it proposes depends on the seed and on earlier batches alone, never
on which worker was faster (principle: search is a function of history).
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import optuna
from optuna.trial import TrialState

from ..._text import counted
from ...search.samplers import move_to
from ...search.schedulers.decisions import Continue, Copy, Decision, Pause, Progress, Scheduler, Stop
from ...search.spaces.changes import with_change
from ...search.spaces.layers import configuration
from ...search.spaces.space import Space
from ...tracking.records import BEHIND, CURVE, TrialRecord
from ..execution.evaluation import Evaluator, Outcome, Request
from ..progress import Observer
from .space_history import SpaceHistory
from .steering import Steering
from .stop_rules import Stopped, StopRules

# How the reasons begin of trials that ended because the search was over: with more time they would go on.
PAUSED, OUT_OF_TIME = "paused at epoch", "out of time"
# Reasons that a resume goes by; what a scheduler says for itself must not read like one.
_OUR_WORDS = (PAUSED, OUT_OF_TIME, BEHIND, "diverged")


@dataclass(frozen=True)
class Budget:
    """How much is searched: `total` trials in batches of `batch`, each up to `max_epochs`.

    Attributes:
        timeout: Seconds after which no new batch begins; None for no limit.
        deadline: The time (`time.monotonic`) at which the search is over, whatever still trains; None for no limit.
        rules: What ends the search before, between batches.
        known: How many trials an earlier process has begun: before they are all asked again nothing ends the search and no trial
            joins by hand, since nothing did.
    """

    total: int
    batch: int
    max_epochs: int
    timeout: float | None = None
    deadline: float | None = None
    rules: StopRules = field(default_factory=StopRules)
    known: int = 0


@dataclass
class LiveTrial:
    """A trial between ask and tell.

    Attributes:
        trial: Optuna's trial.
        params: The searched hyperparameters.
        configuration: What it trains with: `params` and the fixed hyperparameters, or, once it has taken over another trial's
            network, that trial's configuration with the changes made since.
        started: When it was asked for.
        values: The objective by epoch.
        last: What its last segment gave.
        copied: (epoch, trial) of each time that it took over another trial's network.
    """

    trial: optuna.trial.Trial
    params: Mapping[str, Any]
    configuration: Mapping[str, Any]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    values: list[float] = field(default_factory=list)
    last: Outcome | None = None
    copied: list[tuple[int, int]] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.trial.number

    def record(self, state: str, value: float | None = None, *, reason: str | None = None) -> TrialRecord:
        """The trial as it stands."""
        return TrialRecord(
            number=self.number,
            state=state,
            value=value,
            params=self.params,
            epochs=len(self.values),
            reason=reason,
            best_epochs=self.last.best_epochs if self.last else (),
            values=self.last.values if self.last else (),
            spread=self.last.spread if self.last else None,
            configuration=self.configuration if self.copied else None,
            copied=tuple(self.copied),
        )


class Recorder(Protocol):
    """Where trials are written."""

    def log_segment(self, live: LiveTrial, outcome: Outcome) -> None:
        """A trial has trained some epochs and goes on."""

    def commit(self, live: LiveTrial, record: TrialRecord, outcome: Outcome | None) -> None:
        """A trial has ended; `outcome` is its last segment if that is not written yet, None if a scheduler stopped it."""

    def log_ensemble(self, trials: int, value: float) -> None:
        """A batch has ended: after so many trials the ensemble of those that are finished scores `value`."""


class _Pace:
    """How many trials fit before the deadline, by how long the latest batch took."""

    def __init__(self, deadline: float | None) -> None:
        self._deadline = deadline
        self._began = time.monotonic()
        self._seconds_a_trial: float | None = None

    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and time.monotonic() > self._deadline

    def lap(self, trials: int) -> None:
        """A batch of so many trials has ended."""
        self._seconds_a_trial = (time.monotonic() - self._began) / trials

    def next_size(self, size: int) -> int:
        """The size of the next batch, `size` at most; 0 when there is no time for another."""
        self._began = time.monotonic()
        if self._deadline is None or self._seconds_a_trial is None:
            return size
        left = self._deadline - self._began
        # A trial that is cut short still counts, so half of one is worth beginning.
        return min(size, int(left / max(self._seconds_a_trial, 1e-9) + 0.5))


class Coordinator:
    """Searches with `study`, whose sampler proposes, and with `scheduler`, which decides at rungs.

    `batch_ended` is called after each batch with how many trials have been asked for. `costs` gives, of a trial's searched
    values, the study's objectives after the first.

    Attributes:
        trials: The trials that have ended, by number.
        seconds: When each of them ended, in seconds from the beginning of `run`.
        stopped: Why the search ended before its budget, if a rule or the user ended it.
    """

    def __init__(
        self,
        study: optuna.Study,
        space: Space,
        scheduler: Scheduler,
        evaluator: Evaluator,
        *,
        fixed: Mapping[str, Any],
        recorder: Recorder,
        observer: Observer,
        batch_ended: Callable[[int], None] | None = None,
        costs: Callable[[Mapping[str, Any]], Sequence[float]] | None = None,
    ) -> None:
        self._study = study
        self._costs = costs
        self._space = space
        self._scheduler = scheduler
        self._evaluator = evaluator
        self._fixed = fixed
        self._recorder = recorder
        self._observer = observer
        self._batch_ended = batch_ended
        self._live: dict[int, LiveTrial] = {}
        self._began = time.monotonic()
        self._deadline: float | None = None
        self._pace = _Pace(None)
        self._worst = -math.inf if study.directions[0] == optuna.study.StudyDirection.MAXIMIZE else math.inf
        self.trials: dict[int, TrialRecord] = {}
        self.seconds: dict[int, float] = {}
        self.stopped: Stopped | None = None
        self._steering = Steering()
        # The first trial of the batch that trains, and of that in which each trial has ended.
        self._batch = 0
        self._ended_in: dict[int, int] = {}

    def run(self, budget: Budget, steering: Steering | None = None, spaces: SpaceHistory | None = None) -> None:
        """Run until all trials of the budget have ended, its time is over, or one of its rules or `steering` ends the search.

        Trials by hand come on top of those of the budget. The space changes as `spaces` has it, between batches.
        """
        self._began = began = time.monotonic()
        asked = by_hand = 0
        self._steering = steering = steering or Steering()
        self._deadline = budget.deadline
        pace = self._pace = _Pace(budget.deadline)
        spaces = spaces or SpaceHistory(self._space)
        while True:
            self._move(spaces.at(asked))
            if asked >= budget.known:
                steering.take_up(asked)
            point = steering.point(asked)
            if point is not None:
                self._study.enqueue_trial(self._space.encode(point))
                self._begin(1)
                asked, by_hand = asked + 1, by_hand + 1
                self._train(self._scheduler.decide)
                if self._batch_ended is not None:
                    self._batch_ended(asked)
                continue
            left = budget.total - (asked - by_hand)
            if left <= 0 or (asked >= budget.known and self._is_stopped(budget.rules, asked)):
                break
            if budget.timeout is not None and asked and time.monotonic() - began > budget.timeout:
                self._observer.message(
                    f"timeout of {budget.timeout:g} s reached after {asked} of {counted(budget.total, 'trial')}"
                )
                break
            planned = self._scheduler.batch(asked)
            size = planned or pace.next_size(budget.batch)
            if pace.is_over() and not asked:
                self._observer.message("the time is over before a trial has begun; it goes on to the first result")
            elif not size or pace.is_over():
                break
            if asked >= budget.known:
                self._move(spaces.renew(asked, self.trials.values()))
            asked += self._begin(int(min(size, left, steering.until_next(asked))))
            self._train(self._scheduler.decide)
            for line in self._scheduler.notices():
                self._observer.message(line)
            if self._batch_ended is not None:
                self._batch_ended(asked)
            pace.lap(size)
            if not planned and size < budget.batch:  # no other follows, so that a resume asks the same batches
                break
        self._train(self._scheduler.finish)
        for live in list(self._live.values()):
            self._stop(live, f"{PAUSED} {len(live.values)}, below the cut-off")

    def _move(self, space: Space) -> None:
        """Search this space from now on."""
        if space != self._space:
            self._space = space
            move_to(self._study.sampler, space)

    def _begin(self, size: int) -> int:
        """Ask for so many trials, a batch; return how many."""
        batch = [self._ask() for _ in range(size)]
        self._batch = batch[0].number
        self._live.update((live.number, live) for live in batch)
        return size

    def _is_stopped(self, rules: StopRules, begun: int) -> bool:
        """Whether the search ends here though trials are left, which is then said."""
        self.stopped = self._steering.stopped()
        if self.stopped is None:
            self.stopped = rules.stopped(self.trials.values(), begun, self._ended_in, self._paused_epochs)
            if self.stopped is not None:
                self._observer.message(f"stopped: {self.stopped.text}")
        return self.stopped is not None

    @property
    def _paused_epochs(self) -> int:
        return sum(len(live.values) for live in self._live.values())

    @property
    def _has_result(self) -> bool:
        return any(trial.state == "complete" for trial in self.trials.values())

    def _ask(self) -> LiveTrial:
        trial = self._study.ask()
        params = self._space.suggest(trial)
        return LiveTrial(trial, params, configuration(params, self._fixed))

    def _train(self, decide: Callable[[Sequence[Progress]], list[Decision]]) -> None:
        """Train from rung to rung, until all live trials are paused."""
        while self._live:
            requests = self._requests(decide)
            if not requests:
                return
            ended = self._advance(requests)
            if self._pace.is_over():
                ended |= self._conclude({request.number for request in requests} - {*ended})
            # In trial order, whatever order they came in: what a sampler or a pruner sees must not depend on speed.
            for number in sorted(ended):
                self._tell(self._live.pop(number), ended[number])

    def _conclude(self, numbers: Iterable[int]) -> dict[int, Outcome]:
        """The time is over: end these trials where they stand, those without a whole epoch without a result."""
        ended: dict[int, Outcome] = {}
        for number in sorted(numbers):
            live, outcome = self._live[number], self._evaluator.conclude(number)
            if outcome is None:
                self._stop(live, f"{OUT_OF_TIME} without a result")
            else:
                # The reason lets a resume with more time train it to its end.
                outcome = replace(outcome, reason=f"{OUT_OF_TIME} after epoch {len(live.values)}")
                live.last = ended[number] = outcome
                self._end(live, outcome)
        return ended

    def _requests(self, decide: Callable[[Sequence[Progress]], list[Decision]]) -> list[Request]:
        """Carry out what the scheduler decides for all live trials; return requests for those that train on."""
        trials = dict(self._live)
        decisions = decide(
            [Progress(t.number, t.trial, len(t.values), tuple(t.values), t.configuration) for t in trials.values()]
        )
        # A copy is of the source as it stands now, also if the source is about to change itself.
        configurations = {number: live.configuration for number, live in trials.items()}
        requests = []
        for live, decision in zip(trials.values(), decisions, strict=True):
            number = live.number
            match decision:
                case Continue(until=until):
                    requests.append(Request(number, live.configuration, until))
                case Copy(source=source, params=params, until=until):
                    epoch = len(live.values)
                    if source not in trials or len(trials[source].values) != epoch:
                        raise ValueError(f"trial {number} cannot copy trial {source}, which is not at epoch {epoch}")
                    live.configuration = with_change(configurations[source], epoch + 1, params)
                    live.copied.append((epoch, source))
                    requests.append(Request(number, live.configuration, until, source))
                case Pause():
                    pass
                case Stop(reason=reason):
                    self._stop(live, f"stopped: {reason}" if reason.startswith(_OUR_WORDS) else reason)
                case _:
                    raise TypeError(f"{type(self._scheduler).__name__} decided {decision!r}, which is not a decision")
        return requests

    def _advance(self, requests: Sequence[Request]) -> dict[int, Outcome]:
        ended: dict[int, Outcome] = {}
        # Evaluators that are never cut short need not know of deadlines.
        limit: dict[str, Any] = {}
        if self._deadline is not None:
            limit = {"deadline": self._deadline, "until_one": not self._has_result}
        for outcome in self._evaluator.advance(requests, **limit):
            self._steering.check()
            for job in outcome.jobs:
                self._observer.trained(job.expected, job.seconds, job.processor_seconds)
            live = self._live[outcome.number]
            live.last = outcome
            for value in outcome.objective(self._evaluator.objective_key):
                live.values.append(value)
                self._report(live, value, len(live.values))
            if outcome.ended is None:
                self._recorder.log_segment(live, outcome)
                self._observer.trial_advanced(live.number, len(live.values), live.values[-1])
            else:
                ended[outcome.number] = outcome
                self._end(live, outcome)
        return ended

    def _end(self, live: LiveTrial, outcome: Outcome) -> None:
        """Commit and show a trial that has ended by itself; it is told to the study later, in trial order."""
        value, reason = outcome.value, outcome.reason
        if outcome.ended == "finished":
            state = "complete"
        elif outcome.ended == "behind":
            state = "pruned"
            if outcome.estimate is not None:  # the last report is what a sampler takes for its value
                self._report(live, outcome.estimate, len(live.values) + 1)
        elif outcome.ended == "diverged":
            state, value = "pruned", live.values[-1] if live.values else None
            self._report(live, self._worst, len(live.values) + 1)
        else:
            state, value = "failed", None
        self._close(live, live.record(state, value, reason=reason), outcome)

    def _report(self, live: LiveTrial, value: float, step: int) -> None:
        """Report to the study; Optuna has no values by epoch of several objectives, since nothing is pruned there."""
        if self._costs is None:
            live.trial.report(value, step)

    def _stop(self, live: LiveTrial, reason: str) -> None:
        value = live.values[-1] if live.values else None
        self._close(live, live.record("pruned", value, reason=reason), None)
        self._study.tell(live.trial, state=TrialState.PRUNED)
        del self._live[live.number]

    def _close(self, live: LiveTrial, record: TrialRecord, outcome: Outcome | None) -> None:
        self._evaluator.forget(live.number)
        self.trials[live.number] = record
        self.seconds[live.number] = time.monotonic() - self._began
        self._ended_in[live.number] = self._batch
        self._recorder.commit(live, record, outcome)
        self._observer.trial_finished(replace(record, rebuild={CURVE: list(live.values)}))

    def _tell(self, live: LiveTrial, outcome: Outcome) -> None:
        states = {"finished": TrialState.COMPLETE, "failed": TrialState.FAIL}
        value = outcome.value if outcome.ended == "finished" else None
        state = states.get(str(outcome.ended), TrialState.PRUNED)
        if value is not None and math.isnan(value):  # a metric that is not defined: Optuna takes no such value
            value, state = None, TrialState.FAIL
        if value is None or self._costs is None:
            self._study.tell(live.trial, value, state=state)
        else:
            self._study.tell(live.trial, [value, *self._costs(live.params)], state=state)
