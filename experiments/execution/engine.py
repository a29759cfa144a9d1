"""The engine as evaluator: trials become networks, networks of one structure become stacks, stacks become jobs.

How networks are grouped, cut into stretches and spread over workers decides only the speed, never a number: a network's curve
depends on its configuration, its seed and the data alone.
"""

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass

import numpy as np

from ...core.cost import networks_per_job, operations
from ...core.hyperparameters import Hyperparameters
from ...core.metrics import unit_of
from ...core.structure import Structure
from ...core.training import Fold, Network, State
from ..errors import ExecutorLost
from . import faults, interruption
from .evaluation import Outcome, Request
from .jobs import Job, run_job
from .shared import Shared
from .trials import _Trial
from .workers import Workers

MAX_STACK = 64


# Multiply-adds after which a job returns, so that a person sees something every second or two.
STRETCH_OPERATIONS = 20e9


# A network whose worker died is tried this often; then it is the culprit, and its trial has failed.
MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Task:
    """What is trained, apart from the configurations: the data in the engine's arrays and how it is scored.

    `scale` turns the engine's standardised errors into the target's own units (1 for classification and for scale-free
    metrics); it has one entry a fold.
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


@dataclass(frozen=True)
class _Stack:
    """Networks (trial number, index) that train together until an epoch."""

    members: tuple[tuple[int, int], ...]
    until: int


@dataclass
class _Sent:
    """A stack whose job is with the executor: the seconds it may take, and since when it has been seen to run."""

    stack: _Stack
    seconds: float | None
    since: float | None = None
    killed: bool = False


class EngineEvaluator:
    """Evaluates trials with the NumPy engine, in whatever executor it is given.

    `trial_timeout` is how many seconds a trial may train: its share of the time of the jobs that it was in. Who exceeds it has
    failed. A job that takes longer than one of its trials has left is ended, if the executor can, and goes the way of a crash.
    """

    def __init__(self, task: Task, executor: Executor, workers: int = 1, trial_timeout: float | None = None) -> None:
        self._task = task
        self._folds = Shared(task.fingerprint, task.folds)
        self._executor = executor
        self._workers = workers
        self._trial_timeout = trial_timeout
        self._trials: dict[int, _Trial] = {}

    @property
    def objective_key(self) -> str:
        return self._task.objective

    @property
    def seeds(self) -> tuple[int, ...]:
        return self._task.seeds

    def forget(self, number: int) -> None:
        self._trials.pop(number, None)

    def networks(self, number: int) -> list[tuple[Structure, Network, State]]:
        """The trained networks of a trial that has not been forgotten: fold by fold, and within a fold seed by seed."""
        trial = self._trials[number]
        return [
            (s, n, state) for s, n, state in zip(trial.structures, trial.networks, trial.states, strict=True) if state
        ]

    def advance(self, requests: Sequence[Request]) -> Iterator[Outcome]:
        until = {request.number: request.until for request in requests}
        before = dict(self._trials)
        for request in requests:
            if request.number not in self._trials or request.source is not None:
                try:
                    self._trials[request.number] = self._enter(request, before)
                except ValueError as error:
                    # Values that are possible one by one may contradict each other.
                    del until[request.number]
                    yield Outcome(request.number, 1, ended="failed", reason=f"impossible configuration: {error}")
        running: dict[Future, _Sent] = {}
        over: set[int] = set()
        for stack in self._stacks(until):
            self._submit(stack, running)
        while running:
            done, _ = wait(running, timeout=interruption.CHECK_SECONDS, return_when=FIRST_COMPLETED)
            interruption.check()
            self._end_overdue(running)
            touched: dict[int, None] = {}
            for future in done:
                sent = running.pop(future)
                for again in self._absorb(sent, future):
                    self._submit(again, running)
                touched.update(dict.fromkeys(number for number, _ in sent.stack.members if number not in over))
            for number in touched:
                outcome = self._trials[number].outcome(self._task.objective)
                if outcome is not None:
                    if outcome.ended:
                        over.add(number)
                    yield outcome

    def _enter(self, request: Request, before: Mapping[int, _Trial]) -> _Trial:
        """A trial as it begins, or as it takes over the networks of its source.

        A source that is not known here (it was committed before a crash, so that its record plays its part) is trained again.
        """
        hyperparameters = Hyperparameters.from_config(dict(request.configuration))
        networks = tuple(
            Network(hyperparameters, seed=seed, fold=fold)
            for fold in range(len(self._task.folds))
            for seed in self._task.seeds
        )
        structures = tuple(self._structure(network) for network in networks)
        trial = _Trial(request.number, networks, structures)
        if request.source is not None:
            earlier = before[request.number]
            trial.told, trial.seconds, trial.reruns = earlier.told, earlier.seconds, earlier.reruns
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
        )

    def _stacks(self, until: dict[int, int]) -> list[_Stack]:
        """Group the networks that still train by structure and epoch; the costliest stacks come first."""
        groups: dict[tuple[Structure, int, int], list[tuple[int, int]]] = {}
        for number, end in until.items():
            trial = self._trials[number]
            for i, network_structure in enumerate(trial.structures):
                if not trial.ended(i) and trial.epoch(i) < end:
                    groups.setdefault((network_structure, trial.epoch(i), end), []).append((number, i))
        cost = {key: len(members) * operations(key[0]) * (key[2] - key[1]) for key, members in groups.items()}
        # Enough jobs that no worker idles at the end while another still trains a big stack.
        share = sum(cost.values()) / (2 * self._workers) if self._workers > 1 else math.inf
        stacks: list[tuple[float, _Stack]] = []
        for key, members in groups.items():
            most = min(MAX_STACK, networks_per_job(key[0]))
            parts = max(math.ceil(len(members) / most), min(math.ceil(cost[key] / share), math.ceil(len(members) / 4)))
            for part in np.array_split(np.arange(len(members)), parts):
                stack = _Stack(tuple(members[i] for i in part), key[2])
                stacks.append((cost[key] * len(part) / len(members), stack))
        return [stack for _, stack in sorted(stacks, key=lambda pair: -pair[0])]

    def _submit(self, stack: _Stack, running: dict[Future, _Sent]) -> None:
        # A trial that has failed or diverged is forgotten while networks of it may still be on their way.
        members = tuple(member for member in stack.members if member[0] in self._trials)
        if members:
            stack = _Stack(members, stack.until)
            job = self._job(stack)
            running[self._executor.submit(run_job, job, self._folds)] = _Sent(stack, job.seconds)

    def _end_overdue(self, running: dict[Future, _Sent]) -> None:
        """End the jobs that hang or are too slow. (Where others run the processes, the job watches itself.)"""
        if self._trial_timeout is None or not isinstance(self._executor, Workers):
            return
        now = time.monotonic()
        for future, sent in running.items():
            if sent.since is None:
                sent.since = now if future.running() else None
            elif sent.seconds is not None and now - sent.since > sent.seconds and not future.done():
                sent.killed = True
                self._executor.kill(future)

    def _job(self, stack: _Stack) -> Job:
        trials = [(self._trials[number], i) for number, i in stack.members]
        first, i = trials[0]
        epoch = first.epoch(i)
        stretch = max(1, round(STRETCH_OPERATIONS / (operations(first.structures[i]) * len(trials))))
        states = [trial.states[i] for trial, i in trials]
        return Job(
            structure=first.structures[i],
            networks=tuple(trial.networks[i] for trial, i in trials),
            state=None if epoch == 0 else State.concatenate([state for state in states if state is not None]),
            until=min(stack.until, epoch + stretch),
            order_seed=self._task.order_seed,
            metrics=self._task.metrics,
            seconds=self._seconds_left(trial for trial, _ in trials),
        )

    def _seconds_left(self, trials: Iterable[_Trial]) -> float | None:
        """What the trial with the least time left has; at least a tick, so that one that has just enough is not ended at once."""
        if self._trial_timeout is None:
            return None
        return max(self._trial_timeout - max(trial.seconds for trial in trials), interruption.CHECK_SECONDS)

    def _absorb(self, sent: _Sent, future: Future) -> list[_Stack]:
        """Take in what a job returned; the answer is the stacks that have to train on, or again."""
        stack, error = sent.stack, future.exception()
        if isinstance(error, ExecutorLost):
            raise error
        if error is not None:
            return self._after_fault(stack, self._too_long() if sent.killed else faults.reason(error))
        trained = future.result()
        state, curves = trained.state, trained.curves
        unfinished = []
        for k, (number, i) in enumerate(stack.members):
            if number not in self._trials:
                continue
            trial = self._trials[number]
            new = int(state.epoch[k]) - trial.epoch(i)
            trial.states[i] = state.take([k])
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
        return [_Stack(tuple(unfinished), stack.until)] if unfinished else []

    def _scale(self, key: str, fold: int) -> float:
        return self._task.scale[fold] if unit_of(key) == "target" else 1.0

    def _too_long(self) -> str:
        return f"took longer than trial_timeout, {self._trial_timeout:g} s"

    def _after_fault(self, stack: _Stack, reason: str) -> list[_Stack]:
        """Run a stack that crashed again in halves, so that only the guilty configuration fails, after three tries alone."""
        for number in {number for number, _ in stack.members if number in self._trials}:
            self._trials[number].reruns += 1
        if len(stack.members) > 1:
            middle = len(stack.members) // 2
            return [_Stack(half, stack.until) for half in (stack.members[:middle], stack.members[middle:])]
        [(number, i)] = stack.members
        if number not in self._trials:
            return []
        trial = self._trials[number]
        trial.attempts[i] += 1
        if trial.attempts[i] < MAX_ATTEMPTS:
            return [stack]
        trial.fault = f"{reason} ({MAX_ATTEMPTS} tries)"
        return []
