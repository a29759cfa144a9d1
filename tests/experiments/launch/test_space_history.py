"""A space that moves: when and how far, and the same sweep killed, resumed and with workers of any speed."""

import json
from typing import Any

import optuna
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import mlptune
from mlptune.core.hyperparameters import PARAMETERS
from mlptune.experiments.config import load_spec
from mlptune.experiments.edges import Edge
from mlptune.experiments.errors import UserError
from mlptune.experiments.launch.coordinator import Budget, Coordinator
from mlptune.experiments.launch.replay import Replay
from mlptune.experiments.launch.space_history import SpaceHistory, widened
from mlptune.experiments.progress import Observer
from mlptune.experiments.space_changes import SpaceChange, dumps, loads
from mlptune.search import Space, sampler, scheduler
from mlptune.search.methods import METHODS
from mlptune.search.spaces.dimensions import Choices, Range
from tests.support.curve_table import EPOCHS, Table
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.recorders import MemoryRecorder
from tests.support.sweeps import essence, iris

# The best rate of `Table` is 0.03, beyond the end.
NARROW = {"learning_rate": {"low": 1e-4, "high": 1e-3, "log": True}, "momentum": {"low": 0.0, "high": 0.5}}
LEARNING, OTHERS = ["auto", "tpe"], ["random", "quasirandom", "bayesian"]


def coordinate(
    method: str, *, seed: int = 0, events: str = "[]", known: int = 0, total: int | None = None, committed: Any = None
) -> tuple[Coordinator, MemoryRecorder, SpaceHistory, list[str]]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    total = total or {"tpe": 72}.get(method, 40)
    options: dict[str, Any] = {"n_points": 200, "n_initial_points": 8} if method == "bayesian" else {}
    space, written = Space.parse(NARROW), list[str]()
    study = optuna.create_study(
        study_name="t", direction="maximize", sampler=sampler(method, seed=1, space=space, **options)
    )
    recorder = MemoryRecorder()
    evaluator = Table(seed) if committed is None else Replay(Table(seed), committed, {})
    rule = scheduler("pruner", study, EPOCHS)
    search = Coordinator(study, space, rule, evaluator, fixed={}, recorder=recorder, observer=Observer())
    spaces = SpaceHistory(space, loads(json.loads(events)), widen=True, record=written.append)
    search.run(Budget(total, 8, EPOCHS, known=known), spaces=spaces)
    return search, recorder, spaces, written


def test_every_method_that_moves_is_tried_here() -> None:
    assert {name for name, method in METHODS.items() if method.moves} == {*LEARNING, *OTHERS}


