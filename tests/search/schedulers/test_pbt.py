"""Population-based training decides as Jaderberg et al. 2017 say, and never leaves the space."""

import math

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.search import Continue, Copy, Progress, Space, scheduler

CHANGEABLE = ("learning_rate", "momentum", "l2", "dropout", "plateau_epochs")
SPACE = {
    "hidden": [[8], [16]],
    "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
    "l2": [0.0, 1e-2, 1e-4],
    "dropout": {"low": 0.0, "high": 0.5, "step": 0.125},
    "plateau_epochs": {"low": 1, "high": 6},
}
START = {"hidden": [8], "learning_rate": 0.01, "l2": 1e-4, "dropout": 0.25, "plateau_epochs": 3}


def rule(direction="maximize", epochs=50, space=SPACE, **options):
    study = optuna.create_study(direction=direction)
    context = {"space": Space.parse(space), "changeable": CHANGEABLE, "trials": 20}
    return scheduler("pbt", study, epochs, **{**context, **options})


def members(values, epoch=5, configuration=START):
    trial = optuna.create_study().ask()
    return [Progress(n, trial, epoch, (0.5,) * (epoch - 1) + (v,), configuration) for n, v in enumerate(values)]


def copies(decisions):
    return {n: decision.source for n, decision in enumerate(decisions) if isinstance(decision, Copy)}


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_the_worst_fifth_copies_the_best_fifth_each_once(direction, sign):
    values = [sign * ((7 * n) % 20) for n in range(20)]
    best, worst = ({n for n, v in enumerate(values) if sign * v in levels} for levels in (range(16, 20), range(4)))
    chosen = copies(rule(direction).decide(members(values)))
    assert (set(chosen), set(chosen.values()), len(chosen)) == (worst, best, 4)


def test_who_is_dealt_to_whom_differs_from_rung_to_rung_and_between_seeds():
    values = list(range(20))
    dealt = [copies(rule(seed=seed).decide(members(values, epoch))) for seed in range(3) for epoch in (5, 10, 15)]
    assert len({tuple(sorted(chosen.items())) for chosen in dealt}) > 6
    assert dealt[4] == copies(rule(seed=1).decide(members(values, 10)))


def test_members_without_a_value_are_the_worst():
    assert set(copies(rule(quantile=0.5).decide(members([0.1, math.nan, 0.3, None])))) == {1, 3}


@pytest.mark.parametrize(("size", "n"), [(1, 0), (2, 1), (3, 1), (4, 1), (5, 1), (8, 2), (20, 4), (64, 13)])
def test_small_populations_copy_too(size, n):
    assert len(copies(rule().decide(members(range(size))))) == n


def test_rungs():
    plan = rule(epochs=27)
    assert plan.rungs == [3, 6, 9, 12, 15, 18, 21, 24]
    assert plan.decide(members([0.1, 0.2], 0)) == [Continue(3), Continue(3)]
    assert [decision.until for decision in plan.decide(members([0.1, 0.2], 24))] == [27, 27]
    assert rule(epochs=27, interval=10).rungs == [10, 20]
    assert rule(epochs=4).rungs == [1, 2, 3]


@st.composite
def spaces(draw):
    low = draw(st.floats(1e-6, 1.0))
    rate = {"low": low, "high": low * draw(st.floats(1.0, 1e4)), "log": draw(st.booleans())}
    first, last = sorted(draw(st.tuples(st.integers(1, 50), st.integers(1, 50))))
    return {
        "learning_rate": rate,
        "l2": draw(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5, unique=True)),
        "dropout": {"low": 0.0, "high": draw(st.floats(0.05, 0.9)), "step": 0.05},
        "plateau_epochs": {"low": first, "high": last, "log": draw(st.booleans())},
        "hidden": [[4], [8]],
    }


