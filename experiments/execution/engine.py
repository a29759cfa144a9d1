"""The engine as evaluator: trials become networks, networks become stacks, stacks become jobs.

How networks are stacked, cut into segments of epochs and spread over workers decides only the speed, never a number: a network's
curve depends on its configuration, its seed and the data alone.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, replace

from ...core.cost import OPERATIONS_A_SECOND, epoch_cost
from ...core.hyperparameters import Hyperparameters
from ...core.metrics import sent, unit_of
from ...core.structure import Structure
from ...core.training import Fold, Network, State
from ...core.workspace import outputs
from ..errors import ExecutorLost
from . import faults, interruption
from .evaluation import Outcome, Request, Returned
from .jobs import Job, run_job
from .shared import Shared
from .stacks import Stack, segment_end, stacks
from .trial import Trial
from .workers import Workers

# How often a network is tried whose worker died; after that its trial has failed.
MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Task:
    """What is trained, apart from the configurations: the data in the engine's arrays and how it is scored.

    `scale` turns the engine's standardised errors into the target's own units (1 for classification and for scale-free
    metrics); it has one entry per fold. The last inputs are codes of categories, of which each has so many
    `levels`, the `n_plain` before them zeros and ones.
    """

    folds: tuple[Fold, ...]
    fingerprint: str
    loss: str
    n_outputs: int
    seeds: tuple[int, ...]
    order_seed: int
    objective: str
    metrics: tuple[str, ...] = ()
    scale: tuple[float, ...] = (1.0,)
    n_plain: int = 0
    levels: tuple[int, ...] = ()


@dataclass
class _InFlight:
    """A stack whose job is with the executor: the seconds it may take, and since when it has been seen to run."""

    stack: Stack
    seconds: float | None
    since: float | None = None
    killed: bool = False


class EngineEvaluator:
    """Evaluates trials with the NumPy engine, in whatever executor it is given.

    Args:
        task: The data and how it is scored.
        executor: Runs the jobs.
        workers: How many jobs it runs at once; as many as it has workers, where it says so, if not given.
        trial_timeout: How many seconds a trial may train, which is its share of the time of its jobs; a trial that takes longer
            fails. A job that takes longer than one of its trials has left is killed where the executor can do that, and is
            handled as a crash.
    """

    def __init__(
        self, task: Task, executor: Executor, workers: int | None = None, trial_timeout: float | None = None
    ) -> None:
        self._task = task
        self._folds = Shared(task.fingerprint, task.folds)
        self._executor = executor
        self._workers = workers or (len(executor) if isinstance(executor, Sized) else 1)
        self._trial_timeout = trial_timeout
        self._trials: dict[int, Trial] = {}
        self._returned: list[Returned] = []

    @property
    def objective_key(self) -> str:
        return self._task.objective

    def forget(self, number: int) -> None:
        self._trials.pop(number, None)

    def networks(self, number: int) -> list[tuple[Structure, Network, State]]:
        """The networks of a trial that has not been forgotten, as they stand: fold by fold, and within a fold seed by seed."""
        trial = self._trials[number]
        return [
            (s, n, state) for s, n, state in zip(trial.structures, trial.networks, trial.states, strict=True) if state
        ]

    def advance(
        self, requests: Sequence[Request], deadline: float | None = None, *, until_one: bool = False
    ) -> Iterator[Outcome]:
        until = {request.number: request.until for request in requests}
        before = dict(self._trials)
        for request in requests:
            if request.number not in self._trials or request.source is not None:
                try:
                    self._trials[request.number] = self._begin(request, before)
                except ValueError as error:
                    # Values that are valid one by one may contradict each other.
                    del until[request.number]
                    yield Outcome(request.number, 1, ended="failed", reason=f"impossible configuration: {error}")
                    continue
            trial = self._trials[request.number]
            trial.active = len(trial.networks) if request.networks is None else request.networks
        in_flight: dict[Future, _InFlight] = {}
        over: set[int] = set()
        for stack in stacks(self._trials, until, self._workers):
            self._submit(stack, in_flight)
        while in_flight:
            done, _ = wait(in_flight, timeout=interruption.CHECK_SECONDS, return_when=FIRST_COMPLETED)
            interruption.check()
            self._kill_overdue(in_flight)
            touched: dict[int, None] = {}
            again: list[Stack] = []
            for future in done:
                job = in_flight.pop(future)
                again += self._absorb(job, future)
                touched.update(dict.fromkeys(number for number, _ in job.stack.members if number not in over))
            is_late = deadline is not None and time.monotonic() > deadline
            is_over = is_late and (not until_one or any(map(self._has_result, until)))
            if not is_over:
                for stack in again:
                    self._submit(stack, in_flight)
            for number in touched:
                outcome = self._trials[number].outcome(self._task.objective)
                if outcome is not None:
                    if outcome.ended:
                        over.add(number)
                    # What has finished may be forgotten from here on, and there is one result now.
                    until_one = until_one and outcome.ended != "finished"
                    jobs, self._returned = tuple(self._returned), []
                    yield replace(outcome, jobs=jobs)
            if is_over:
                for future in in_flight:
                    future.cancel()
                return

    def conclude(self, number: int) -> Outcome | None:
        """See `Evaluator.conclude`."""
        if not self._can_conclude(number):
            return None
        trial = self._trials[number]
        for i, (network, state) in enumerate(zip(trial.networks, trial.states, strict=True)):
            X = self._task.folds[network.fold].X_val
            if not trial.is_partial and trial.predictions[i] is None and state and X is not None and len(X):
                trial.predictions[i] = outputs(trial.structures[i], state.best_theta, state.best_buffers, X)[0]
        return trial.finish(self._task.objective)

    def _has_result(self, number: int) -> bool:
        """Whether a trial would be finished if it was concluded now."""
        return self._can_conclude(number) and not self._trials[number].is_partial

    def _can_conclude(self, number: int) -> bool:
        """Whether each network of a trial that is to train has trained an epoch, and none has diverged."""
        trial = self._trials.get(number)
        if trial is None or trial.fault is not None:
            return False
        return all(trial.epoch(i) > 0 and not trial.diverged(i) for i in range(trial.active))

    def _begin(self, request: Request, before: Mapping[int, Trial]) -> Trial:
        """A new trial, or one that takes over the networks of its source.

        A source that is not known here, since it was committed before a crash and is only replayed, is trained again.
        """
        hyperparameters = Hyperparameters.from_config(dict(request.configuration))
        networks = tuple(
            Network(hyperparameters, seed=seed, fold=fold)
            for fold in range(len(self._task.folds))
            for seed in self._task.seeds
        )
        structures = tuple(self._structure(network) for network in networks)
        trial = Trial(request.number, networks, structures)
        if request.source is not None:
            earlier = before[request.number]
            trial.reported_epochs = earlier.reported_epochs
            trial.seconds, trial.reruns = earlier.seconds, earlier.reruns
            if request.source in before:
                trial.take_over(before[request.source])
        return trial

    def _structure(self, network: Network) -> Structure:
        n_rows, n_inputs = self._task.folds[network.fold].X.shape
        return Structure.of(
            network.hyperparameters,
            n_inputs=n_inputs,
            n_outputs=self._task.n_outputs,
            n_rows=n_rows,
            loss=self._task.loss,
            n_plain=self._task.n_plain,
            levels=self._task.levels,
        )

    def _submit(self, stack: Stack, in_flight: dict[Future, _InFlight]) -> None:
        # A trial that has failed or diverged is forgotten while networks of it may still be on their way.
        members = tuple(member for member in stack.members if member[0] in self._trials)
        if members:
            stack = Stack(members, stack.until)
            job = self._job(stack)
            in_flight[self._executor.submit(run_job, job, self._folds)] = _InFlight(stack, job.seconds)

    def _kill_overdue(self, in_flight: dict[Future, _InFlight]) -> None:
        """Kill the jobs that hang or are too slow; in an executor that is not ours a job watches itself."""
        if self._trial_timeout is None or not isinstance(self._executor, Workers):
            return
        now = time.monotonic()
        for future, job in in_flight.items():
            if job.since is None:
                job.since = now if future.running() else None
            elif job.seconds is not None and now - job.since > job.seconds and not future.done():
                job.killed = True
                self._executor.kill(future)

    def _job(self, stack: Stack) -> Job:
        trials = [(self._trials[number], i) for number, i in stack.members]
        first, i = trials[0]
        epoch = first.epoch(i)
        states = [trial.states[i] for trial, i in trials]
        return Job(
            structure=first.structures[i],
            networks=tuple(trial.networks[i] for trial, i in trials),
            state=None if epoch == 0 else State.concatenate([state for state in states if state is not None]),
            until=segment_end(first.structures[i], len(trials), epoch, stack.until),
            order_seed=self._task.order_seed,
            metrics=tuple(map(sent, self._task.metrics)),
            seconds=self._seconds_left(trial for trial, _ in trials),
        )

    def _seconds_left(self, trials: Iterable[Trial]) -> float | None:
        """The time of the trial that has least; at least one look at the clock, so that a trial with just enough is not killed."""
        if self._trial_timeout is None:
            return None
        return max(self._trial_timeout - max(trial.seconds for trial in trials), interruption.CHECK_SECONDS)

    def _absorb(self, job: _InFlight, future: Future) -> list[Stack]:
        """Add what a job returned to its trials; return the stacks that have to train on, or again."""
        stack, error = job.stack, future.exception()
        if isinstance(error, ExecutorLost):
            raise error
        if error is not None:
            return self._after_fault(stack, self._too_long() if job.killed else faults.reason(error))
        trained = future.result()
        state, curves = trained.state, trained.curves
        unfinished, operations = [], 0.0
        for k, (number, i) in enumerate(stack.members):
            if number not in self._trials:
                continue
            trial = self._trials[number]
            new = int(state.epoch[k]) - trial.epoch(i)
            operations += new * epoch_cost(trial.structures[i])
            trial.states[i] = state.take([k])
            trial.predictions[i] = trained.predictions[k]
            trial.keep(i, trained.crossfit[k])
            trial.attempts[i] = 0
            trial.seconds += trained.seconds / len(stack.members)
            for key, values in curves.values.items():
                scaled = values[k, :new] * self._scale(key, trial.networks[i].fold)
                trial.curves[i].setdefault(key, []).extend(scaled.tolist())
            if trial.ended(i) or trial.epoch(i) == stack.until or trial.fault is not None:
                continue
            if self._trial_timeout is not None and trial.seconds > self._trial_timeout:
                trial.fault = self._too_long()
            else:
                unfinished.append((number, i))
        self._returned.append(Returned(operations / OPERATIONS_A_SECOND, trained.seconds, trained.processor_seconds))
        return [Stack(tuple(unfinished), stack.until)] if unfinished else []

    def _scale(self, key: str, fold: int) -> float:
        return self._task.scale[fold] if unit_of(key) == "target" else 1.0

    def _too_long(self) -> str:
        return f"took longer than trial_timeout, {self._trial_timeout:g} s"

    def _after_fault(self, stack: Stack, reason: str) -> list[Stack]:
        """Run a stack that crashed again in halves, so that only the configuration at fault fails, after three tries alone."""
        for number in {number for number, _ in stack.members if number in self._trials}:
            self._trials[number].reruns += 1
        if len(stack.members) > 1:
            return stack.halves()
        [(number, i)] = stack.members
        if number not in self._trials:
            return []
        trial = self._trials[number]
        trial.attempts[i] += 1
        if trial.attempts[i] < MAX_ATTEMPTS:
            return [stack]
        trial.fault = f"{reason} ({MAX_ATTEMPTS} tries)"
        return []
