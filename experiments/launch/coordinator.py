"""The one loop that runs a search: ask a batch, train to the next rung, decide, tell in trial order, ask again.

Trials that a scheduler pauses stay live over the batches to come, until it lets them train on or the search ends.

The loop knows neither MLflow nor the engine: evaluator, recorder and observer are handed to it, so a benchmark on a table of
published results measures the very loop that users run. What it proposes depends on the seed and on earlier batches alone, never
on which worker was quicker (principle: search is a function of history).
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import optuna
from optuna.trial import TrialState

from ...search.schedulers.decisions import Continue, Copy, Decision, Pause, Progress, Scheduler, Stop
from ...search.spaces.changes import with_change
from ...search.spaces.layers import configuration
from ...search.spaces.space import Space
from ..execution.evaluation import Evaluator, Outcome, Request
from ..progress import Observer, TrialSummary


@dataclass(frozen=True)
class Plan:
    """How much is searched: `total` trials in batches of `batch`, each up to `max_epochs`; `timeout` in seconds, or None."""

    total: int
    batch: int
    max_epochs: int
    timeout: float | None = None


@dataclass
class Running:
    """A trial between its ask, at `started`, and its tell. `values` is the objective by epoch.

    `configuration` is what it trains with: its `params` and the fixed hyperparameters, or, once it has taken over another
    trial's network, that trial's configuration with the changes made since. `copied` is (epoch, trial) of each such time.
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

    def summary(self, state: str, value: float | None, *, reason: str | None = None) -> TrialSummary:
        return TrialSummary(
            number=self.number,
            state=state,
            value=value,
            params=self.params,
            epochs=len(self.values),
            reason=reason,
            spread=self.last.spread if self.last else None,
            configuration=self.configuration if self.copied else None,
            copied=tuple(self.copied),
        )


class Recorder(Protocol):
    """Where trials are written. The base of no-ops serves benchmarks, which keep nothing."""

    def stretch(self, running: Running, outcome: Outcome) -> None:
        """A trial has trained some epochs and goes on."""

    def commit(self, running: Running, summary: TrialSummary, outcome: Outcome | None) -> None:
        """A trial has ended; `outcome` is its last stretch where that is not written yet, None where a scheduler stopped it."""


