"""What a person does to a sweep becomes events of its history: the loop with them, killed and run again, is the same loop."""

import json

import optuna
import pytest

from mlptune.experiments.launch.coordinator import Budget, Coordinator
from mlptune.experiments.launch.replay import Replay
from mlptune.experiments.launch.steering import ByHand, Steering, dumps, loads, requests_in
from mlptune.experiments.progress import Observer
from mlptune.search import Space, sampler, scheduler
from mlptune.tracking import schema
from tests.support.curve_table import EPOCHS, SPACE, Table
from tests.support.recorders import MemoryRecorder

POINT = {"learning_rate": 0.03, "momentum": 0.9}


def coordinate(steering: Steering, total: int = 16, known: int = 0, committed=None):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = Space.parse(SPACE)
    study = optuna.create_study(study_name="t", direction="maximize", sampler=sampler("tpe", seed=1, space=space))
    recorder = MemoryRecorder()
    evaluator = Table() if committed is None else Replay(Table(), committed, {})
    search = Coordinator(
        study,
        space,
        scheduler("pruner", study, EPOCHS),
        evaluator,
        fixed={},
        recorder=recorder,
        observer=Observer(),
    )
    search.run(Budget(total, 4, EPOCHS, known=known), steering)
    return search, recorder


def test_a_request_becomes_the_next_trial_and_its_number_is_written_before_it_trains() -> None:
    written: list[str] = []
    tags = {f"{schema.TRY_REQUEST}.ab": '{"learning_rate":0.03,"momentum":0.9}'}
    asked = iter([{}, {}])  # nothing is asked for before the second batch has ended
    steering = Steering(look=lambda: next(asked, tags) if not written else tags, record=written.append)
    steering.check = lambda: None  # type: ignore[method-assign]
    search, recorder = coordinate(steering)
    [number] = steering.numbers
    assert number == 8
    assert search.trials[8].params == POINT
    assert sorted(search.trials) == list(range(17)), "it comes on top of the sixteen"
    assert loads(json.loads(written[0])) == [ByHand(8, POINT, "ab")]
    again, _ = coordinate(Steering([ByHand(8, POINT, "ab")], requests_in(tags)))
    assert again.trials == search.trials
    kept = {number: trial for number, trial in recorder.committed.items() if number < 11}
    resumed, _ = coordinate(Steering([ByHand(8, POINT, "ab")]), known=13, committed=kept)
    assert resumed.trials == search.trials


def test_a_trial_by_hand_in_a_sweep_that_was_cut_comes_after_all_that_was_begun() -> None:
    whole, recorder = coordinate(Steering())
    kept = {number: trial for number, trial in recorder.committed.items() if number < 6}
    steering = Steering(tried={"x": POINT})
    tried, _ = coordinate(steering, known=8, committed=kept)
    assert steering.numbers == [8]
    assert sorted(tried.trials) == list(range(9)), "the batch that was begun, and the one by hand"
    assert tried.stopped is not None
    assert tried.stopped.by == "hand"
    assert {n: tried.trials[n] for n in range(8)} == {n: whole.trials[n] for n in range(8)}


def test_what_cannot_be_tried_is_passed_over() -> None:
    steering = Steering(requests={"bad": {"learning_rate": 7.0}}, fits=lambda point: point["learning_rate"] < 1)
    search, _ = coordinate(steering, total=4)
    assert (steering.numbers, len(search.trials)) == ([], 4)


def test_a_request_to_stop_is_for_one_claim() -> None:
    Steering(claim=2, look=lambda: {schema.STOP_REQUEST: "1"}).check()
    with pytest.raises(KeyboardInterrupt):
        coordinate(Steering(claim=2, look=lambda: {schema.STOP_REQUEST: "2"}))


def test_events_are_read_as_they_were_written() -> None:
    events = [ByHand(3, {"hidden": [64, 64]}, "a"), ByHand(9, {"dropout": 0.1}, "b")]
    assert loads(json.loads(dumps(events))) == events
    assert loads(None) == []
