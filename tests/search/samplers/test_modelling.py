"""Which hyperparameters a sampler that learns models, how it reads a trial, and on how many threads it computes."""

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from threadpoolctl import threadpool_info, threadpool_limits

from mlptune.search import Space, sampler
from mlptune.search.samplers.modelling import one_thread

X, N, ONE = FloatDistribution(0, 1), IntDistribution(1, 5), CategoricalDistribution(["only"])


@pytest.mark.parametrize("name", ["bayesian", "genetic", "rl", "nas", "auto", "mobster"])
def test_without_a_space_what_finished_trials_have_used_is_modelled(name):
    made = sampler(name)
    study = optuna.create_study(sampler=made)
    assert made.infer_relative_search_space(study, study.ask()) == {}
    study.add_trial(create_trial(value=0.5, params={"x": 0.5}, distributions={"x": X}))
    pruned = {"n": 3, "one": "only"}
    study.add_trial(create_trial(state=TrialState.PRUNED, params=pruned, distributions={"n": N, "one": ONE}))
    study.add_trial(create_trial(state=TrialState.FAIL, params={"f": 0.5}, distributions={"f": X}))
    # A parameter with one value is no axis, and a failed trial says nothing of what is searched.
    assert made.infer_relative_search_space(study, study.ask()) == {"x": X, "n": N}
    space = Space.parse({"y": {"low": 0.0, "high": 2.0}, "one": ["only"]})
    assert sampler(name, space=space).infer_relative_search_space(study, study.ask()) == {"y": space.distributions["y"]}


@pytest.mark.parametrize("name", ["genetic", "rl", "nas", "auto", "mobster"])
def test_a_parameter_outside_the_space_is_drawn_as_random_search_draws_it(name):
    drawn = {}
    for which in (name, "random"):
        study = optuna.create_study(sampler=sampler(which, 3, space={"x": [1, 2, 3]} if which == name else None))
        study.optimize(lambda t: t.suggest_float("other", 0, 1) + t.suggest_categorical("x", [1, 2, 3]), n_trials=14)
        drawn[which] = [trial.params["other"] for trial in study.trials]
    assert drawn[name] == drawn["random"]


def test_blas_computes_on_one_thread_inside_and_as_before_outside():
    def threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with one_thread():  # loads whatever it limits
        pass
    with threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        with one_thread():
            assert threads() == {1}
        assert threads() == {2}
