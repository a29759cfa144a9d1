"""Trials that copy one another: whatever they went through, their networks are those of their configuration, trained anew."""

import math
import random

import numpy as np
import optuna
import pytest

from mlptune.core.structure import Structure
from mlptune.core.training import Network, State
from mlptune.experiments.execution import stacks
from mlptune.experiments.execution.engine import EngineEvaluator
from mlptune.experiments.execution.evaluation import Outcome, Request
from mlptune.experiments.execution.jobs import MissingData
from mlptune.experiments.execution.workers import Inline, Workers
from mlptune.experiments.launch.coordinator import Budget, Coordinator
from mlptune.experiments.launch.replay import Replay
from mlptune.experiments.progress import Observer
from mlptune.search import Continue, Copy, Scheduler, Space, Stop, sampler, scheduler
from tests.support.recorders import MemoryRecorder
from tests.support.tasks import iris_task

EPOCHS = 8
# What a copied network brings along (its structure, its running statistics, its generators), and what changes in it.
SPACE = Space.parse(
    {
        "hidden": [[8], [4, 4]],
        "optimizer": ["adam", "sgd"],
        "batch_norm": [False, True],
        "learning_rate": {"low": 1e-3, "high": 0.3, "log": True},
        "momentum": {"low": 0.1, "high": 0.9},
        "dropout": [0.0, 0.1, 0.3],
        "l2": [0.0, 1e-4, 1e-2],
        "label_smoothing": {"low": 0.0, "high": 0.2, "step": 0.1},
    }
)
CHANGEABLE = ("learning_rate", "momentum", "dropout", "l2", "label_smoothing")
FIXED = {"epochs": EPOCHS, "batch_size": 16, "schedule": "cosine"}
Trained = list[tuple[Structure, Network, State]]


class Keeping(EngineEvaluator):
    """The engine, which keeps the last networks of each trial for the test to look at."""

    kept: dict[int, Trained]

    def forget(self, number: int) -> None:
        self.kept = {**getattr(self, "kept", {}), number: self.networks(number)}
        super().forget(number)


class Counting(Inline):
    """Trains here, and counts the epochs of all networks."""

    epochs = 0

    def submit(self, fn, job, folds=None):
        begun = 0 if job.state is None else int(job.state.epoch[0])
        future = super().submit(fn, job, folds)
        if not isinstance(future.result(), MissingData):
            self.epochs += len(job.networks) * (job.until - begun)
        return future


