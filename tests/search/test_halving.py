"""Hyperband and successive halving by promotion: who trains how far, held against the papers' rules counted by hand."""

import random
from collections import Counter

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.search import Continue, Pause, Progress, Stop, pruner, sampler, scheduler

optuna.logging.set_verbosity(optuna.logging.WARNING)


def quality(number, seed=0):
    return random.Random(f"{seed} {number}").random()


def curve(number, epoch, seed=0):
    """The better trial is the better at each epoch."""
    return quality(number, seed) * (1 - 0.5**epoch)


def run(name, epochs, total, batch, *, curve=curve, ends=None, direction="maximize", pruner=None, **options):
    """The coordinator's loop, on curves: the epochs that each trial trained. `ends` are trials that diverge."""
    study = optuna.create_study(direction=direction, pruner=pruner)
    rule = scheduler(name, study, epochs, **options)
    live, at, trained = {}, {}, {}

    def train(decide):
        while live:
            shown = [Progress(n, t, at[n], tuple(curve(n, e) for e in range(1, at[n] + 1))) for n, t in live.items()]
            moving = False
            for progress, decision in zip(shown, decide(shown), strict=True):
                number = progress.number
                if isinstance(decision, Continue):
                    assert at[number] < decision.until <= epochs
                    for epoch in range(at[number] + 1, decision.until + 1):
                        if (value := curve(number, epoch)) is not None:
                            progress.trial.report(value, epoch)
                    at[number], moving = decision.until, True
                elif isinstance(decision, Stop):
                    trained[number] = at[number]
                    study.tell(live.pop(number), state=optuna.trial.TrialState.PRUNED)
                else:
                    assert isinstance(decision, Pause)
            for number in [n for n in live if at[n] == epochs or (at[n] >= (ends or {}).get(n, epochs))]:
                trained[number] = at[number]
                done = at[number] == epochs
                state = optuna.trial.TrialState.COMPLETE if done else optuna.trial.TrialState.PRUNED
                study.tell(live.pop(number), curve(number, epochs) if done else None, state=state)
            if not moving:
                return

    asked = 0
    while asked < total:
        for _ in range(min(rule.batch(asked) or batch, total - asked)):
            trial = study.ask()
            live[trial.number], at[trial.number] = trial, 0
            asked += 1
        train(rule.decide)
    train(rule.finish)
    trained.update({n: at[n] for n in live})
    return [trained[n] for n in range(total)]


