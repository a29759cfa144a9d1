"""The scheduler that asks a pruner at rungs decides as a plain Optuna loop that asks after every epoch."""

import warnings

import optuna
import pytest
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import PatientPruner, PercentilePruner, SuccessiveHalvingPruner, ThresholdPruner

from mlptune.search import Continue, Progress, Scheduler, Stop, pruner, scheduler

EPOCHS = (9, 27, 50)


def patient():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return PatientPruner(None, patience=1)


PRUNERS = {
    "none": lambda epochs: pruner("none", epochs),
    "median": lambda epochs: pruner("median", epochs),
    "median from the start": lambda epochs: pruner(
        "median", epochs, n_warmup_steps=0, interval_steps=4, n_startup_trials=1
    ),
    "asha": lambda epochs: pruner("asha", epochs),
    "asha, eta 2, late": lambda epochs: pruner("asha", epochs, reduction_factor=2, min_early_stopping_rate=1),
    "hyperband": lambda epochs: pruner("hyperband", epochs),
    "hyperband, bootstrap": lambda epochs: pruner("hyperband", epochs, bootstrap_count=2),
    "a quarter": lambda epochs: PercentilePruner(25.0, n_startup_trials=2, n_warmup_steps=3, interval_steps=5),
    "foreign": lambda epochs: ThresholdPruner(upper=0.9, n_warmup_steps=2),
    "patient": lambda epochs: patient(),
    "rungs canonicalized later": lambda epochs: SuccessiveHalvingPruner(),
}


def curve(number, epoch):
    """A falling, noisy loss; some numbers fall faster."""
    noise = ((number * 2654435761 + epoch * 40503) % 1000) / 1000
    return (1 + number * 7 % 11) / epoch + 0.3 * noise


def finish(study, trial, epoch, epochs):
    if epoch < epochs:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, curve(trial.number, epoch))


def plain_loop(make, epochs, batches, size):
    """What an Optuna user writes, for a batch in step: report and ask after every epoch but the last."""
    study = optuna.create_study(pruner=make(epochs), study_name="s")
    ends = {}
    for _ in range(batches):
        live = trials = [study.ask() for _ in range(size)]
        for epoch in range(1, epochs + 1):
            for trial in live:
                trial.report(curve(trial.number, epoch), epoch)
            if epoch < epochs:
                stopped = [trial for trial in live if trial.should_prune()]
                ends.update({trial.number: epoch for trial in stopped})
                live = [trial for trial in live if trial not in stopped]
        ends.update({trial.number: epochs for trial in live})
        for trial in trials:
            finish(study, trial, ends[trial.number], epochs)
    return ends


def scheduled_loop(make, epochs, batches, size):
    """What the coordinator does."""
    study = optuna.create_study(pruner=make(epochs), study_name="s")
    plan = scheduler("pruner", study, epochs)
    assert isinstance(plan, Scheduler)
    ends, asked = {}, 0
    for _ in range(batches):
        live = trials = [study.ask() for _ in range(size)]
        at = dict.fromkeys(trials, 0)
        while live:
            asked += 1
            decisions = plan.decide(
                [Progress(t.number, t, at[t], tuple(curve(t.number, e) for e in range(1, at[t] + 1))) for t in live]
            )
            assert len(decisions) == len(live)
            for trial, decision in zip(live, decisions, strict=True):
                if isinstance(decision, Stop):
                    ends[trial.number] = at[trial]
                    continue
                assert isinstance(decision, Continue)
                for epoch in range(at[trial] + 1, decision.until + 1):
                    trial.report(curve(trial.number, epoch), epoch)
                at[trial] = decision.until
                if decision.until == epochs:
                    ends[trial.number] = epochs
            live = [trial for trial in live if trial.number not in ends]
        for trial in trials:
            finish(study, trial, ends[trial.number], epochs)
    return ends, asked


@pytest.mark.parametrize("size", [1, 8])
@pytest.mark.parametrize("epochs", EPOCHS)
@pytest.mark.parametrize("name", PRUNERS)
def test_trials_stop_where_a_plain_loop_would_stop_them(name, epochs, size):
    plain = plain_loop(PRUNERS[name], epochs, 32 // size, size)
    ours, _ = scheduled_loop(PRUNERS[name], epochs, 32 // size, size)
    assert ours == plain
    if name == "none":
        assert set(plain.values()) == {epochs}
    elif epochs == 50:
        assert min(plain.values()) < epochs, "a case in which nothing is stopped shows nothing"


@pytest.mark.parametrize(
    ("name", "epochs", "rungs"),
    [
        ("none", 50, []),
        ("asha", 81, [3, 9, 27]),
        ("hyperband", 81, [3, 9, 27]),
        ("hyperband", 50, [1, 3, 9, 27]),
        ("hyperband", 1, []),
        ("median", 50, [10, 15, 20, 25, 30, 35, 40, 45]),
        ("foreign", 5, [1, 2, 3, 4]),
        ("asha, eta 2, late", 9, [2, 4, 8]),
    ],
)
def test_the_rungs(name, epochs, rungs):
    study = optuna.create_study(pruner=PRUNERS[name](epochs))
    assert scheduler("pruner", study, epochs).rungs == rungs
