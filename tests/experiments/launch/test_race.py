"""Racing folds: who is left behind, with what numbers, and the same race whatever of it was committed before."""

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlptune
from mlptune.experiments.errors import UserError
from mlptune.experiments.execution.engine import EngineEvaluator
from mlptune.experiments.execution.evaluation import EndedTrial, Evaluator, Outcome, Request
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.race import ROUNDS, Race, share_of_networks
from mlptune.experiments.launch.replay import Replay
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.plans import planned
from tests.support.recorders import committed_trial
from tests.support.sweeps import essence, small
from tests.support.tasks import iris_task

EPOCHS, FOLDS, SEEDS = 6, 5, (0, 1)
TASK = iris_task(seeds=SEEDS, folds=FOLDS)
RATES = [1e-4, 0.03, 1e-3, 0.01, 3e-4, 0.003, 0.1]
CONFIGURATIONS: list[dict[str, Any]] = [
    *({"hidden": [8], "learning_rate": rate, "epochs": EPOCHS, "early_stopping": 2} for rate in RATES),
    {"hidden": [8], "optimizer": "sgd", "epochs": EPOCHS, "changes": [[4, {"learning_rate": 1e30}]]},
]
REQUESTS = [Request(number, configuration, EPOCHS) for number, configuration in enumerate(CONFIGURATIONS)]


def ends(evaluator: Evaluator) -> dict[int, list[Outcome]]:
    """All that is told of each trial."""
    told: dict[int, list[Outcome]] = {request.number: [] for request in REQUESTS}
    for outcome in evaluator.advance(REQUESTS):
        told[outcome.number].append(outcome)
        if outcome.ended:
            evaluator.forget(outcome.number)
    return told


@pytest.fixture(scope="module")
def unraced() -> dict[int, list[Outcome]]:
    return ends(EngineEvaluator(TASK, Inline()))


@pytest.fixture(scope="module")
def raced() -> dict[int, list[Outcome]]:
    return ends(Race(EngineEvaluator(TASK, Inline()), FOLDS, len(SEEDS), "minimize"))


def test_the_better_half_goes_on_and_half_of_that_to_the_end(
    unraced: dict[int, list[Outcome]], raced: dict[int, list[Outcome]]
) -> None:
    last = {number: told[-1] for number, told in raced.items()}
    by_fold = {
        n: np.reshape(told[-1].values, (FOLDS, -1)).mean(axis=1) for n, told in unraced.items() if told[-1].values
    }
    first = sorted(by_fold, key=lambda n: by_fold[n][0])[:4]
    second = sorted(first, key=lambda n: by_fold[n][:2].mean())[:2]
    reasons = {n: f"behind after {2 if n in first else 1} of 5 folds" for n in by_fold if n not in second}
    assert {n: outcome.reason for n, outcome in last.items() if outcome.ended == "behind"} == reasons
    assert last[7].ended == "diverged"
    moved = np.mean([by_fold[n].mean() for n in second])
    for number, outcome in last.items():
        if number in second:  # bit for bit what it is without a race
            assert committed_trial({}, raced[number]) == committed_trial({}, unraced[number])
            for parts in (outcome.predictions, outcome.crossfit):
                assert len(parts) == FOLDS
            for one, other in zip(outcome.predictions, unraced[number][-1].predictions, strict=True):
                np.testing.assert_array_equal(one, other)
        elif number in by_fold:
            folds = 2 if number in first else 1
            mean = by_fold[number][:folds].mean()
            assert outcome.value == pytest.approx(mean)
            fair = mean + moved - np.mean([by_fold[n][:folds].mean() for n in second])
            assert outcome.estimate == pytest.approx(fair)
            assert len(outcome.best_epochs) == len(outcome.values) == folds * len(SEEDS)
            assert outcome.predictions == outcome.networks == ()
            assert min(len(curve) for curve in outcome.curves.values()) >= 1


@settings(max_examples=15)
@given(done=st.sets(st.integers(0, len(REQUESTS) - 1)))
def test_it_is_the_same_race_whatever_of_it_is_committed(raced: dict[int, list[Outcome]], done: set[int]) -> None:
    committed: dict[int, EndedTrial] = {n: committed_trial(CONFIGURATIONS[n], raced[n]) for n in done}
    again = ends(Race(Replay(EngineEvaluator(TASK, Inline()), committed, {}), FOLDS, len(SEEDS), "minimize"))
    for number, told in again.items():
        before, now = raced[number][-1], told[-1]
        assert (now.ended, now.reason, now.value, now.values, now.estimate, now.best_epochs) == (
            before.ended,
            before.reason,
            before.value,
            before.values,
            before.estimate,
            before.best_epochs,
        )
        key = TASK.objective
        assert [v for o in told for v in o.curves.get(key, ())] == [
            v for o in raced[number] for v in o.curves.get(key, ())
        ]


def test_when_the_time_is_over_each_trial_counts_with_the_folds_that_it_has() -> None:
    race = Race(EngineEvaluator(TASK, Inline()), FOLDS, len(SEEDS), "minimize")
    told = list(race.advance(REQUESTS[:3], deadline=-math.inf))
    assert [outcome for outcome in told if outcome.ended == "finished"] == []
    concluded = [race.conclude(request.number) for request in REQUESTS[:3]]
    assert {outcome.ended for outcome in concluded if outcome is not None} <= {"behind"}


def test_what_a_race_saves_is_counted() -> None:
    assert share_of_networks(5) == pytest.approx((1 + 1 / 2 + 3 / 4) / 5)
    assert share_of_networks(2) == pytest.approx((1 + 1 / 2) / 2)
    assert ROUNDS == (1, 2)
    alone, raced = (planned(search={"race": race}) for race in (False, True))
    assert raced.trial_operations == pytest.approx(alone.trial_operations * share_of_networks(5))


def test_interrupted_and_with_other_workers_it_is_the_same_sweep(store: str, migrated: Path, tmp_path: Path) -> None:
    shutil.copyfile(migrated, tmp_path / "whole.db")
    spec = small(data__folds=5, search__race=True, seed=4)
    whole = essence(mlptune.run_sweep(spec, workers=1, tracking_uri=f"sqlite:///{tmp_path / 'whole.db'}"))
    states = [trial["state"] for trial in whole["document"]["trials"]]
    assert (states.count("complete"), states.count("pruned")) == (3, 9)
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(spec, workers=2, observer=AfterTrials(6, press_ctrl_c))
    assert essence(mlptune.run_sweep(spec, workers=2, resume=True)) == whole


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        (
            {"data": {"validation": 0.2}},
            r"race: there is one validation part and no folds to race over; set \[data\] folds",
        ),
        ({"search": {"method": "hyperband"}}, "race: method 'hyperband' stops trials by their epochs already"),
        ({"search": {"pruner": "median"}}, r"race: method 'auto' stops trials by their epochs already \(median\)"),
    ],
)
def test_where_there_is_nothing_to_race_over_it_is_refused(tables: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        planned(**{**tables, "search": {"race": True, **tables.get("search", {})}})
