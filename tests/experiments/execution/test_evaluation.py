"""What holds for every evaluator: each epoch is told once and in order, and each trial gets to where it was sent."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.execution.engine import EngineEvaluator
from mlptune.experiments.execution.evaluation import Evaluator, Outcome, Request
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.replay import Replay
from tests.support.recorders import committed_trial
from tests.support.tasks import iris_task

EPOCHS = 8
CONFIGURATIONS = [
    {"hidden": [8], "learning_rate": 0.1, "epochs": EPOCHS, "early_stopping": 1},
    {"hidden": [4, 4], "learning_rate": 0.02, "epochs": EPOCHS, "batch_size": 16},
    {"hidden": [8], "optimizer": "sgd", "epochs": EPOCHS, "changes": [[4, {"learning_rate": 1e30}]]},
]


def engine() -> EngineEvaluator:
    return EngineEvaluator(iris_task(seeds=(0, 1)), Inline())


def replay() -> Replay:
    """An evaluator that knows the first two trials from their records."""
    committed = {}
    for number in (0, 1):
        outcomes = engine().advance([Request(number, CONFIGURATIONS[number], EPOCHS)])
        committed[number] = committed_trial(CONFIGURATIONS[number], outcomes)
    return Replay(engine(), committed, {})


@pytest.mark.parametrize("make", [engine, replay])
@pytest.mark.parametrize("rungs", [(EPOCHS,), (1, 3, EPOCHS), range(1, EPOCHS + 1)])
def test_every_epoch_is_told_once_and_in_order(make: Callable[[], Evaluator], rungs: tuple[int, ...]) -> None:
    evaluator = make()
    reached = dict.fromkeys(range(len(CONFIGURATIONS)), 0)
    ended: dict[int, str] = {}
    for until in rungs:
        live = [number for number in reached if number not in ended]
        for outcome in evaluator.advance([Request(number, CONFIGURATIONS[number], until) for number in live]):
            assert outcome.first_epoch == reached[outcome.number] + 1
            assert evaluator.objective_key in outcome.curves or outcome.ended == "diverged"
            reached[outcome.number] = outcome.last_epoch
            if outcome.ended is not None:
                assert outcome.number not in ended
                ended[outcome.number] = outcome.ended
                evaluator.forget(outcome.number)
        assert all(reached[number] == until for number in live if number not in ended)
    assert ended == {0: "finished", 1: "finished", 2: "diverged"}
    assert reached[0] < EPOCHS, "a case in which nothing stops early shows less"
    assert 0 < reached[2] < EPOCHS


@given(st.integers(1, 10**6), st.dictionaries(st.text(max_size=3), st.just(None), max_size=3), st.integers(0, 20))
def test_the_last_epoch_of_a_segment_is_as_many_as_its_curves_are_long(
    first: int, names: dict[str, None], length: int
) -> None:
    outcome = Outcome(0, first, dict.fromkeys(names, [0.5] * length))
    assert list(range(first, outcome.last_epoch + 1)) == list(range(first, first + (length if names else 0)))
