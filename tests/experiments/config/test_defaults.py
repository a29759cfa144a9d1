"""What the data decide where a sweep file is silent: the space around what [model] fixes, and the budget."""

import pytest

from mlptune.experiments.config.defaults import default_model, default_space_table
from mlptune.search import Space


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
    table = default_space_table(model, "nas", 1000, "classification")
    Space.parse(table, "space", model)
    last = max(int(n.rpartition("_")[2]) for n in table if n.startswith("skip"))
    assert {n for n in table if not n[-1].isdigit() or n.endswith(f"_{last}")} == names


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ({}, {"learning_rate", "hidden", "batch_size", "dropout", "l2"}),
        ({"hidden": [8], "l2": 0.0}, {"learning_rate", "batch_size", "dropout"}),
        ({"layers": 1, "units_1": 8}, {"learning_rate", "batch_size", "dropout", "l2"}),
    ],
)
def test_the_default_space_leaves_out_what_the_model_fixes(model, names):
    assert set(default_space_table(model, "auto", 1000, "regression")) == names


def test_the_default_budget_shrinks_with_the_table():
    epochs = [default_model(n_rows)["epochs"] for n_rows in (100, 5000, 20000)]
    assert epochs == [100, 50, 30]
    assert default_model(100) == {"epochs": 100, "early_stopping": 20, "schedule": "cosine"}