def search(rule: str | Scheduler, evaluator, trials: int = 10, fixed=FIXED, **options) -> MemoryRecorder:
    """All that a sweep records of its trials: how each ended, and its curves."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize", sampler=sampler("random", seed=5))
    if isinstance(rule, str):
        context = {"seed": 5, "space": SPACE, "changeable": CHANGEABLE, "trials": trials}
        rule = scheduler(rule, study, EPOCHS, **context, **options)
    recorder = MemoryRecorder()
    Coordinator(study, SPACE, rule, evaluator, fixed=fixed, recorder=recorder, observer=Observer()).run(
        Budget(trials, trials, EPOCHS)
    )
    return recorder


def recorded(*args, **options) -> tuple[dict, dict]:
    """The ends and the curves of `search`, by number."""
    recorder = search(*args, **options)
    return dict(sorted(recorder.ends.items())), dict(sorted(recorder.curves.items()))


def anew(problem, number: int, configuration) -> tuple[Trained, Outcome, dict[str, list[float]]]:
    evaluator = EngineEvaluator(problem, Inline())
    outcomes = list(evaluator.advance([Request(number, configuration, EPOCHS)]))
    curves: dict[str, list[float]] = {}
    for outcome in outcomes:
        for key, values in outcome.curves.items():
            curves.setdefault(key, []).extend(values)
    return evaluator.networks(number), outcomes[-1], curves


def assert_same_networks(first: Trained, second: Trained) -> None:
    assert len(first) == len(second)
    for (shape, network, state), (other_shape, other, again) in zip(first, second, strict=True):
        assert (shape, network) == (other_shape, other)
        for name in State.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(state, name), getattr(again, name), err_msg=name, strict=True)


def check_against_training_anew(problem, evaluator: Keeping, ends, curves) -> None:
    for number, (summary, best_epochs) in ends.items():
        assert bool(summary.copied) == (summary.configuration is not None)
        if summary.configuration is None or summary.state == "pruned":
            continue
        networks, again, whole = anew(problem, number, summary.configuration)
        assert_same_networks(evaluator.kept[number], networks)
        assert (summary.state, again.ended) == ("complete", "finished")
        assert (summary.value, summary.spread, best_epochs) == (again.value, again.spread, again.best_epochs)
        epoch = summary.copied[-1][0]
        for key, values in whole.items():
            assert curves[number][key][epoch:] == values[epoch:]


@pytest.mark.parametrize(("seeds", "folds"), [((0,), 1), ((0, 1), 2)])
def test_a_members_networks_are_those_of_its_schedule_trained_from_the_start(seeds, folds) -> None:
    problem = iris_task(seeds, folds)
    counting = Counting()
    evaluator = Keeping(problem, counting)
    ends, curves = recorded("pbt", evaluator, interval=2, quantile=0.4)
    assert counting.epochs == 10 * EPOCHS * len(seeds) * folds, "a copy costs no training"
    check_against_training_anew(problem, evaluator, ends, curves)
    copies = [copied for summary, _ in ends.values() for copied in summary.copied]
    assert len(copies) == 3 * 4
    assert all(len(curves[number]["val_loss"]) == EPOCHS for number in ends)
    brought = [s for s, _ in ends.values() if s.copied and s.configuration["hidden"] != s.params["hidden"]]
    assert brought, "a case in which no structure comes along shows less"
    assert any(len(s.configuration["changes"]) > 1 for s, _ in ends.values() if s.copied)


def test_workers_stacks_and_segments_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = iris_task((0, 1), 2)
    expected = recorded("pbt", EngineEvaluator(problem, Inline()), interval=3)
    monkeypatch.setattr(stacks, "SEGMENT_OPERATIONS", 1)  # back after every epoch
    monkeypatch.setattr(stacks, "MAX_STACK", 3)
    assert recorded("pbt", EngineEvaluator(problem, Inline()), interval=3) == expected
    with Workers(2) as workers:
        assert recorded("pbt", EngineEvaluator(problem, workers, 2), interval=3) == expected


class Tangle(Scheduler):
    """At each rung most copy somebody, in circles or themselves, and some stop, copied or not; the rungs are uneven."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def decide(self, live):
        epoch = live[0].epoch
        draw = random.Random(f"{self.seed} {epoch}")
        until = min(epoch + draw.randint(1, 3), EPOCHS)
        if not epoch:
            return [Continue(until)] * len(live)
        numbers = [progress.number for progress in live]
        sources = draw.sample(numbers, len(numbers))
        changes = [{}, {"learning_rate": 0.02}, {"dropout": 0.3, "l2": 0.0}, {"dropout": 0.0}, {"momentum": 0.5}]
        return [
            draw.choices([Continue(until), Stop(), Copy(source, draw.choice(changes), until)], [3, 1, 6])[0]
            for source in sources
        ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("early_stopping", [0, 1])
def test_any_trial_may_copy_any_other(seed: int, early_stopping: int) -> None:
    problem = iris_task((0, 1))
    evaluator = Keeping(problem, Inline())
    ends, curves = recorded(Tangle(seed), evaluator, trials=7, fixed={**FIXED, "early_stopping": early_stopping})
    check_against_training_anew(problem, evaluator, ends, curves)


@pytest.mark.parametrize("seed", range(3))
def test_sources_that_are_only_known_by_their_record_are_trained_again(seed: int) -> None:
    problem = iris_task((0, 1))
    first = search(Tangle(seed), EngineEvaluator(problem, Inline()), trials=7)
    for committed in ({0, 1, 2, 3, 4, 5}, {1, 4}, {6}):
        records = {number: record for number, record in first.committed.items() if number in committed}
        evaluator = Keeping(problem, Inline())
        again, curves = recorded(Tangle(seed), Replay(evaluator, records, FIXED), trials=7)
        assert (again, curves) == (dict(sorted(first.ends.items())), dict(sorted(first.curves.items())))
        fresh = {number: entry for number, entry in again.items() if number not in committed}
        check_against_training_anew(problem, evaluator, fresh, curves)


def test_a_member_that_diverges_has_ended_and_the_others_go_on() -> None:
    class Breaking(Scheduler):
        """Trial 1 goes on from trial 0 with a rate that no network survives."""

        def decide(self, live):
            if not live[0].epoch:
                return [Continue(3)] * len(live)
            return [Copy(0, {"learning_rate": 1e30}, EPOCHS) if p.number == 1 else Continue(EPOCHS) for p in live]

    problem = iris_task((0, 1))
    ends, curves = recorded(Breaking(), Keeping(problem, Inline()), trials=3)
    assert {n: summary.state for n, (summary, _) in ends.items()} == {0: "complete", 1: "pruned", 2: "complete"}
    summary, _ = ends[1]
    assert summary.reason.startswith("diverged in epoch ")
    _, again, whole = anew(problem, 1, summary.configuration)
    assert (again.ended, again.reason) == ("diverged", summary.reason)
    assert curves[1]["val_loss"][3:] == whole["val_loss"][3:]
    assert all(math.isfinite(value) for value in curves[1]["val_loss"])
