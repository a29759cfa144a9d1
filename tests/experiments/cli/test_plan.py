"""A plan's text fits its width and holds what the plan holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlptune.experiments.cli.plan import plan_line, plan_text, range_text
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.frames import MemoryTable
from mlptune.experiments.launch.outline import Outline, outline
from mlptune.experiments.launch.plan import plan_of


@pytest.fixture(scope="module")
def found() -> Outline:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"id": range(60), "a\n": rng.normal(size=60), "y": rng.choice(["p", "q"], 60)})
    spec, _ = load_spec(
        {
            "name": "s",
            "data": {"source": "memory", "target": "y"},
            "space": {"hidden": [[4], [8, 8]], "l2": {"low": 1e-6, "high": 1e-2, "log": True}},
            "search": {"method": "hyperband", "trials": 9},
            "model": {"epochs": 9},
        }
    )
    return outline(plan_of(spec, MemoryTable(frame, "y")), frame, ("a note",), 3)


@pytest.mark.parametrize("width", [80, 100])
def test_the_plan_fits(found: Outline, width: int) -> None:
    lines = plan_text(found, width).split("\n")
    assert all(len(line) <= width and line.isprintable() for line in lines)


def test_the_plan_says_it_all(found: Outline) -> None:
    text = " ".join(plan_text(found, 120).split())
    for part in (
        "60 rows",
        "1 of 2 used, as 1 input; left out: id",
        "y: classification, 2 classes (p, q)",
        "hidden [4] | [8,8]",
        "l2 1e-06 to 0.01, log",
        "hyperband (sampler random), 9 trials",
        "5 a trial; 1 input",
        "13 to 97 weights",
        "9 epochs at most",
        "val_score, higher is better",
        "on 3 workers at most",
        "MB of memory",
        "a note",
    ):
        assert part in text


def test_one_line_is_one_line(found: Outline) -> None:
    line = plan_line(found)
    assert line.startswith(
        "s: 9 trials by hyperband, 5 networks each (13 to 97 weights), 9 epochs, judged by val_score"
    )
    assert "\n" not in line
    for budget, many in (({"minutes": 5.0}, "5:00 of trials"), ({"epochs_total": 90}, "trials of 90 epochs in all")):
        line = plan_line(replace(found, search={**found.search, **budget}))
        assert line.startswith(f"s: {many} by hyperband")


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ([[64], [64, 64]], "[64] | [64,64]"),
        ({"choices": ["relu", "silu"]}, "relu | silu"),
        ({"choices": [[64], [64, 64]], "prior": [64]}, "[64] | [64,64], prior [64]"),
        ({"low": 1, "high": 9, "step": 2}, "1 to 9, step 2"),
        ({"low": 0.1, "high": 0.2, "prior": 0.15}, "0.1 to 0.2, prior 0.15"),
        ({"low": 1e-4, "high": 0.1, "log": True, "points": 3}, "0.0001 to 0.1, log, points 3"),
    ],
)
def test_an_entry_of_the_space_is_short(entry: object, text: str) -> None:
    assert range_text(entry) == text
