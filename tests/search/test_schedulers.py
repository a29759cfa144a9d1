"""The scheduler that asks a pruner at rungs decides as a plain Optuna loop that asks after every epoch."""

import warnings

import optuna
import pytest
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import PatientPruner, PercentilePruner, SuccessiveHalvingPruner, ThresholdPruner

from mlptune.search import METHODS, Continue, Progress, Scheduler, Stop, pruner, scheduler
from mlptune.search.searcher import resolve, split_options

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


@pytest.mark.parametrize("epochs", [27, 50, 81, 100])
def test_hyperband_has_four_brackets_whose_first_rungs_differ(epochs):
    study = optuna.create_study(pruner=pruner("hyperband", epochs), study_name="s")
    trial = study.ask()
    trial.report(1.0, 1)
    trial.should_prune()
    assert study.pruner._n_brackets == 4


def test_an_ended_trial_is_not_asked_about():
    study = optuna.create_study(pruner=pruner("none", 3))
    with pytest.raises(ValueError, match="trial 0: has ended, it has trained 3 of 3 epochs"):
        scheduler("pruner", study, 3).decide([Progress(0, study.ask(), 3)])


def test_an_option_belongs_to_the_scheduler_or_to_the_sampler():
    options = {"n_startup_trials": 3, "interval_steps": 2}
    assert split_options(resolve("random", "median"), options) == ({}, options, {})
    assert split_options(resolve("tpe", "median"), options) == ({}, {"interval_steps": 2}, {"n_startup_trials": 3})
    with pytest.raises(
        ValueError, match="options: unknown option 'gamma'; known: interval_steps, n_min_trials, n_startup_"
    ):
        split_options(resolve("random", "median"), {**options, "gamma": 1})
    assert split_options(resolve("bohb"), {"eta": 2, "n_ei_candidates": 9}) == ({"eta": 2}, {}, {"n_ei_candidates": 9})
    with pytest.raises(ValueError, match="options: 'seed' is not an option: the sweep sets it"):
        split_options(resolve("random"), {"seed": 3})
    with pytest.raises(ValueError, match="scheduler pruner: unknown option 'eta'"):
        scheduler("pruner", optuna.create_study(), 3, eta=3)


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("hyperbnd", {}, "pruner: 'hyperbnd' is unknown; did you mean 'hyperband'?"),
        ("medianpruner", {}, "pruner: 'medianpruner' is unknown; did you mean 'MedianPruner'?"),
        ("asha", {"eta": 3}, "pruner asha: unknown option 'eta'"),
        ("asha", {"reduction_facto": 3}, "pruner asha: unknown option 'reduction_facto'; did you mean"),
        ("none", {"max_epochs": 0}, "max_epochs: 0 is not an integer of at least 1"),
    ],
)
def test_a_pruner_that_cannot_be_is_refused_in_one_line(name, options, line):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the line is compared below
        pruner(name, **options)
    assert str(refusal.value).startswith(line)


def test_optunas_pruners_go_by_their_class_names():
    assert type(pruner("ThresholdPruner", upper=1.0)) is ThresholdPruner
    assert pruner("HyperbandPruner", 40)._max_resource == 40


@pytest.mark.parametrize(
    ("method", "own", "names"),
    [
        ("tpe", None, ("tpe", "none", "pruner")),
        ("tpe", "hyperband", ("tpe", "hyperband", "pruner")),
        ("hyperband", None, ("random", "none", "hyperband")),
        ("asha", None, ("random", "none", "asha")),
        ("grid", "median", ("grid", "median", "pruner")),
        ("QMCSampler", None, ("QMCSampler", "none", "pruner")),
        ("QMCSampler", "ThresholdPruner", ("QMCSampler", "ThresholdPruner", "pruner")),
    ],
)
def test_a_method_stands_for_a_sampler_with_a_pruner_or_a_scheduler(method, own, names):
    assert resolve(method, own) == names


@pytest.mark.parametrize(
    ("method", "own", "line"),
    [
        (
            "hyperband",
            "median",
            "pruner: 'median' cannot be combined with method 'hyperband', which has its own scheduler",
        ),
        ("asha", "asha", "pruner: 'asha' cannot be combined with method 'asha', which has its own scheduler"),
        ("bayesain", None, "method: 'bayesain' is unknown; did you mean 'bayesian'?"),
        ("tpe", "mediam", "pruner: 'mediam' is unknown; did you mean 'median'?"),
    ],
)
def test_contradictions_and_unknown_methods_are_refused(method, own, line):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the line is compared below
        resolve(method, own)
    assert str(refusal.value) == line


def test_every_method_of_the_table_resolves():
    for method in METHODS:
        names = resolve(method)
        study = optuna.create_study(pruner=pruner(names.pruner, 20))
        assert isinstance(scheduler(names.scheduler, study, 20), Scheduler)
