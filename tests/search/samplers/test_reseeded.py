"""Optuna's samplers made repeatable: their proposals depend on the study alone, not on what a process drew before."""

import inspect
import warnings

import optuna
import pytest
from optuna.samplers import PartialFixedSampler, RandomSampler, TPESampler

from mlptune.search.samplers.reseeded import reseeded


def point(study):
    trial = study.ask()
    return trial, [trial.suggest_float("x", 0, 1), trial.suggest_categorical("c", ["a", "b", "c"])]


def proposals(make, n=12, rebuilt=()):
    """The points of a study; its sampler is made anew, and the study rebuilt, before the trials with these numbers."""
    study = optuna.create_study(sampler=make())
    found = []
    for number in range(n):
        if number in rebuilt:
            told, study = study.trials, optuna.create_study(sampler=make())
            study.add_trials(told)
        trial, values = point(study)
        study.tell(trial, abs(values[0] - 0.3))
        found.append(values)
    return found


MAKERS = {
    "random": lambda seed: reseeded(RandomSampler)(seed),
    "tpe": lambda seed: reseeded(TPESampler)(seed, n_startup_trials=4),
    "tpe around a fixed value": lambda seed: reseeded(PartialFixedSampler)(
        seed, fixed_params={"c": "b"}, base_sampler=TPESampler(n_startup_trials=4)
    ),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_rebuilt_study_goes_on_where_optunas_own_sampler_would_not(name):
    assert proposals(lambda: MAKERS[name](1)) == proposals(lambda: MAKERS[name](1), rebuilt=(3, 7, 8))
    assert proposals(lambda: MAKERS[name](1)) != proposals(lambda: MAKERS[name](2))
    plain = proposals(lambda: TPESampler(seed=1, n_startup_trials=4))
    assert plain != proposals(lambda: TPESampler(seed=1, n_startup_trials=4), rebuilt=(3,))


def test_the_values_are_spread_as_evenly_as_if_the_generator_had_never_been_seeded_anew():
    study = optuna.create_study(sampler=reseeded(RandomSampler)(0))
    values = sorted(study.ask().suggest_float("x", 0, 1) for _ in range(500))
    assert max(abs(v - (i + 0.5) / 500) for i, v in enumerate(values)) < 0.08


def test_it_has_the_name_and_the_options_of_optunas_class():
    factory = reseeded(TPESampler)
    assert isinstance(factory(0), TPESampler)
    assert type(factory(0)).__name__ == "TPESampler"
    assert set(inspect.signature(factory).parameters) == set(inspect.signature(TPESampler).parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # whoever names a sampler that Optuna calls experimental has chosen it
        assert isinstance(
            reseeded(PartialFixedSampler)(0, fixed_params={}, base_sampler=RandomSampler()), PartialFixedSampler
        )
