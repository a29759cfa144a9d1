"""All problems of a sweep are told at once, in the words of a run; where there are none, a run would begin."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import UserError
from mlptune.experiments.examine import examine
from mlptune.experiments.launch.plan import make_plan

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "power": RNG.normal(size=80),
        "colour": RNG.choice(["red", "blue"], 80),
        "note": [f"a note {i}" for i in range(80)],
        "kind": RNG.choice(["a", "b", "c"], 80),
    }
)

# Slips that have nothing to do with one another: what --set changes, and how the line about it begins.
SLIPS = {
    "search.method=tpr": "[search] method: 'tpr' is unknown; did you mean 'tpe'?",
    "search.pruner=mediam": "[search] pruner: 'mediam' is unknown",
    "search.trials=0": "[search] trials: must be",
    "seed=-3": "seed: must be",
    "data.folds=1": "[data] folds: must be",
    "data.ignore=['colr']": "[data] ignore: the table has no column 'colr'; did you mean 'colour'?",
    "data.numeric=['colour']": "[data] numeric: column 'colour' holds no numbers",
    "model.l2=-1": "[model] l2: must be",
    "model.hidden=[64,0]": "[model] hidden: must be",
    "space.learning_rate={low=1e-2,high=1e-4}": "[space] learning_rate: low = 0.01 is above",
    "space.activation=['relu','rleu']": "[space] activation: must be one of",
    "objective.metric=acuracy": "[objective] metric: unknown metric",
    "objective.ensemble=-1": "[objective] ensemble: must be",
    "search.trails=3": "--set search.trails: unknown key",
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("examine") / "cars.csv"
    FRAME.to_csv(path, index=False)
    return str(path)


@settings(max_examples=15)
@given(st.lists(st.sampled_from(list(SLIPS)), min_size=1, unique=True))
def test_each_of_several_slips_is_told_and_nothing_else(table: str, slips: list[str]) -> None:
    found = examine(None, slips, data=table, target="kind")
    assert found.outline is None
    told = [problem.removeprefix("--data: ") for problem in found.problems]
    for slip in slips:
        assert [line for line in told if line.startswith(SLIPS[slip])], (slip, told)
    assert len(told) == len(slips), told


@pytest.mark.parametrize("target", ["note", "nope"])
def test_a_target_that_cannot_be_one_is_told_beside_the_rest(table: str, target: str) -> None:
    found = examine(None, ["model.l2=-1", "data.numeric=['colour']"], data=table, target=target)
    assert any("[data] target: " in problem for problem in found.problems)
    assert any("l2" in problem for problem in found.problems)
    assert any("[data] numeric" in problem for problem in found.problems)


@pytest.mark.parametrize(
    ("source", "line"),
    [("none.toml", "no such sweep file"), ("cars.csv", "is a table"), (None, "give a sweep file")],
)
def test_what_is_no_sweep_file_is_one_problem(
    table: str, source: str | None, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(table).parent)
    [problem] = examine(source).problems
    assert line in problem


@pytest.mark.parametrize("slip", ["data.surce=3", "data.source=3"])
def test_a_table_that_may_not_be_the_one_meant_is_not_looked_at(table: str, slip: str) -> None:
    found = examine({"data": {"source": table, "target": "nope"}, "search": {"trials": 0}}, [slip])
    assert not [problem for problem in found.problems if "nope" in problem]
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["objective.metric=rmse"], "[objective] metric: 'rmse' is not a metric for classification"),
        (["search.options.nn=3"], "options: unknown option 'nn'"),
        (["search.method=CmaEsSampler"], "needs the package cmaes: pip install cmaes"),
        (["search.method=tpe", "search.options.n_startup_trials=a"], "n_startup_trials"),
        (["data.weight=colour"], "[data] weight: column 'colour' has no finite number"),
    ],
)
def test_what_only_data_or_searcher_can_say_is_told_too(table: str, overrides: list[str], line: str) -> None:
    [problem] = examine(None, overrides, data=table, target="kind").problems
    assert line in problem


@pytest.mark.parametrize(
    "overrides", [[], ["search.method=hyperband"], ["data.levels=1", "model.preset=plain"], ["space={}"]]
)
def test_where_there_is_no_problem_the_outline_is_that_of_the_plan(table: str, overrides: list[str]) -> None:
    found = examine(None, overrides, data=table, target="kind")
    assert found.problems == ()
    spec, _ = load_spec(None, overrides, data=table, target="kind")
    plan = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
    assert found.outline is not None
    assert found.outline.search["trials"] == plan.total
    assert found.outline.space == plan.space.table()
    assert found.outline.epochs == plan.max_epochs


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], "auto: 8 configurations to start with, then"),
        (["search.start=[{learning_rate=0.01}]"], "auto: 1 configuration to start with and 7 points of"),
        (["search.start=[]"], "auto: 8 points of a Latin hypercube, then"),
    ],
)
def test_the_outline_tells_what_is_tried_first(table: str, overrides: list[str], words: str) -> None:
    found = examine(None, overrides, data=table, target="kind").outline
    assert found is not None
    assert [note for note in found.notes if note.startswith(words)]


def test_a_run_tells_the_first_problem_and_how_many_more(table: str) -> None:
    arguments: dict[str, Any] = {"data": table, "target": "kind"}
    overrides = ["model.l2=-1", "seed=-3"]
    problems = examine(None, overrides, **arguments).problems
    with pytest.raises(UserError) as caught:
        load_spec(None, overrides, **arguments)
    assert str(caught.value) == f"{problems[0]} (and 1 more)"
