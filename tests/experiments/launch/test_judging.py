"""Rows that cannot judge a model: refused in one line before anything is trained."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.frames import memory_table
from mlptune.experiments.errors import UserError
from mlptune.experiments.launch.plan import plan_of


def plan(frame: pd.DataFrame, metric: str = "val_score", **data: Any) -> None:
    objective = {"metric": metric}
    spec, _ = load_spec({"name": "a", "data": {"source": "memory", "target": "y", **data}, "objective": objective})
    plan_of(spec, memory_table(frame, "y"))


def numbers(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(size=n), "y": rng.normal(size=n), "day": np.arange(n), "w": 1.0})


ORDERED = {"time": "day", "weight": "w", "test_size": 0.2, "validation": 0.25}


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (slice(48, 60), r"\[data\] weight: is zero in every test row; "),
        (slice(36, 48), r"\[data\] weight: is zero in every validation row; "),
        (slice(0, 36), r"\[data\] weight: is zero in every training row; "),
    ],
)
def test_weights_that_are_all_0_in_a_part(rows: slice, line: str) -> None:
    frame = numbers()
    plan(frame, **ORDERED)
    frame.loc[frame.index[rows], "w"] = 0.0
    with pytest.raises(UserError, match=line):
        plan(frame, **ORDERED)


def test_the_fold_is_named() -> None:
    frame = numbers()
    frame.loc[30:39, "w"] = 0.0
    with pytest.raises(UserError, match=r"zero in every validation row of fold 3; "):
        plan(frame, time="day", weight="w", test_size=0, folds=5)


def test_r2_needs_targets_that_differ() -> None:
    frame = numbers(24)
    few = {"validation": 0.04, "test_size": 0.1}
    with pytest.raises(UserError, match=r"R2 needs targets that differ, and there is one among the validation rows; "):
        plan(frame, **few)
    plan(frame, "val_loss", **few)
    plan(frame, "rmse", **few)
    frame.loc[12:17, "y"] = 3.0
    same = {"time": "day", "test_size": 0.25, "validation": 0.33}
    with pytest.raises(UserError, match=r"and the validation rows all have the same one; .* metric = \"val_loss\""):
        plan(frame, "r2", **same)
    plan(frame.assign(y=lambda f: f["y"] > 0), **few)


def test_a_fold_that_cannot_judge_is_told_where_others_can() -> None:
    frame = numbers()
    frame.loc[frame.index[40:50], "y"] = 3.0
    spec, _ = load_spec({"data": {"source": "memory", "target": "y", "time": "day", "test_size": 0, "folds": 5}})
    notes = plan_of(spec, memory_table(frame, "y")).notes
    assert any("validation rows of fold 4 all have the same target" in note for note in notes)


def test_nothing_is_written_for_such_data(store: str) -> None:
    with pytest.raises(UserError, match="R2 needs"):
        mlptune.run_sweep(
            data=numbers(24).drop(columns=["day", "w"]), target="y", overrides={"data.validation": 0.04}, workers=1
        )
    assert mlptune.experiments.queries.list_sweeps() == []
