"""The front as a table, and `best --where` as commands."""

import json

import pytest

from mlptune.experiments.cli.front_table import front_table
from mlptune.experiments.short import count_text
from tests.support.processes import Run

TRIALS = [
    {"number": 0, "state": "complete", "value": 0.9, "params": {"hidden": [64]}, "epochs": 3, "reason": None},
    {"number": 1, "state": "complete", "value": 0.5, "params": {"hidden": [4]}, "epochs": 3, "reason": None},
]
COSTS = [{"operations": 12345, "parameters": 12345, "bytes": 49380}, {"operations": 80, "parameters": 80, "bytes": 320}]
SHOWN = {
    "trials": [{**trial, "costs": costs} for trial, costs in zip(TRIALS, COSTS, strict=True)],
    "counted": ["bytes"],
    "front": [1, 0],
    "best": {"metric": "val_score", "number": 0},
}


def test_the_cheapest_comes_first_and_all_costs_are_shown() -> None:
    assert front_table(SHOWN).splitlines() == [
        "Pareto front of val_score and bytes:",
        "trial  val_score   bytes  operations  parameters  hyperparameters",
        "    1    0.50000     320          80          80  hidden=[4]",
        "    0    0.90000  49,380      12,345      12,345  hidden=[64]",
    ]


def test_there_is_none_with_one_metric_or_without_a_trial() -> None:
    assert front_table({"trials": TRIALS, "best": None}) == ""
    assert front_table({**SHOWN, "front": []}) == ""
    assert count_text(None) == "-"


def test_best_where(there: Run) -> None:
    shown = there("best", "cars", "--where", "operations < 1e9")
    assert shown.exit_code == 0, shown.stderr
    assert "costs  operations " in shown.stdout
    assert "mlptune.best_config(\"cars\", where='operations < 1e9')" in shown.stdout
    assert "load_model" not in shown.stdout
    document = json.loads(there("best", "cars", "--where", "bytes > 0", "--json").stdout)
    assert set(document["costs"]) == {"operations", "parameters", "bytes"}
    assert "hidden" in there("best", "cars", "--where", "bytes > 0", "--format", "toml").stdout


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        ("operations < 1", "no complete trial of the sweep 'cars' has operations < 1"),
        ("operation < 1", "'operation' is not a metric here; did you mean 'operations'?"),
        ("exit()", "'exit()' is not NAME < NUMBER"),
    ],
)
def test_a_condition_that_is_none_or_holds_for_none_is_one_line(there: Run, where: str, rule: str) -> None:
    refused = there("best", "cars", "--where", where)
    assert refused.exit_code == 2
    assert rule in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
