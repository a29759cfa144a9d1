"""A method and a pruner resolved into sampler, pruner and scheduler, with their options."""

import re

import optuna
import pytest

from mlptune.search import METHODS, Scheduler, Space, plugins, pruner, sampler, scheduler
from mlptune.search.searcher import resolve, split_options


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
    assert resolve(method, own) == resolve(method, own, in_epochs=True) == names


def test_with_a_budget_in_epochs_auto_chooses_whether_to_promote_unless_a_pruner_is_named():
    assert resolve("auto") == ("auto", "none", "pruner")
    assert resolve("auto", in_epochs=True) == ("mobster", "none", "early_curves")
    assert resolve("auto", "none", in_epochs=True) == ("auto", "none", "pruner")
    assert resolve("auto", "median", in_epochs=True) == ("auto", "median", "pruner")


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


@pytest.mark.parametrize("name", [name for name in optuna.samplers.__all__ if name.endswith("Sampler")])
def test_every_sampler_of_optuna_proposes_or_says_what_it_wants(name: str) -> None:
    """Also after the trials in which some of them only draw at random: what they import they import then."""
    space = Space.parse(
        {"l2": {"low": 0.1, "high": 0.5, "step": 0.1}, "momentum": {"low": 0.0, "high": 0.9, "step": 0.1}}
    )
    try:
        resolve(name)
        made = sampler(name, 0, space=space)
    except ValueError as error:
        assert re.search(
            r"pip install \w+$|it wants (the points|a sampler object).*(method|\[model\])|is unknown", str(error)
        ), error
        return
    study = optuna.create_study(sampler=made)
    for _ in range(14):
        trial = study.ask()
        space.suggest(trial)
        study.tell(trial, trial.params["l2"])
    assert len(study.trials) == 14


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="method: CmaEsSampler needs the package cmaes: pip install cmaes"):
        resolve("CmaEsSampler")
    with pytest.raises(ValueError, match="GPSampler needs the package torch: pip install torch"):
        sampler("GPSampler")


CLASSES = [
    name
    for name, cls in vars(optuna.samplers).items()
    if isinstance(cls, type) and issubclass(cls, optuna.samplers.BaseSampler) and name in optuna.samplers.__all__
]


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_of_optuna_proposes_as_a_function_of_history_or_says_why_not(name: str) -> None:
    """Four batches of a space with fewer points than trials, and the last of them again by another sampler of the same seed."""
    space = Space.parse(
        {"activation": ["relu", "tanh"], "layers": {"low": 1, "high": 2}, "units_1": [4], "units_2": [4, 8]}
    )
    try:
        assert resolve(name).sampler == name
    except ValueError as error:
        assert str(error).startswith("method: ")
        assert re.search("needs the package|is unknown|grid|\\[model\\]", str(error))
        assert "\n" not in str(error)
        return

    def batch(study: optuna.Study) -> list[dict[str, object]]:
        trials = [study.ask() for _ in range(4)]
        points = [space.suggest(trial) for trial in trials]
        for trial, point in zip(trials, points, strict=True):
            study.tell(trial, float(point["layers"]))
        return points

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name="s", sampler=sampler(name, 3, space=space))
    for _ in range(3):
        batch(study)
    again = optuna.create_study(study_name="s", sampler=sampler(name, 3, space=space))
    again.add_trials(study.get_trials())
    for key, value in study._storage.get_study_system_attrs(study._study_id).items():
        again._storage.set_study_system_attr(again._study_id, key, value)
    assert batch(again) == batch(study)