@given(spaces(), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1), st.data())
def test_what_changes_is_new_and_inside_the_space(table, resample, seed, data):
    space = Space.parse(table)
    varied = [
        n
        for n, d in space.dimensions.items()
        if n != "hidden" and len(set(d.grid(n) if n != "learning_rate" else (d.low, d.high))) > 1
    ]
    if not varied:
        return
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=data.draw(st.integers(0, 99))))
    present = space.suggest(study.ask())
    known = [[3, {name: present[name] for name in varied[:1]}]]
    configuration = {**present, varied[0]: -1.0, "changes": known, "epochs": 9}
    [copy, _] = rule("minimize", space=table, seed=seed, resample=resample).decide(members([1, 0], 5, configuration))
    assert set(copy.params) == set(varied), "what may change does, and nothing else"
    for name, value in copy.params.items():
        assert value != present[name]
        assert space.decode(space.encode({name: value})) == {name: value}
    if resample == 0 and "learning_rate" in varied:
        rate = present["learning_rate"]
        ends = (space.dimensions["learning_rate"].low, space.dimensions["learning_rate"].high)
        assert copy.params["learning_rate"] in (rate * 0.8, rate * 1.25, *ends)


def test_values_are_perturbed_by_steps_and_neighbours():
    plan = rule(resample=0.0)
    seen = {name: set() for name in ("learning_rate", "l2", "dropout", "plateau_epochs")}
    for epoch in range(1, 40):
        for name, value in plan.decide(members([1, 0], epoch))[1].params.items():
            seen[name].add(value)
    assert seen == {
        "learning_rate": {0.01 * 0.8, 0.01 * 1.25},
        "l2": {0.0, 1e-2},
        "dropout": {0.125, 0.375},
        "plateau_epochs": {2, 4},
    }


def test_values_are_drawn_anew_from_the_whole_range():
    drawn = [rule(resample=1.0, seed=seed).decide(members([1, 0]))[1].params["learning_rate"] for seed in range(400)]
    shares = [math.log10(rate / 1e-3) / 2 for rate in drawn]
    assert abs(sum(shares) / 400 - 0.5) < 0.05
    assert min(shares) < 0.05
    assert max(shares) > 0.95


@pytest.mark.parametrize(
    ("trials", "options", "batches", "line"),
    [
        (1, {}, 1, "one population of 1 member, all trained for 50 epochs"),
        (48, {}, 48, "one population of 48 members, all trained for 50 epochs"),
        (100, {}, 50, "2 populations one after the other, of 50, 50 members, all trained for 50 epochs"),
        (130, {}, 44, "3 populations one after the other, of 44, 44, 42 members, all trained for 50 epochs"),
        (20, {"population": 16}, 16, "2 populations one after the other, of 16, 4 members, all trained for 50 epochs"),
    ],
)
def test_how_trials_are_parted(trials, options, batches, line):
    plan = rule(trials=trials, **options)
    assert (plan.batch(0), plan.describe(trials)[0]) == (batches, line)


def test_the_outline_says_what_will_happen():
    told = "every 5 epochs the worst 4 copy the networks of the best 4 and change learning_rate, l2, dropout, "
    assert rule().describe(20)[1] == told + "plateau_epochs"
    alone = rule(interval=1).describe(2)[1]
    assert alone.startswith("every epoch the worst copies the network of the best and changes learning_rate, l2, ")
    assert rule().describe(1)[1].startswith("no member copies")
    assert rule(interval=50).describe(20)[1].startswith("no member copies")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"space": {"hidden": [[4], [8]], "l2": [0.1]}}, "method pbt: nothing in the space (hidden, l2) may change"),
        ({"interval": 0}, "interval: 0 is not an integer of at least 1"),
        ({"population": 2.0}, "population: 2.0 is not an integer of at least 1"),
        ({"quantile": 0.6}, "quantile: 0.6 is not a number from 0 to 0.5"),
        ({"resample": True}, "resample: True is not a number from 0 to 1"),
        ({"intervall": 3}, "scheduler pbt: unknown option 'intervall'; did you mean 'interval'?"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options, line):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the line is compared below
        rule(**options)
    assert str(refusal.value).startswith(line)
