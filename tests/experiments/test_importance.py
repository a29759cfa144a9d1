"""Permutation importance: shuffling encoded rows is shuffling the cells."""

import numpy as np
import pandas as pd
import pytest

import mlptune
from mlptune.experiments.importance import permutation_importance

COLUMNS = ["power", "noise", "colour", "when"]


@pytest.mark.parametrize("metric", ["accuracy", "loss", "f1"])
def test_it_is_the_fall_of_the_score_when_the_cells_of_a_column_are_shuffled(store: str, metric: str) -> None:
    random = np.random.default_rng(0)
    n = 120
    frame = pd.DataFrame(
        {
            "power": random.normal(size=n),
            "noise": np.where(random.uniform(size=n) < 0.2, np.nan, random.normal(size=n)),
            "colour": random.choice(["red", "green", "blue"], n),
            "when": pd.date_range("2026-01-01", periods=n, freq="D").astype(str),
        }
    )
    label = np.where(frame["power"] + (frame["colour"] == "red") + 0.3 * random.normal(size=n) > 0.4, "yes", "no")
    sweep = {
        "name": "cells",
        "data": {"target": "label"},
        "model": {"epochs": 6, "hidden": [8]},
        "space": {"learning_rate": [0.01, 0.03]},
        "search": {"method": "grid"},
        "objective": {"metric": "f1"} if metric == "f1" else {},
    }
    mlptune.run_sweep(sweep, data=frame.assign(label=label), workers=1)
    model = mlptune.load_model("cells")
    found = permutation_importance(model, frame, label, None, metric)
    assert list(found) == model.parts[0].encoder.columns == COLUMNS
    stream = np.random.default_rng(0)
    whole = model.evaluate(frame, label, None, metric)
    for column in COLUMNS:
        shuffled = frame.assign(**{column: frame[column].to_numpy()[stream.permutation(n)]})
        assert found[column] == pytest.approx(whole - model.evaluate(shuffled, label, None, metric), abs=1e-6)
    assert max(found, key=lambda name: abs(found[name])) == "power"
