"""The engine as evaluator: how networks are stacked, cut and spread never changes a number, and a fault costs one trial."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from threading import Timer

import numpy as np
import pytest

from mlptune.core.cost import OPERATIONS_A_SECOND, epoch_cost
from mlptune.core.training import Fold
from mlptune.experiments.execution import engine, stacks
from mlptune.experiments.execution.engine import EngineEvaluator, Task
from mlptune.experiments.execution.evaluation import Outcome, Request
from mlptune.experiments.execution.workers import Inline, Workers
from tests.support.tasks import iris_task

EPOCHS = 8


CONFIGURATIONS = [
    {"hidden": [8], "learning_rate": 0.01, "epochs": EPOCHS, "early_stopping": 2, "batch_size": 16},
    {"hidden": [8], "learning_rate": 0.03, "dropout": 0.3, "epochs": EPOCHS, "batch_size": 16},
    {"hidden": [4, 4], "learning_rate": 0.02, "epochs": EPOCHS, "batch_size": 16},
    {"hidden": [8], "optimizer": "sgd", "learning_rate": 1e30, "epochs": EPOCHS, "batch_size": 16},
]


def run(evaluator: EngineEvaluator, numbers: list[int], rungs: tuple[int, ...] = (EPOCHS,)) -> dict[int, list]:
    """Train these configurations from rung to rung; for each trial all that was reported of it, joined."""
    reported: dict[int, list] = {number: [{}, None, None, ()] for number in numbers}
    live = list(numbers)
    for until in rungs:
        ended = set()
        for outcome in evaluator.advance([Request(n, CONFIGURATIONS[n], until) for n in live]):
            entry = reported[outcome.number]
            for key, values in outcome.curves.items():
                assert len(entry[0].get(key, [])) == outcome.first_epoch - 1
                entry[0].setdefault(key, []).extend(values)
            if outcome.ended:
                entry[1:] = [outcome.ended, outcome.value, outcome.best_epochs]
                ended.add(outcome.number)
        live = [number for number in live if number not in ended]
    assert not live
    return reported


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    with Workers(2) as workers:
        yield workers


def test_stacked_cut_and_spread_the_numbers_are_the_same(two: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = iris_task(seeds=(0, 1), folds=2)
    together = run(EngineEvaluator(problem, Inline()), [0, 1, 2, 3])
    alone = {number: run(EngineEvaluator(problem, Inline()), [number])[number] for number in range(4)}
    assert together == alone
    assert run(EngineEvaluator(problem, Inline()), [3, 1, 0, 2], rungs=(1, 3, EPOCHS)) == alone
    monkeypatch.setattr(stacks, "SEGMENT_OPERATIONS", 1)  # back after every epoch
    monkeypatch.setattr(stacks, "MAX_STACK", 2)
    assert run(EngineEvaluator(problem, Inline()), [0, 1, 2, 3]) == alone
    assert run(EngineEvaluator(problem, two, 2), [2, 0, 3, 1], rungs=(2, EPOCHS)) == alone


def test_late_it_ends_at_once_or_as_soon_as_one_trial_has_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "SEGMENT_OPERATIONS", 1)  # back after every epoch
    requests = [Request(n, CONFIGURATIONS[n], EPOCHS) for n in (1, 2)]
    with Workers(1) as workers:
        for until_one in (False, True):
            evaluator = EngineEvaluator(iris_task(folds=2), workers)
            found = list(evaluator.advance(requests, time.monotonic() - 1, until_one=until_one))
            assert all(outcome.ended is None for outcome in found), "no trial has come to its end"
            concluded = [evaluator.conclude(request.number) for request in requests]
            # The first jobs may be back before the time is looked at; none follows them unless one trial is waited for.
            assert any(concluded) if until_one else all(outcome.last_epoch <= 1 for outcome in found)


def test_divergence_is_reported_as_the_last_finite_epoch_and_a_reason() -> None:
    [(curves, ended, value, _)] = run(EngineEvaluator(iris_task(), Inline()), [3]).values()
    assert (ended, value) == ("diverged", None)
    assert all(np.isfinite(values).all() for values in curves.values())


class _Crash(Executor):
    """Workers, in which something else happens than training where the guilty configuration is."""

    def __init__(self, workers: Executor, guilty: float, crash, *args) -> None:
        self.workers, self.guilty, self.crash = workers, guilty, (crash, *args)

    def submit(self, fn, job, folds) -> Future:
        if any(network.hyperparameters.learning_rate == self.guilty for network in job.networks):
            return self.workers.submit(*self.crash)
        return self.workers.submit(fn, job, folds)


@pytest.mark.parametrize(
    ("crash", "reason"),
    [
        ((os._exit, 3), "its worker process died (EXIT 3) (3 tries)"),
        (
            (signal.raise_signal, signal.SIGKILL),
            "its worker process died (SIGKILL -9), as when memory runs out (3 tries)",
        ),
        ((np.ones, 2**58), "its memory ran out: Unable to allocate 2.00 EiB"),
    ],
)
def test_a_stack_that_cannot_be_trained_costs_only_the_guilty_trial(two: Workers, crash: tuple, reason: str) -> None:
    evaluator = EngineEvaluator(iris_task(), _Crash(two, 0.03, *crash), 2)
    outcomes: dict[int, Outcome] = {}
    for outcome in evaluator.advance([Request(n, CONFIGURATIONS[n], EPOCHS) for n in (0, 1, 2)]):
        if outcome.ended:
            outcomes[outcome.number] = outcome
            evaluator.forget(outcome.number)
    assert {n: o.ended for n, o in outcomes.items()} == {0: "finished", 1: "failed", 2: "finished"}
    assert reason in str(outcomes[1].reason)
    assert outcomes[1].reruns >= 3
    assert outcomes[2].reruns == 0
    undisturbed = run(EngineEvaluator(iris_task(), Inline()), [0, 2])
    assert {n: outcomes[n].value for n in (0, 2)} == {n: undisturbed[n][2] for n in (0, 2)}


class _Hang(Workers):
    """Workers, one of whose processes is stopped by the system whenever it gets the guilty configuration."""

    def submit(self, fn, job, folds) -> Future:
        if any(network.hyperparameters.learning_rate == 0.02 for network in job.networks):
            return super().submit(signal.raise_signal, signal.SIGSTOP)
        return super().submit(fn, job, folds)


def test_a_job_that_hangs_is_ended_and_its_trial_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_ATTEMPTS", 2)
    with _Hang(1) as workers:
        evaluator = EngineEvaluator(iris_task(), workers, 1, trial_timeout=1.0)
        outcomes = {o.number: o for o in evaluator.advance([Request(n, CONFIGURATIONS[n], 2) for n in (0, 2)])}
    assert outcomes[0].ended is None
    assert outcomes[0].last_epoch == 2
    assert outcomes[2].reason == "took longer than trial_timeout, 1 s (2 tries)"


def test_a_trial_that_is_too_slow_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "SEGMENT_OPERATIONS", 1)  # back after every epoch
    evaluator = EngineEvaluator(iris_task(), Inline(), trial_timeout=1e-9)
    outcomes = list(evaluator.advance([Request(n, CONFIGURATIONS[n], EPOCHS) for n in (0, 2)]))
    assert {o.number: o.ended for o in outcomes} == {0: "failed", 2: "failed"}
    assert {o.reason for o in outcomes} == {"took longer than trial_timeout, 1e-09 s"}


class _Late(Executor):
    """The first fold fails at once; the second comes back when its trial has been given up."""

    def submit(self, fn, job, folds) -> Future:
        future: Future = Future()
        if job.networks[0].fold == 0:
            future.set_exception(RuntimeError("broken"))
        else:
            Timer(0.5, lambda: future.set_result(fn(job, folds))).start()
        return future


def test_a_late_result_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "MAX_STACK", 1)
    evaluator = EngineEvaluator(iris_task(folds=2), _Late())
    ends = []
    for outcome in evaluator.advance([Request(0, CONFIGURATIONS[0], EPOCHS)]):
        ends.append((outcome.ended, outcome.reason))
        evaluator.forget(0)
    assert ends == [("failed", "RuntimeError: broken (3 tries)")]


def test_errors_are_reported_in_the_targets_own_unit() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 3)).astype(np.float32)
    y = (X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=80)).astype(np.float32)[:, None]
    fold = Fold(X[:60], y[:60], None, X[60:], y[60:], None)
    values = []
    for scale in (1.0, 250.0):
        problem = Task((fold,), "linear", "squared_error", 1, (0,), 0, "val_rmse", metrics=("rmse",), scale=(scale,))
        [outcome] = EngineEvaluator(problem, Inline()).advance([Request(0, {"hidden": [4], "epochs": 3}, 3)])
        values.append((outcome.value, outcome.curves["val_loss"]))
    assert values[1][0] == pytest.approx(250 * values[0][0], rel=1e-12)
    assert values[1][1] == values[0][1]


def test_a_contradictory_configuration_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONFIGURATIONS[2], "activation", "threshold")  # which hidden layers cannot learn with
    outcomes = {
        o.number: o
        for o in EngineEvaluator(iris_task(), Inline()).advance([Request(n, CONFIGURATIONS[n], EPOCHS) for n in (0, 2)])
        if o.ended
    }
    assert {n: o.ended for n, o in outcomes.items()} == {0: "finished", 2: "failed"}
    assert "threshold" in str(outcomes[2].reason)


def test_each_job_is_told_once_with_what_it_took_and_what_its_operations_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "SEGMENT_OPERATIONS", 1)  # a job for each epoch
    evaluator = EngineEvaluator(iris_task(), Inline())
    outcomes = list(evaluator.advance([Request(1, CONFIGURATIONS[1], EPOCHS)]))
    jobs = [job for outcome in outcomes for job in outcome.jobs]
    [(structure, _, _)] = evaluator.networks(1)
    assert len(jobs) == EPOCHS
    assert sum(job.expected for job in jobs) == pytest.approx(EPOCHS * epoch_cost(structure) / OPERATIONS_A_SECOND)
    assert all(0 < job.processor_seconds <= 1.1 * job.seconds for job in jobs)