@pytest.mark.parametrize("method", LEARNING)
def test_a_bound_that_wins_is_moved_once_and_a_replay_is_the_same(method: str) -> None:
    search, recorder, spaces, written = coordinate(method)
    bounds = [(name, end) for change in spaces.changes for name, end in change.moved]
    assert ("learning_rate", "high") in bounds
    assert len(bounds) == len(set(bounds))
    first = spaces.changes[0]
    values = [search.trials[n].params["learning_rate"] for n in sorted(search.trials)]
    assert max(values[: first.number]) <= 1e-3
    assert max(values[first.number :]) > 1e-3
    assert loads(json.loads(written[-1])) == spaces.changes
    assert coordinate(method, seed=5)[0].trials == search.trials, "which worker is faster does not matter"
    for cut in (first.number - 3, first.number, first.number + 4):
        kept = {number: trial for number, trial in recorder.committed.items() if number < cut}
        begun = -(-cut // 8) * 8
        events = dumps([change for change in spaces.changes if change.number < begun])
        again, _, history, _ = coordinate(method, events=events, known=begun, committed=kept)
        assert again.trials == search.trials
        assert history.changes == spaces.changes
    whole = coordinate(method, total=len(search.trials) + 8)[0]
    assert {n: whole.trials[n] for n in search.trials} == search.trials, "the budget does not matter"


@pytest.mark.parametrize("method", OTHERS)
def test_a_search_goes_on_in_the_new_range(method: str) -> None:
    change = SpaceChange(16, "widen", {"momentum": {"low": 0.0, "high": 0.9}}, {"momentum": NARROW["momentum"]})
    search, recorder, *_ = coordinate(method, events=dumps([change]), known=16, total=32)
    momenta = [search.trials[n].params["momentum"] for n in sorted(search.trials)]
    assert max(momenta[:16]) <= 0.5 < max(momenta[16:])
    kept = {number: trial for number, trial in recorder.committed.items() if number < 20}
    assert coordinate(method, events=dumps([change]), known=24, total=32, committed=kept)[0].trials == search.trials


def _may_be(row: Any, value: float) -> bool:
    try:
        row.check(value)
    except ValueError:
        return False
    return True


@given(
    name=st.sampled_from([name for name, row in PARAMETERS.items() if row.kind in ("int", "float")]),
    end=st.sampled_from(["low", "high"]),
    low=st.floats(1e-4, 0.5),
    length=st.floats(1e-3, 0.49),
    log=st.booleans(),
)
@example(name="learning_rate", end="low", low=0.0001, length=0.25, log=False)
@example(name="learning_rate", end="low", low=0.00011, length=0.49, log=False)
@example(name="dropout", end="high", low=0.5, length=0.49, log=False)
def test_a_moved_bound_is_one_that_the_hyperparameter_may_have(
    name: str, end: Any, low: float, length: float, log: bool
) -> None:
    row = PARAMETERS[name]
    before = (
        Range(1 + int(low * 100), 2 + int((low + length) * 100), log)
        if row.kind == "int"
        else Range(low, low + length, log)
    )
    assume(all(_may_be(row, bound) for bound in (before.low, before.high)))
    wider = widened(before, Edge(name, end, getattr(before, end), 10))
    if wider is None:
        assert name == "epochs" or row.kind == "int" or getattr(before, end) == row.low
        return
    row.check(wider.low)
    row.check(wider.high)
    assert wider.low <= before.low
    assert wider.high >= before.high
    assert (wider.low < before.low) == (end == "low")
    assert (wider.high > before.high) == (end == "high")
    assert (wider.integer, wider.log) == (before.integer, before.log)


@pytest.mark.parametrize(
    ("name", "before", "end", "after"),
    [
        ("l2", Range(1e-6, 1e-2, log=True), "low", 1e-8),
        ("dropout", Range(0.0, 0.5), "high", 0.75),
        ("dropout", Range(0.1, 0.9), "high", 0.95),
        ("dropout", Range(0.2, 0.6), "low", 0.0),
        ("momentum", Range(0.0, 0.9, step=0.3), "high", None),
        ("dropout", Range(0.2, 0.6, step=0.1), "low", 0.0),
        ("batch_size", Range(32, 128, log=True), "high", 256),
        ("units_1", Range(16, 128, step=16), "high", 176),
        ("units_1", Range(1, 128), "low", None),
        ("layers", Range(1, 3), "high", None),
        ("hidden", Choices(([8], [16])), "high", None),
    ],
)
def test_how_far_a_bound_goes(name: str, before: Any, end: Any, after: float | None) -> None:
    wider = widened(before, Edge(name, end, 0.0, 10))
    assert (None if wider is None else getattr(wider, end)) == after


def widening(**changes: Any) -> dict[str, Any]:
    space = {"learning_rate": {"low": 1e-5, "high": 1e-3, "log": True}, "dropout": {"low": 0.3, "high": 0.6}}
    search = {"method": "auto", "trials": 26, "batch": 8, "widen": True}
    return iris(
        **{"model": {"epochs": 3}, "objective": {"metric": "val_loss"}, "space": space, "search": search, **changes}
    )


def test_a_sweep_that_widens_is_the_same_killed_resumed_and_on_two_workers(store: str) -> None:
    whole = mlptune.run_sweep(widening(name="whole"), workers=1)
    changes = whole.summary()["space_changes"]
    assert [change["by"] for change in changes]
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(widening(), workers=2, observer=AfterTrials(changes[0]["number"] + 1, press_ctrl_c))
    resumed = mlptune.run_sweep(widening(), workers=2, resume=True)
    assert essence(resumed, with_name=False) == essence(whole, with_name=False)
    assert mlptune.load_result("iris").summary() == resumed.summary()
    assert "The space was widened from trial" in mlptune.load_result("iris").report()


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if not method.moves] + ["QMCSampler"])
def test_methods_that_cannot_are_refused_before_anything_trains(method: str) -> None:
    with pytest.raises(UserError) as refused:
        load_spec(widening(search={"method": method, "widen": True}))
    [line] = [problem for problem in refused.value.problems if "widen" in problem]
    assert f"[search] widen: method {method} cannot search a space that changes; random, quasirandom, tpe" in line
