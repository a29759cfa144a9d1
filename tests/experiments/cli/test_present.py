"""Results as text and as JSON: aligned, harmless to a terminal, and strict."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlptune.experiments.cli.present import best_text, findings_text, strict_json, text_table, trials_text, wrapped
from mlptune.experiments.report.rules import Finding


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


def test_the_model_is_shown_with_its_members_and_what_it_is_expected_to_score() -> None:
    best = {"name": "cars", "number": 3, "params": {"l2": 0.1}, "metric": "val_score", "value": 0.91, "test_score": 0.9}
    best |= {"ensemble": [{"number": 3, "weight": 0.25}, {"number": 7, "weight": 0.75}]}
    best |= {"expected": {"score": 0.9, "low": 0.88, "high": 0.92}}
    first, *lines = best_text(best).splitlines()
    assert first == (
        "cars: trial 3, val_score 0.91000; the model, 2 trials together, expected 0.90000 (0.88000 to 0.92000), "
        "on the test part 0.90000"
    )
    assert "made of  trial 7 (75%), trial 3 (25%)" in lines
    alone = best_text({**best, "ensemble": [{"number": 7, "weight": 1.0}]})
    assert "; the model, trial 7 alone, expected" in alone.splitlines()[0]
    assert "made of" not in best_text({**best, "ensemble": []})


@pytest.mark.parametrize("width", [40, 60, 80, 132])
def test_what_is_shown_fits_the_terminal_and_no_word_is_broken(width: int) -> None:
    params = {"learning_rate": 0.01234, "hidden": [64, 32], "embedding": "piecewise", "label_smoothing": 0.05}
    trial = {"state": "complete", "value": 0.5, "epochs": 20, "params": params, "reason": None}
    best = {"number": 1, "metric": "val_score", "value": 0.5, "test_score": 0.4, "params": params, "name": "x"}
    trials = [{**trial, "number": 0}, {**trial, "number": 1}]
    shown = {"name": "x", "state": "running", "method": "tpe", "trials": trials, "best": best}
    whole, cut = trials_text(shown), trials_text(shown, width=width)
    assert cut.split() == whole.split()
    assert max(map(len, cut.splitlines())) <= width
    assert trials_text(shown, width=500) == whole


@pytest.mark.parametrize("width", [40, 80])
def test_a_diagnosis_fits_the_terminal(width: int) -> None:
    found = [Finding("rule", "problem", "the best trials " * 9, {}, "train longer " * 9)]
    cut = findings_text(found, width)
    assert cut.split() == findings_text(found).split()
    assert max(map(len, cut.splitlines())) <= width
    assert all(line.startswith((" " * 5, "  -> ")) for line in cut.splitlines() if "longer" in line)


def test_a_word_that_is_longer_than_the_terminal_stays_whole() -> None:
    assert wrapped("a " + "b" * 30 + " c", 20) == "a " + "b" * 30 + "\n  c"
    assert wrapped("a b", None) == wrapped("a b", 3) == "a b"
