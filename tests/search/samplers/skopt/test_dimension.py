"""Values become dimensions of scikit-optimize and come back."""

import optuna
from skopt.space import Categorical, Integer

from mlptune.search import Space, sampler
from mlptune.search.samplers.skopt.dimension import SkoptDimension

CHOICES = {"units": [64, 8, 32, 16], "activation": ["relu", "tanh", "silu"], "batch_norm": [False, True]}


def test_lists_of_numbers_have_an_order_and_words_have_none():
    axes = {
        name: SkoptDimension(name, distribution) for name, distribution in Space.parse(CHOICES).distributions.items()
    }
    assert axes["units"].as_skopt() == Integer(0, 3)
    assert [axes["units"].encode(v) for v in (8, 16, 32, 64)] == [0, 1, 2, 3]
    for name in ("activation", "batch_norm"):
        assert isinstance(axes[name].as_skopt(), Categorical)
    for name, axis in axes.items():
        assert sorted(axis.encode(v) for v in CHOICES[name]) == list(range(len(CHOICES[name])))
        assert all(axis.decode(axis.encode(v)) == v for v in CHOICES[name])
        assert axis.encode("no such choice") == axis.middle


def test_proposals_do_not_depend_on_the_order_in_which_numbers_are_listed():
    def proposals(units):
        study = optuna.create_study(
            sampler=sampler("bayesian", n_initial_points=4, n_points=200, space={"units": units})
        )
        for _ in range(8):
            trial = study.ask()
            study.tell(trial, abs(trial.suggest_categorical("units", units) - 20))
        return [trial.params["units"] for trial in study.trials]

    assert proposals([64, 8, 32, 16, 48]) == proposals([8, 16, 32, 48, 64])
