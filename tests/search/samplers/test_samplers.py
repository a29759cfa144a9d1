"""What all samplers share: proposals are a function of (seed, trial number, history), also in another process and after a crash."""

import json
import math
import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from mlptune.search import sampler
from mlptune.search.samplers import ignores_history
from tests.support import samplers
from tests.support.samplers import SAMPLERS, SPACE, make, new_study, proposals, run_batch, value

LEARNING = ["tpe", "bayesian", "genetic", "rl", "nas", "auto", "bohb", "mobster"]


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_rebuilt_study_goes_on_as_the_lost_one_would_have(name):
    study = new_study(name)
    run_batch(study, 4)
    run_batch(study, 4)
    committed = [pickle.loads(pickle.dumps(t)) for t in study.trials]
    attributes = study._storage.get_study_system_attrs(study._study_id)
    third = run_batch(study, 4)

    rebuilt = new_study(name)
    for key, attribute in attributes.items():
        rebuilt._storage.set_study_system_attr(rebuilt._study_id, key, attribute)
    for t in committed:
        rebuilt.add_trial(
            create_trial(
                state=t.state,
                value=t.value if t.state == TrialState.COMPLETE else None,
                params=t.params,
                distributions=t.distributions,
                intermediate_values=t.intermediate_values,
                system_attrs=json.loads(json.dumps(t.system_attrs)),
            )
        )
    # Whatever of the third batch was told before the crash is asked again with the rest of it.
    assert run_batch(rebuilt, 4) == third
    assert run_batch(rebuilt, 4) == run_batch(study, 4)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_restored_sampler_needs_nothing_of_the_one_that_was_lost(name):
    study = new_study(name)
    run_batch(study, 4)
    run_batch(study, 4)
    study.sampler = make(name)
    third = run_batch(study, 4)
    assert third == proposals(name)[8:]


def test_another_process_with_another_hash_seed_proposes_the_same():
    here = {name: proposals(name) for name in SAMPLERS}
    code = (
        "import importlib.util, json, sys\n"
        "spec = importlib.util.spec_from_file_location('this', sys.argv[1])\n"
        "this = importlib.util.module_from_spec(spec); spec.loader.exec_module(this)\n"
        "print(json.dumps({name: this.proposals(name) for name in this.SAMPLERS}))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "OPENBLAS_NUM_THREADS": "2"}
    there = subprocess.run(
        [sys.executable, "-c", code, samplers.__file__], capture_output=True, text=True, env=environment, check=True
    )
    assert json.loads(there.stdout) == here


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "grid"])
def test_the_seed_is_honoured(name):
    assert proposals(name, seed=0) != proposals(name, seed=1)


@pytest.mark.parametrize("name", LEARNING)
def test_the_points_of_a_batch_differ_from_one_another(name):
    study = new_study(name)
    run_batch(study, 8)
    points = run_batch(study, 8)
    assert len({json.dumps(point) for point in points}) == 8


@pytest.mark.parametrize("name", [*LEARNING, "NSGAIISampler"])
def test_what_learns_does_not_ignore_history(name):
    assert not ignores_history(make(name))
    study = new_study(name)
    for _ in range(2):
        run_batch(study, 4)
    mirror = new_study(name, direction="maximize")
    for t in study.trials:
        mirror.add_trial(t)
    assert run_batch(mirror, 4) != run_batch(study, 4)


@pytest.mark.parametrize("name", LEARNING)
def test_maximising_mirrors_minimising(name):
    points = {}
    for direction, sign in (("minimize", 1), ("maximize", -1)):
        study = optuna.create_study(sampler=make(name), direction=direction)
        points[direction] = []
        for _ in range(8):
            trial = study.ask()
            points[direction].append(SPACE.suggest(trial))
            study.tell(trial, sign * value(trial.number, points[direction][-1]))
    assert points["minimize"] == points["maximize"]


