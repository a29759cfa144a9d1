"""What the data decide where a sweep file is silent: the space around what [model] fixes, and the budget."""

import pytest

from mlptune.experiments.config.defaults import default_model, default_space_table, default_starts
from mlptune.search import Space
from mlptune.search.searcher import resolve


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ({}, {"layers", "units_4", "activation_4", "batch_norm_4", "skip_4", "learning_rate"}),
        ({"layers": 2}, {"units_2", "activation_2", "batch_norm_2", "skip_2", "learning_rate"}),
        ({"hidden": [8, 8]}, {"activation_2", "batch_norm_2", "skip_2", "learning_rate"}),
        ({"activation": "elu", "layer_norm": True}, {"layers", "units_4", "skip_4", "learning_rate"}),
    ],
)
def test_architecture_search_without_a_space_searches_what_the_model_leaves_open(model, names):
    table = default_space_table(model, resolve("nas"), 1000, "classification")
    Space.parse(table, "space", model)
    last = max(int(n.rpartition("_")[2]) for n in table if n.startswith("skip"))
    assert {n for n in table if not n[-1].isdigit() or n.endswith(f"_{last}")} == names


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ({}, {"learning_rate", "hidden", "dropout", "weight_decay", "embedding", "embedding_sigma"}),
        ({"embedding": "piecewise"}, {"learning_rate", "hidden", "dropout", "weight_decay"}),
        ({"preset": "strong"}, {"learning_rate", "dropout", "weight_decay", "embedding_sigma"}),
        ({"preset": "plain"}, {"learning_rate", "hidden", "batch_size", "dropout", "l2"}),
        ({"preset": "plain", "hidden": [8], "l2": 0.0}, {"learning_rate", "batch_size", "dropout"}),
        ({"preset": "plain", "layers": 1, "units_1": 8}, {"learning_rate", "batch_size", "dropout", "l2"}),
    ],
)
def test_the_default_space_leaves_out_what_the_model_fixes(model, names):
    assert set(default_space_table(model, resolve("auto"), 1000, "regression")) == names


def test_without_numbers_there_is_nothing_to_embed():
    assert "embedding" not in default_space_table({}, resolve("auto"), 1000, "classification", n_numeric=0)


def test_the_default_budget_shrinks_with_the_table():
    for model in ({}, {"preset": "plain"}):
        epochs = [default_model(model, n, with_space=False)["epochs"] for n in (100, 5000, 20000)]
        assert epochs == sorted(epochs, reverse=True)
        assert len(set(epochs)) == 3
    plain = default_model({"preset": "plain"}, 100, with_space=False)
    assert plain == {"epochs": 100, "early_stopping": 20, "schedule": "cosine"}
    # A space of the user's own may be made for another optimizer, so only the budget is added to it.
    assert default_model({}, 100, with_space=True) == plain


def test_a_budget_that_was_chosen_is_left_as_it_is():
    assert default_model({"epochs": 7}, 100, with_space=True) == {}
    assert "early_stopping" not in default_model({"epochs": 7}, 100, with_space=False)
    assert default_model({"preset": "strong"}, 100, with_space=False) == {}


def test_the_recipe_goes_with_the_default_space_alone_and_leaves_what_is_given():
    recipe = default_model({"optimizer": "sgd"}, 100, with_space=False)
    assert "optimizer" not in recipe
    assert recipe["batch_size"] == 32
    assert "batch_size" not in default_model({}, 100, with_space=True)


def test_what_is_tried_first_is_of_the_default_space_and_of_the_default_searcher():
    names = default_space_table({}, resolve("auto"), 500, "regression")
    points = default_starts({}, "auto", 500, names)
    assert len(points) == 8
    assert all(point.keys() <= names.keys() for point in points)
    assert default_starts({}, "random", 500, names) == []
    assert default_starts({"preset": "strong"}, "auto", 500, names) == []
    depths = default_starts({}, "auto", 500, ["hidden"])
    assert depths == [{"hidden": [64, 64]}, {"hidden": [64, 64, 64]}]
    assert default_starts({}, "auto", 500, []) == []
