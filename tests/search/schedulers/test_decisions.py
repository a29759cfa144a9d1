"""What all schedulers promise whoever trains the trials, and what one that says only how it decides leaves to the sweep."""

import optuna
import pytest

from mlptune.search import Continue, Pause, Progress, Scheduler, Space, scheduler

NAMES = ["pruner", "asha", "hyperband", "pbt"]
SPACE = Space.parse({"learning_rate": {"low": 0.1, "high": 1.0}})


def rule(name, study, epochs=27):
    return scheduler(name, study, epochs, space=SPACE, changeable=["learning_rate"], trials=6)


@pytest.mark.parametrize("name", NAMES)
def test_all_that_begin_train_to_one_rung_so_that_they_stay_stacked(name):
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_warmup_steps=4))
    live = [Progress(n, study.ask(), 0) for n in range(6)]
    decisions = rule(name, study).decide(live)
    assert len(decisions) == 6
    [first] = {decision.until for decision in decisions if isinstance(decision, Continue)}
    assert decisions == [Continue(first)] * 6
    assert 1 <= first < 27


@pytest.mark.parametrize("name", NAMES)
def test_each_decision_is_that_of_the_trial_at_its_place(name):
    """Trials that stand at the first rung, listed in two orders, first with others to come and then with none."""
    decided = []
    for order in ([0, 1, 2, 3, 4, 5], [4, 1, 5, 0, 3, 2]):
        study = optuna.create_study(direction="maximize", pruner=optuna.pruners.ThresholdPruner(lower=0.35))
        trials = [study.ask() for _ in range(6)]
        made = rule(name, study)
        [first] = {d.until for d in made.decide([Progress(n, trials[n], 0) for n in order])}
        live = []
        for n in order:
            for epoch in range(1, first + 1):
                trials[n].report(n / 6, epoch)
            live.append(Progress(n, trials[n], first, (n / 6,) * first, {"learning_rate": 0.5}))
        decided.append(dict(zip(order, zip(made.decide(live), made.finish(live), strict=True), strict=True)))
    assert decided[0] == decided[1]
    assert decided[0][5] != decided[0][0], "the best and the worst differ"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("asked", [1, 6], ids=["others will follow", "all have been asked"])
def test_a_trial_past_the_last_epoch_is_refused(name, asked):
    study = optuna.create_study(pruner=optuna.pruners.NopPruner())
    made = rule(name, study)
    trials = [study.ask() for _ in range(asked)]
    ended = Progress(0, trials[0], 27, (0.5,) * 27, {"learning_rate": 0.5})
    with pytest.raises(ValueError, match="trial 0: has ended, it has trained 27 of 27 epochs"):
        made.decide([ended])


def test_a_scheduler_needs_to_say_no_more_than_how_it_decides():
    class Halves(Scheduler):
        def decide(self, live):
            return [Continue(max(1, 2 * progress.epoch)) for progress in live]

    made, trial = Halves(), optuna.create_study().ask()
    assert made.finish([Progress(0, trial, 4), Progress(1, trial, 2)]) == [Pause(), Pause()]
    assert made.batch(0) is None
    assert made.describe(9) == []
    assert made.changing == ()
    with pytest.raises(TypeError, match="decide"):
        Scheduler()