class Coordinator:
    """Runs `plan` on `study`, whose sampler proposes and whose `scheduler` decides at rungs."""

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
    ) -> None:
        self._study = study
        self._space = space
        self._scheduler = scheduler
        self._evaluator = evaluator
        self._fixed = fixed
        self._recorder = recorder
        self._observer = observer
        self._live: dict[int, Running] = {}
        self._worst = -math.inf if study.direction == optuna.study.StudyDirection.MAXIMIZE else math.inf
        self.trials: dict[int, TrialSummary] = {}
        self.kept_epochs: dict[int, tuple[int, ...]] = {}

    def run(self, plan: Plan) -> None:
        """Run until `plan.total` trials are told or `plan.timeout` is over; the timeout acts between batches."""
        began = time.monotonic()
        asked = 0
        while asked < plan.total:
            if plan.timeout is not None and asked and time.monotonic() - began > plan.timeout:
                self._observer.message(f"timeout of {plan.timeout:g} s reached after {asked} of {plan.total} trials")
                break
            size = self._scheduler.batch(asked) or plan.batch
            for _ in range(min(size, plan.total - asked)):
                running = self._ask()
                self._live[running.number] = running
                asked += 1
            self._train(self._scheduler.decide)
        self._train(self._scheduler.finish)
        for running in list(self._live.values()):
            self._stop(running, f"paused at epoch {len(running.values)}, below the cut-off")

    def best(self) -> TrialSummary | None:
        """The complete trial with the best value; among equals the first."""
        complete = [trial for trial in self.trials.values() if trial.state == "complete" and trial.value is not None]
        sign = -1 if self._worst < 0 else 1
        return min(complete, key=lambda trial: (sign * (trial.value or 0.0), trial.number), default=None)

    def _ask(self) -> Running:
        trial = self._study.ask()
        params = self._space.suggest(trial)
        return Running(trial, params, configuration(params, self._fixed))

    def _train(self, decide: Callable[[Sequence[Progress]], list[Decision]]) -> None:
        """From rung to rung, until nobody trains on: all that live are paused."""
        while self._live:
            requests = self._requests(decide)
            if not requests:
                return
            ended = self._advance(requests)
            # In trial order, whatever order they returned in: what a sampler or a pruner sees must not depend on speed.
            for number in sorted(ended):
                self._tell(self._live.pop(number), ended[number])

    def _requests(self, decide: Callable[[Sequence[Progress]], list[Decision]]) -> list[Request]:
        """Carry out what the scheduler decides for all that live; the answer is who trains on."""
        live = dict(self._live)
        progress = [Progress(r.number, r.trial, len(r.values), tuple(r.values), r.configuration) for r in live.values()]
        decisions = decide(progress)
        # Copies are taken of everybody as they stand now, also of those that are themselves about to change.
        standing = {number: running.configuration for number, running in live.items()}
        requests = []
        for running, decision in zip(live.values(), decisions, strict=True):
            number = running.number
            match decision:
                case Continue(until=until):
                    requests.append(Request(number, running.configuration, until))
                case Copy(source=source, params=params, until=until):
                    epoch = len(running.values)
                    if source not in live or len(live[source].values) != epoch:
                        raise ValueError(f"trial {number} cannot copy trial {source}, which is not at epoch {epoch}")
                    running.configuration = with_change(standing[source], epoch + 1, params)
                    running.copied.append((epoch, source))
                    requests.append(Request(number, running.configuration, until, source))
                case Pause():
                    pass
                case Stop(reason=reason):
                    self._stop(running, reason)
                case _:
                    raise TypeError(f"{type(self._scheduler).__name__} decided {decision!r}, which is no decision")
        return requests

    def _advance(self, requests: Sequence[Request]) -> dict[int, Outcome]:
        ended: dict[int, Outcome] = {}
        for outcome in self._evaluator.advance(requests):
            running = self._live[outcome.number]
            running.last = outcome
            for value in outcome.curves.get(self._evaluator.objective_key, ()):
                running.values.append(value)
                running.trial.report(value, len(running.values))
            if outcome.ended is None:
                self._recorder.stretch(running, outcome)
                self._observer.trial_advanced(running.number, len(running.values), running.values[-1])
            else:
                ended[outcome.number] = outcome
                self._end(running, outcome)
        return ended

    def _end(self, running: Running, outcome: Outcome) -> None:
        """Commit and show a trial that has ended by itself; it is told to the study later, in its turn."""
        value, reason = outcome.value, outcome.reason
        if outcome.ended == "finished":
            state = "complete"
            self.kept_epochs[running.number] = outcome.kept_epochs
        elif outcome.ended == "diverged":
            state, value = "pruned", running.values[-1] if running.values else None
            running.trial.report(self._worst, len(running.values) + 1)
        else:
            state, value = "failed", None
        self._close(running, running.summary(state, value, reason=reason), outcome)

    def _stop(self, running: Running, reason: str) -> None:
        value = running.values[-1] if running.values else None
        self._close(running, running.summary("pruned", value, reason=reason), None)
        self._study.tell(running.trial, state=TrialState.PRUNED)
        del self._live[running.number]

    def _close(self, running: Running, summary: TrialSummary, outcome: Outcome | None) -> None:
        self._evaluator.forget(running.number)
        self.trials[running.number] = summary
        self._recorder.commit(running, summary, outcome)
        self._observer.trial_finished(summary)

    def _tell(self, running: Running, outcome: Outcome) -> None:
        states = {"finished": TrialState.COMPLETE, "diverged": TrialState.PRUNED, "failed": TrialState.FAIL}
        value = outcome.value if outcome.ended == "finished" else None
        self._study.tell(running.trial, value, state=states[str(outcome.ended)])
