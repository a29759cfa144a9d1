"""Committed trials answer from their records: to the last bit, without training, and only for what they were begun with."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.experiments.errors import UserError
from mlptune.experiments.execution.engine import EngineEvaluator
from mlptune.experiments.execution.evaluation import EndedTrial, Evaluator, Outcome, Request
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.replay import Replay
from tests.support.recorders import committed_trial
from tests.support.tasks import iris_task

EPOCHS = 8
TASK = iris_task(seeds=(0, 1))
CONFIGURATIONS: list[dict[str, Any]] = [
    {"hidden": [8], "learning_rate": 0.1, "epochs": EPOCHS, "early_stopping": 1},
    {"hidden": [8], "learning_rate": 0.02, "epochs": EPOCHS},
    {"hidden": [8], "optimizer": "sgd", "epochs": EPOCHS, "changes": [[4, {"learning_rate": 1e30}]]},
]


def unable() -> EngineEvaluator:
    """An engine that cannot train: its executor has been closed."""
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    return EngineEvaluator(TASK, closed)


def told(evaluator: Evaluator, number: int, rungs: list[int]) -> list[Outcome]:
    """What is told of a trial from rung to rung until it ends, each segment's outcomes joined as they come."""
    outcomes: list[Outcome] = []
    for until in rungs:
        outcomes += evaluator.advance([Request(number, CONFIGURATIONS[number], until)])
        if outcomes and outcomes[-1].ended:
            break
    return outcomes


@pytest.fixture(scope="module")
def committed() -> dict[int, EndedTrial]:
    engine = EngineEvaluator(TASK, Inline())
    return {n: committed_trial(CONFIGURATIONS[n], told(engine, n, [EPOCHS])) for n in range(len(CONFIGURATIONS))}


@settings(max_examples=25)
@given(number=st.integers(0, 2), stops=st.sets(st.integers(1, EPOCHS - 1)))
def test_a_record_tells_at_every_rung_what_the_engine_told(
    committed: dict[int, EndedTrial], number: int, stops: set[int]
) -> None:
    rungs = [*sorted(stops), EPOCHS]
    replayed = told(Replay(unable(), committed, {}), number, rungs)
    engine = told(EngineEvaluator(TASK, Inline()), number, rungs)
    # The store has the predictions of the last rung alone, and networks are not stored at all.
    assert replayed == [replace(outcome, predictions=(), crossfit=(), networks=()) for outcome in engine]


def test_a_trial_that_was_stopped_at_a_rung_waits_there_to_be_stopped_again(
    committed: dict[int, EndedTrial],
) -> None:
    whole = committed[1]
    record = replace(whole.record, state="pruned", epochs=3, value=None, best_epochs=(), reason="below the cut-off")
    curves = {key: values[:3] for key, values in whole.curves.items()}
    replay = Replay(unable(), {1: EndedTrial(record, curves)}, {})
    [first, second] = told(replay, 1, [1, 3])
    assert (first.last_epoch, second.first_epoch, second.last_epoch) == (1, 2, 3)
    assert (first.ended, second.ended) == (None, None)


def test_a_trial_that_failed_fails_again_only_where_it_did(committed: dict[int, EndedTrial]) -> None:
    record = replace(committed[1].record, state="failed", epochs=3, value=None, best_epochs=(), reason="memory ran out")
    curves = {key: values[:3] for key, values in committed[1].curves.items()}
    told_of = told(Replay(unable(), {1: EndedTrial(record, curves)}, {}), 1, [1, 3, EPOCHS])
    assert [(o.last_epoch, o.ended, o.reason) for o in told_of] == [
        (1, None, None),
        (3, None, None),
        (3, "failed", "memory ran out"),
    ]


def test_only_the_trials_without_a_record_are_trained(committed: dict[int, EndedTrial]) -> None:
    requests = [Request(number, CONFIGURATIONS[number], EPOCHS) for number in (0, 1)]
    replay = Replay(EngineEvaluator(TASK, Inline()), {1: committed[1]}, {})
    found = {outcome.number: outcome for outcome in replay.advance(requests)}
    assert {number: outcome.value for number, outcome in found.items()} == {
        number: committed[number].record.value for number in (0, 1)
    }
    with pytest.raises(RuntimeError, match="shutdown"):
        list(Replay(unable(), {1: committed[1]}, {}).advance(requests))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"learning_rate": 0.5}, "trial 1 was begun with learning_rate = 0.02 and would now be proposed with 0.5"),
        ({"l2": 0.1}, "trial 1 was begun with l2 = null and would now be proposed with 0.1"),
    ],
)
def test_another_proposal_than_the_recorded_one_is_refused(
    committed: dict[int, EndedTrial], change: dict[str, Any], line: str
) -> None:
    replay = Replay(unable(), committed, {})
    with pytest.raises(UserError, match=line):
        list(replay.advance([Request(1, CONFIGURATIONS[1] | change, EPOCHS)]))
