"""A plan is what follows from a sweep file and its data: the default space and budget, and what is judged."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import UserError
from mlptune.experiments.launch.plan import make_plan
from tests.support.plans import planned

STANDARD = {"standardize": True}  # what every sweep does with its table


def test_a_bare_file_gets_a_space_and_a_budget_that_fit_the_data():
    plan = planned()
    names = {"learning_rate", "hidden", "dropout", "weight_decay", "embedding", "embedding_sigma", "label_smoothing"}
    assert set(plan.space) == names
    recipe = {"optimizer": "adamw", "batch_size": 32, "scaling": "quantile"}
    assert plan.fixed == {**recipe, "epochs": 64, "early_stopping": 16, "schedule": "cosine", **STANDARD}
    assert (plan.total, plan.max_epochs, plan.seeds, plan.loss) == (64, 64, (0,), "cross_entropy")
    assert plan.notes == ()


def test_a_stated_space_is_not_parsed_again():
    spec, _ = load_spec({"data": {"source": "sklearn:iris"}, "space": {"l2": [0.0, 0.1]}})
    plan = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
    assert plan.space is spec.parsed_space


@pytest.mark.parametrize("method", ["grid", "tpe", "bohb", "RandomSampler", "auto", "random", "hyperband"])
def test_priors_that_a_method_does_not_use_are_told(method):
    space = {
        "l2": {"low": 0.0, "high": 0.1, "points": 3, "prior": 0.01},
        "hidden": {"choices": [[4], [8]], "prior": [8]},
    }
    notes = planned(space=space, search={"method": method}, model={"epochs": 2}).notes
    used = method in ("auto", "random", "hyperband")
    users = "random, auto, hyperband, asha, mobster, pbt"
    assert notes == (() if used else (f"priors (l2, hidden) are not used by method {method}, but by {users}",))


def test_the_budget_of_the_user_is_left_as_it_is():
    space = {"l2": [0.0, 0.1]}
    assert planned(model={"epochs": 7}, space=space).fixed == {"epochs": 7, **STANDARD}
    # The default space comes with the optimizer and the batch size that it is made for, and nothing that ends training.
    assert not {"early_stopping", "schedule"} & planned(model={"epochs": 7}).fixed.keys()
    assert planned(model={"preset": "strong"}).fixed == {"preset": "strong", **STANDARD}
    searched = planned(space={"epochs": {"low": 2, "high": 9}, "l2": [0.0, 0.1]})
    assert (searched.fixed, searched.max_epochs) == (STANDARD, 9)


def test_the_loss_follows_from_the_target():
    losses = {source: planned(f"sklearn:{source}").loss for source in ("iris", "breast_cancer", "diabetes")}
    assert losses == {"iris": "cross_entropy", "breast_cancer": "log_loss", "diabetes": "squared_error"}


def test_a_grid_over_the_default_space_is_possible_where_only_choices_are_left():
    model = {"preset": "plain", "learning_rate": 0.01, "dropout": 0.0, "l2": 0.0}
    assert planned(model=model, search={"method": "grid"}).total == 8
    with pytest.raises(UserError, match=r"the grid has 8 points, more than 3 trials; give it 8, or set partial"):
        planned(model=model, search={"method": "grid", "trials": 3})


def test_training_in_step_switches_off_what_would_end_a_trial_early():
    plan = planned(
        model={"epochs": 6, "early_stopping": 2, "l2": 0.1},
        space={"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}},
        search={"method": "pbt", "trials": 8, "batch": 4, "timeout": 60},
    )
    assert list(plan.fixed.items()) == [("epochs", 6), ("early_stopping", 0), ("l2", 0.1), *STANDARD.items()]
    assert plan.spec.model["early_stopping"] == 2
    assert [note.split()[0] for note in plan.notes] == ["timeout", "batch", "early_stopping"]
    bare = planned(space={"learning_rate": {"low": 1e-3, "high": 1e-1}}, search={"method": "pbt"})
    assert (bare.fixed["early_stopping"], bare.notes) == (0, ())


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"search": {"method": "grid"}}, "[search] method: a grid needs a [space] table whose ranges have points or"),
        ({"objective": {"metric": "rmse"}}, "[objective] metric: 'rmse' is not a metric for classification; known: "),
        (
            {"objective": {"metric": "val_f1"}},
            "[objective] metric: 'f1' is of two classes, not of 3; take 'f1_macro'",
        ),
        (
            {"model": {"epochs": 3, "changes": [[4, {"l2": 0.1}]]}},
            "[model] changes: epoch 4 is never trained, the last",
        ),
        ({"search": {"options": {"gamma": 3}}}, "options: unknown option 'gamma'"),
        ({"search": {"trials": 1, "start": [{}, {}]}}, "[search] start: 2 configurations, but trials = 1"),
        (
            {"search": {"start": [{"dropout": 7.0}]}},
            "[search] start: configuration 1: dropout: 7.0 is not in the range",
        ),
        (
            {"search": {"method": "nas"}, "model": {"layers": 6}},
            "[space] units_5: missing, but layers goes up to 6",
        ),
        (
            {"model": {"hidden": [4], "batch_norm": True, "layer_norm": True}},
            "[model] layer_norm must be false where batch_norm is",
        ),
        (
            {"search": {"method": "pbt"}, "model": {"epochs": 9, "changes": [[2, {"l2": 0.1}]]}},
            "[model] changes: method pbt makes the changes itself; leave them out",
        ),
        (
            {"search": {"method": "pbt"}, "space": {"l2": [0.0, 0.1], "early_stopping": [1, 2]}},
            "[space] early_stopping: cannot be searched by pbt, which trains all to the last epoch",
        ),
    ],
)
def test_what_does_not_fit_the_data_or_the_method_is_refused(tables, message):
    with pytest.raises(UserError) as caught:
        planned(**tables)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plan_is_only_facts():
    plan = planned(data={"seeds": 2, "folds": 3}, seed=5)
    with pytest.raises(FrozenInstanceError):
        plan.total = 3  # type: ignore[misc]
    task = plan.task()
    assert (task.seeds, task.order_seed, task.loss, task.n_outputs) == ((5, 6), 5, "cross_entropy", 3)
    assert task.fingerprint == plan.dataset.fingerprint
    for fold, encoded in zip(task.folds, plan.dataset.folds(), strict=True):
        assert np.shares_memory(fold.X, encoded.arrays.X)
