"""Promotion where curves tell early who is good, full training where they do not."""

import optuna
import pytest

from mlptune.search import Progress, scheduler

from .loop import curve, quality, run


def crossing(number, epoch):
    """The better trial begins the worse."""
    return quality(number) * (epoch - 12) / 27


@pytest.mark.parametrize("batch", [1, 8])
def test_where_curves_rank_early_only_the_best_go_on(batch):
    trained = run("early_curves", 27, 81, batch)
    order = sorted(range(81), key=quality, reverse=True)
    assert trained[order[0]] == 27
    assert sum(epochs == 27 for epochs in trained) < 20
    assert sum(trained) < 81 * 27 / 3


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("shape", [crossing, lambda number, epoch: 0.5], ids=["crossing", "all alike"])
def test_where_they_do_not_all_train_to_the_end_those_that_waited_too(shape, batch):
    assert run("early_curves", 27, 40, batch, curve=shape) == [27] * 40


def test_without_enough_results_every_second_one_is_left_at_the_first_rung():
    assert run("early_curves", 27, 6, 3) == [27, 1] * 3


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_it_tells_once_what_it_has_decided(direction, sign):
    study = optuna.create_study(direction=direction)
    rule = scheduler("early_curves", study, 27)
    assert "decide" in rule.describe(64)[0]
    for number in range(4):
        trial = study.ask()
        rule.decide([Progress(number, trial, 0)])
        assert rule.news() == []
        for epoch in range(1, 28):
            trial.report(sign * curve(number, epoch), epoch)
        study.tell(trial, sign * curve(number, 27))
    rule.decide([Progress(4, study.ask(), 0)])
    [line] = rule.news()
    assert "correlation of 1.0: the best third" in line
    assert rule.news() == []
