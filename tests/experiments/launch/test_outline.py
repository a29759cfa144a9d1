"""An outline says what a sweep does: its numbers are those of the engine, counted another way."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.core.estimators import MLPClassifier
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.frames import MemoryTable
from mlptune.experiments.launch.outline import Outline, outline
from mlptune.experiments.launch.plan import plan_of

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": RNG.normal(size=90), "b": RNG.choice(["x", "y"], 90), "y": RNG.choice(["p", "q", "r"], 90)})

NUMBERS = FRAME.assign(b=RNG.normal(size=90))


def outlined(frame: pd.DataFrame = FRAME, workers: int = 2, **tables: Any) -> Outline:
    data = {"source": "memory", "target": "y", **tables.pop("data", {})}
    spec, _ = load_spec({"name": "s", "data": data, **tables})
    return outline(plan_of(spec, MemoryTable(frame, "y")), frame, (), workers)


def test_rows_and_networks_add_up() -> None:
    found = outlined(data={"folds": 3, "seeds": 2, "test_size": 0.1})
    assert found.data["test"] == 9
    assert (found.data["train"], found.data["validation"]) == (54, 27)
    assert found.networks["per_trial"] == 6
    assert found.networks["inputs"] == sum(column.inputs for column in found.columns) == 3
    assert outlined(FRAME.assign(y=[None, *FRAME["y"][1:]])).data["without_target"] == 1


WIDTHS = st.lists(st.integers(1, 9), min_size=1, max_size=3)


@settings(max_examples=15)
@given(
    st.lists(WIDTHS, min_size=1, max_size=4, unique_by=tuple),
    st.sampled_from([["none"], ["none", "ple"], ["periodic"]]),
)
def test_the_smallest_and_the_largest_network_are_those_of_all(hidden: list[list[int]], embedding: list[str]) -> None:
    space = {"hidden": hidden, "embedding": embedding, "learning_rate": {"low": 0.01, "high": 0.1}}
    found = outlined(NUMBERS, space=space)
    sizes = [_n_weights(widths, kind) for widths, kind in itertools.product(hidden, embedding)]
    assert (found.networks["smallest"], found.networks["largest"]) == (min(sizes), max(sizes))


def _n_weights(hidden: list[int], embedding: str) -> int:
    """The weights of an estimator that was trained on the same columns."""
    model = MLPClassifier(hidden=hidden, embedding=embedding, epochs=1).fit(NUMBERS[["a", "b"]], NUMBERS["y"])
    return int(model._state.theta.shape[1])


def test_layers_that_are_searched_one_by_one_count() -> None:
    space = {"layers": {"low": 1, "high": 3}, "units_1": [2, 5], "units_2": [3, 4], "units_3": [1, 2]}
    found = outlined(space=space)
    assert found.networks["smallest"] == (3 + 1) * 2 + (2 + 1) * 3
    assert found.networks["largest"] == (3 + 1) * 5 + (5 + 1) * 4 + (4 + 1) * 2 + (2 + 1) * 3


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({}, "an ensemble of finished trials, at most 16 picks; scored once"),
        ({"objective": {"ensemble": 0}}, "trained again on all rows"),
        ({"objective": {"ensemble": 0, "refit": False}}, "the best trial's own networks"),
        ({"space": {}}, "trained again on all rows"),
    ],
)
def test_what_is_handed_back(tables: dict[str, Any], words: str) -> None:
    assert words in outlined(**tables).hands_back
    assert "scored" not in outlined(**tables, data={"test_size": 0}).hands_back


def test_more_workers_are_quicker_and_take_more_memory() -> None:
    one, four = outlined(workers=1).forecast, outlined(workers=4).forecast
    assert one["seconds"] == pytest.approx(4 * four["seconds"])
    assert one["memory_bytes"] < four["memory_bytes"]
    assert outlined(search={"minutes": 2}).forecast["seconds"] == 120


@pytest.mark.parametrize(
    ("y", "task", "why"),
    [
        (FRAME["y"], "classification", "words"),
        (np.arange(90) % 4, "classification", "few whole numbers"),
        (FRAME["y"] == "p", "classification", "true or false"),
        (RNG.normal(size=90), "regression", "numbers"),
    ],
)
def test_why_the_task_is_what_it_is(y: Any, task: str, why: str) -> None:
    found = outlined(FRAME.assign(y=y))
    assert found.target["task"] == task
    assert why in found.target["why"]
