"""What a plan's search is made of: the study with its first trials, the budget, and the cost of a configuration."""

import math
from typing import Any

import pytest

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import UserError
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from mlptune.experiments.launch.searching import (
    UNBLOCKED_BATCH,
    create_scheduler,
    create_study,
    describe_search,
    search_budget,
    training_cost,
)
from tests.support.sweeps import small

SPACE = {"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}, "hidden": [[8], [80]]}


def planned(search: dict[str, Any], space: dict[str, Any] = SPACE) -> SweepPlan:
    spec, _ = load_spec(
        {"data": {"source": "sklearn:iris"}, "model": {"epochs": 9}, "space": space, "search": {"trials": 12, **search}}
    )
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))


@pytest.mark.parametrize(
    ("search", "batch"),
    [
        ({"method": "tpe"}, 8),
        ({"method": "tpe", "batch": 3}, 3),
        ({"method": "random"}, UNBLOCKED_BATCH),
        ({"method": "random", "timeout": 60}, 32),
        ({"method": "random", "timeout": 60, "batch": 40}, 40),
        ({"method": "random", "pruner": "median"}, 8),
    ],
)
def test_only_a_search_without_history_and_pruner_has_no_barrier(search, batch):
    plan = planned(search)
    budget = search_budget(plan, create_study(plan))
    assert (budget.total, budget.batch, budget.max_epochs) == (12, batch, 9)
    assert budget.timeout == search.get("timeout")


def test_the_first_trials_are_those_to_start_with():
    plan = planned({"method": "tpe"})
    study = create_study(plan, [{"learning_rate": 0.01, "hidden": [8]}])
    assert plan.space.suggest(study.ask()) == {"learning_rate": 0.01, "hidden": [8]}
    assert study.study_name == "mlptune"


def test_a_scheduler_is_described_before_it_runs():
    plan = planned({"method": "hyperband"})
    study = create_study(plan)
    assert describe_search(plan, study, create_scheduler(plan, study))


def test_options_that_sampler_or_scheduler_refuse_are_the_users():
    for search in ({"method": "tpe", "options": {"n_ei_candidates": 0}}, {"method": "pbt", "options": {"interval": 0}}):
        plan = planned(search)
        with pytest.raises(UserError):
            create_scheduler(plan, create_study(plan))


def test_a_wider_network_costs_more_and_an_impossible_one_infinitely_much():
    plan = planned({"method": "random"})
    narrow, wide = (training_cost(plan, {"learning_rate": 0.1, "hidden": hidden}) for hidden in ([8], [80]))
    assert 5 * narrow < wide < 20 * narrow
    assert training_cost(plan, {"learning_rate": -1.0, "hidden": [8]}) == math.inf


def test_improvement_per_cost_counts_the_operations_of_the_sweep(store: str) -> None:
    """The cost of a configuration is the engine's count; the sweep says nothing of it and takes no time of day."""
    options = {"acq_func": "EIps", "n_initial_points": 6, "n_points": 200}
    spec, _ = load_spec(small("bayesian", search__options=options))
    plan = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
    wide = training_cost(plan, {"learning_rate": 0.1, "hidden": [800], "dropout": 0.0})
    assert wide / 150 < training_cost(plan, {"learning_rate": 0.1, "hidden": [8], "dropout": 0.0}) < wide / 50
    assert training_cost(plan, {"learning_rate": -1.0, "hidden": [8], "dropout": 0.0}) == math.inf
    first = mlptune.run_sweep(small("bayesian", search__options=options), workers=1)
    second = mlptune.run_sweep(small("bayesian", search__options=options, name="other"), workers=2)
    assert first.trials["value"].tolist() == second.trials["value"].tolist()


def test_what_a_sampler_of_others_cannot_do_is_said_before_anything_is_trained() -> None:
    with pytest.raises(UserError, match=r"\[search\] method: BruteForceSampler: .*step must be given"):
        create_study(planned({"method": "BruteForceSampler"}))
    create_study(planned({"method": "NSGAIISampler"}))
