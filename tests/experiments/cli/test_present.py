"""Results as text and as JSON: aligned, harmless to a terminal, and strict."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlptune.experiments.cli.present import strict_json, text_table, trials_text


def test_json_is_strict_whatever_is_in_it() -> None:
    text = strict_json({"a": float("nan"), "b": [np.float32(1.5), np.int64(2), float("inf")], 3: Path("x")})
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name)) == {"a": None, "b": [1.5, 2, None], "3": "x"}


def test_tables_are_aligned_and_harmless() -> None:
    assert text_table(["n", "name"], [["1", "a\n"], ["10", "b"]], right=["n"]) == " n  name\n 1  a\\n\n10  b"
    shown = {"name": "x", "state": "running", "method": "tpe", "trials": [], "best": None}
    assert trials_text(shown) == "x: running, method tpe, 0 trials"


def test_the_best_lead_where_less_is_better() -> None:
    trials = [
        {"number": n, "state": "complete", "value": v, "epochs": 1, "params": {}, "reason": None}
        for n, v in enumerate([0.3, 0.1, 0.2])
    ]
    best = {"number": 1, "metric": "rmse", "value": 0.1, "test_score": None}
    shown = {"name": "x", "state": "finished", "method": "tpe", "trials": trials, "best": best}
    assert [line.split()[0] for line in trials_text(shown, top=2).splitlines()[2:4]] == ["*1", "2"]
