"""Promotion where curves tell early who is good, full training where they do not."""

import optuna
import pytest

from mlptune.search import Progress, scheduler

from .loop import curve, quality, run


def crossing(number, epoch):
    """The better trial begins the worse."""
    return quality(number) * (epoch - 4) / 9


@pytest.mark.parametrize("batch", [1, 8])
def test_where_curves_rank_early_only_the_best_go_on(batch):
    trained = run("early_curves", 27, 81, batch)
    order = sorted(range(81), key=quality, reverse=True)
    assert trained[order[0]] == 27
    assert sum(epochs == 27 for epochs in trained) < 20
    assert sum(trained) < 81 * 27 / 3


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("shape", [crossing, lambda number, epoch: 0.5], ids=["crossing", "all alike"])
def test_where_they_do_not_those_that_follow_train_to_the_end(shape, batch):
    trained = run("early_curves", 9, 200, batch, curve=shape)
    first = next(n for n in range(200) if set(trained[n:]) == {9})
    assert first < 180
    # A tenth of the epochs until then went to controls; of the others few are ever promoted to the end.
    assert sum(epochs == 9 for epochs in trained[:first]) < first / 3


def test_of_early_epochs_a_tenth_goes_to_controls_until_they_are_judged():
    study = optuna.create_study()
    rule = scheduler("early_curves", study, 10)
    trials = [study.ask() for _ in range(20)]
    for trial in trials:
        trial.report(1.0, 1)
    waiting = [Progress(t.number, t, 1, (1.0,)) for t in trials]
    # 20 epochs are trained: a tenth of them does not pay for ten more; 100 pay for one.
    [decision] = rule.decide([*waiting, Progress(20, study.ask(), 0)])[20:]
    assert decision.until < 10
    waiting += [Progress(n, study.ask(), 1, (1.0,)) for n in range(21, 101)]
    begun = rule.decide([*waiting, *(Progress(n, study.ask(), 0) for n in range(101, 104))])[len(waiting) :]
    assert [decision.until == 10 for decision in begun] == [True, False, False]


def test_another_control_begins_where_one_diverges():
    ends = dict.fromkeys(range(0, 300, 2), 3)
    assert run("early_curves", 9, 300, 8, curve=crossing, ends=ends)[-1] == 9


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_it_tells_once_what_it_has_decided(direction, sign):
    study = optuna.create_study(direction=direction)
    rule = scheduler("early_curves", study, 27)
    assert "decide" in rule.describe(64)[0]
    told = []
    for number in range(60):
        trial = study.ask()
        [decision] = rule.decide([Progress(number, trial, 0)])
        told += rule.notices()
        for epoch in range(1, decision.until + 1):
            trial.report(sign * curve(number, epoch), epoch)
        # Those that are not promoted here are ended, as by a person.
        if decision.until == 27 or number < 50:
            for epoch in range(decision.until + 1, 28):
                trial.report(sign * curve(number, epoch), epoch)
            study.tell(trial, sign * curve(number, 27))
    [line] = told
    assert "correlation of 1.0: the best third" in line
    assert rule.notices() == []