@pytest.mark.parametrize(
    ("epochs", "options", "brackets"),
    [
        # Li et al. 2018 with R = 81 and eta = 3.
        (
            81,
            {},
            [
                [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
                [(34, 3), (11, 9), (3, 27), (1, 81)],
                [(15, 9), (5, 27), (1, 81)],
                [(8, 27), (2, 81)],
                [(5, 81)],
            ],
        ),
        (50, {"min_epochs": 5}, [[(9, 6), (3, 17), (1, 50)], [(5, 17), (1, 50)], [(3, 50)]]),
        (50, {"eta": 4, "min_epochs": 3}, [[(16, 3), (4, 12), (1, 50)], [(6, 12), (1, 50)], [(3, 50)]]),
        (16, {"eta": 2, "min_epochs": 4}, [[(4, 4), (2, 8), (1, 16)], [(3, 8), (1, 16)], [(3, 16)]]),
        (3, {}, [[(3, 1), (1, 3)], [(2, 3)]]),
        (2, {}, [[(1, 2)]]),
        (1, {}, [[(1, 1)]]),
    ],
)
def test_the_brackets_of_hyperband(epochs, options, brackets):
    made = scheduler("hyperband", optuna.create_study(), epochs, **options).brackets
    assert [list(zip(b.sizes, b.epochs, strict=True)) for b in made] == brackets


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("batch", [1, 7, 64])
def test_hyperband_trains_the_best_of_each_rung_on(batch, at_once):
    trained = run("hyperband", 27, 49, batch, at_once=at_once)
    first = 0
    for sizes, epochs in [((27, 9, 3, 1), (1, 3, 9, 27)), ((12, 4, 1), (3, 9, 27)), ((6, 2), (9, 27)), ((4,), (27,))]:
        order = sorted(range(first, first + sizes[0]), key=quality, reverse=True)
        reached = [max(r for n, r in zip(sizes, epochs, strict=True) if place < n) for place in range(sizes[0])]
        assert [trained[n] for n in order] == reached
        first += sizes[0]


@pytest.mark.parametrize(
    ("name", "options", "sizes"),
    [("random", {}, [27, 12, 6, 4, 27]), ("tpe", {}, [None] * 5), ("tpe", {"at_once": True}, [27, 12, 6, 4, 27])],
)
def test_a_bracket_is_asked_at_once_where_nothing_is_learned_meanwhile(name, options, sizes):
    rule = scheduler("hyperband", optuna.create_study(sampler=sampler(name)), 27, **options)
    assert [rule.batch(first) for first in (0, 27, 39, 45, 49)] == sizes


def test_an_unfinished_bracket_is_finished_with_its_share():
    trained = run("hyperband", 27, 14, 4)
    assert Counter(trained) == {1: 10, 3: 3, 27: 1}, "14, 14 * 9 // 27, 1 and 1 trials"
    assert max(range(14), key=quality) == trained.index(27)
    assert run("hyperband", 27, 1, 8) == [27]


@pytest.mark.parametrize("batch", [1, 8])
def test_asha_promotes_late_whoever_has_become_one_of_the_best(batch):
    trained = run("asha", 27, 81, batch)
    order = sorted(range(81), key=quality, reverse=True)
    # Everybody among the best third of all has been promoted, whenever he came; some others were when there were fewer.
    assert all(trained[n] >= 3 for n in order[:27])
    assert all(trained[n] >= 9 for n in order[:9])
    assert trained[order[0]] == 27
    assert sum(e > 1 for e in trained) < 45


def test_asha_promotes_whom_optunas_pruner_has_stopped():
    """The third of 40 is the worst of the first three, and the third best in the end."""

    def rising(number, epoch):
        return {0: 0.9, 1: 0.8, 2: 0.5}.get(number, 0.1 * quality(number)) * epoch / 9

    ours = run("asha", 9, 40, 1, curve=rising)
    optunas = run("pruner", 9, 40, 1, curve=rising, pruner=pruner("asha", 9))
    assert (ours[2], optunas[2]) == (9, 1)


@pytest.mark.parametrize("name", ["asha", "hyperband"])
@given(
    epochs=st.integers(1, 100),
    total=st.integers(1, 40),
    batch=st.integers(1, 12),
    eta=st.sampled_from([2, 2.5, 3, 4]),
    seed=st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_any_budget_ends_with_a_result(name, epochs, total, batch, eta, seed):
    trained = run(name, epochs, total, batch, eta=eta, curve=lambda n, e: curve(n, e, seed))
    rungs = {1, *(max(1, round(epochs / eta**i)) for i in range(10))}
    assert set(trained) <= rungs
    assert max(trained) == epochs


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_losses_are_ranked_the_other_way_round(name):
    rising = run(name, 27, 30, 5)
    falling = run(name, 27, 30, 5, direction="minimize", curve=lambda n, e: -curve(n, e))
    assert rising == falling


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_trials_that_end_by_themselves_make_room(name):
    """The best by far diverges at its second rung; somebody else comes to the end."""
    best = max(range(27), key=quality)
    trained = run(name, 27, 27, 9, ends={best: 3})
    assert trained[best] == 3
    assert 27 in trained


def test_values_that_are_missing_are_the_worst():
    trained = run("hyperband", 9, 9, 9, curve=lambda n, e: None if n % 2 == 0 and e < 9 else quality(n))
    assert [n for n in range(9) if trained[n] > 1] == sorted(sorted(range(1, 9, 2), key=quality, reverse=True)[:3])


@pytest.mark.parametrize("name", ["asha", "hyperband"])
@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"eta": 1}, "eta: 1 is not a number of at least 2"),
        ({"min_epochs": 28}, "min_epochs: 28 is not an integer from 1 to 27"),
        ({"min_epochs": 0}, "min_epochs: 0 is not an integer from 1 to 27"),
        ({"min_epoch": 1}, "unknown option 'min_epoch'; did you mean 'min_epochs'?"),
    ],
)
def test_options_that_cannot_be_are_refused(name, options, line):
    with pytest.raises(ValueError, match=line.replace("?", r"\?")):
        scheduler(name, optuna.create_study(), 27, **options)


def test_what_a_person_is_told():
    study = optuna.create_study()
    assert scheduler("hyperband", study, 27).describe(60) == [
        "Hyperband: 60 begun, most of them stopped early; in turn these brackets, 49 trials together",
        "  bracket 3: 27 to epoch 1, 9 to epoch 3, 3 to epoch 9, 1 to epoch 27",
        "  bracket 2: 12 to epoch 3, 4 to epoch 9, 1 to epoch 27",
        "  bracket 1: 6 to epoch 9, 2 to epoch 27",
        "  bracket 0: 4 to epoch 27",
        "  60 is not a multiple of 49: the last bracket has fewer trials",
    ]
    assert scheduler("asha", study, 50).describe(60) == [
        "successive halving: 60 begun, most of them stopped early; rungs at epochs 2, 6, 17, 50",
        "  of all that reached a rung the best 1 in 3 continue to the next",
    ]