@pytest.mark.parametrize("name", ["tpe", "bayesian", "genetic", "auto"])
def test_the_model_finds_what_chance_does_not(name):
    table = {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 0.0, "high": 1.0}}
    trials = 18 if name == "bayesian" else 40
    best = {}
    for which in (name, "random"):
        results = []
        for seed in range(3):
            options = {"n_points": 100, "acq_func": "EI"} if which == "bayesian" else {}
            study = optuna.create_study(sampler=sampler(which, seed, space=table, **options))
            study.optimize(
                lambda t: (t.suggest_float("x", 0, 1) - 0.7) ** 2 + t.suggest_float("y", 0, 1), n_trials=trials
            )
            results.append(study.best_value)
        best[which] = np.mean(results)
    assert best[name] < best["random"] / 2


@pytest.mark.parametrize("state", [TrialState.FAIL, TrialState.PRUNED, TrialState.COMPLETE])
@pytest.mark.parametrize("name", LEARNING)
def test_a_study_without_one_finite_value_goes_on(name, state):
    study = new_study(name)
    points = []
    for _ in range(3):
        trials = [study.ask() for _ in range(4)]
        points += [SPACE.suggest(trial) for trial in trials]
        for trial in trials:
            study.tell(trial, math.inf if state == TrialState.COMPLETE else None, state=state)
    assert len({json.dumps(point) for point in points}) > 8


@pytest.mark.parametrize("name", LEARNING)
def test_huge_values_are_survived(name):
    study = new_study(name)
    for number in range(8):
        trial = study.ask()
        SPACE.suggest(trial)
        study.tell(trial, [1e308, -1e308, 1.0, 2.0][number % 4])


@pytest.mark.parametrize("name", LEARNING)
def test_a_space_smaller_than_the_budget_is_no_trouble(name):
    study = optuna.create_study(sampler=sampler(name, space={"x": [1, 2, [3]]}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study.optimize(lambda trial: len(trial.suggest_categorical("x", [1, 2, "[3]"]).__str__()), n_trials=16)
    assert {t.params["x"] for t in study.trials} == {1, 2, "[3]"}


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("bayes", {}, "sampler: 'bayes' is unknown; did you mean 'bayesian'?"),
        ("TPE", {}, "sampler: 'TPE' is unknown; did you mean 'tpe'?"),
        ("tpe", {"n_startup": 3}, "sampler tpe: unknown option 'n_startup'; did you mean 'n_startup_trials'?"),
        ("QMCSampler", {"scrambl": 1}, "sampler QMCSampler: unknown option 'scrambl'; did you mean 'scramble'?"),
        ("random", {"n": 1}, "sampler random: unknown option 'n'"),
        ("grid", {}, "sampler grid: needs space="),
        ("bayesian", {"base_estimator": "GBRT"}, "base_estimator: 'GBRT' does not work in scikit-optimize 0.10"),
        ("bayesian", {"base_estimator": "gp"}, "base_estimator: 'gp' is unknown; did you mean 'GP'?"),
        ("bayesian", {"acq_func": "EIps"}, "acq_func: 'EIps' needs cost=, a function that counts"),
        ("bayesian", {"acq_func": "IE"}, "acq_func: 'IE' is unknown"),
        ("bayesian", {"liar": "cl_men"}, "liar: 'cl_men' is unknown; did you mean 'cl_mean'?"),
        ("bayesian", {"n_initial_points": 0}, "n_initial_points: 0 is not an integer of at least 1"),
        ("random", {"seed": 1.5}, "seed: 1.5 is not an integer"),
    ],
)
def test_a_sampler_that_cannot_be_is_refused_in_one_line(name, options, line):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the line is compared below
        sampler(name, **options)
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


def test_scikit_optimize_is_imported_only_when_used():
    code = (
        "import sys; from mlptune.search import sampler\n"
        "for name in ('random', 'tpe', 'bayesian', 'auto'): sampler(name)\n"
        "sys.exit('skopt' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["grid", "random", "quasirandom", *LEARNING])
def test_a_sampler_can_be_pickled_in_mid_study(name):
    study = new_study(name)
    run_batch(study, 4)
    run_batch(study, 4)
    study.sampler = pickle.loads(pickle.dumps(study.sampler))
    assert run_batch(study, 4) == proposals(name)[8:]
