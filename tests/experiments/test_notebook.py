"""A result in a notebook: the facts and the best trials, and no text that a browser would run."""

from typing import Any
from xml.etree import ElementTree

from mlptune.experiments.notebook import result_html, result_text


def summary(**best: Any) -> dict[str, Any]:
    trials = [
        {"number": n, "state": "complete", "value": n / 10, "epochs": 5, "params": {"activation": "<b>&relu"}}
        for n in range(7)
    ]
    trials.append({"number": 7, "state": "pruned", "value": 9.0, "epochs": 1, "params": {}})
    document = {"number": 6, "metric": "val_score", "value": 0.6, "test_score": 0.55, "ensemble": [{}, {}]}
    expected = {"score": 0.5, "low": 0.4, "high": 0.6}
    return {"name": "<script>", "trials": trials, "best": {**document, "expected": expected, **best}}


def cells(html: str) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(html).iter("tr")]


def test_it_has_the_facts_and_the_five_best() -> None:
    rows = cells(result_html(summary()))
    assert rows[:4] == [
        ["best", "trial 6, val_score 0.60000"],
        ["expected", "0.50000 (0.40000 to 0.60000)"],
        ["on the test part", "0.55000"],
        ["model", "2 trials of 8"],
    ]
    assert rows[4] == ["trial", "val_score", "epochs", "parameters"]
    assert rows[5] == ["6", "0.60000", "5", "activation=<b>&relu"]
    assert [row[0] for row in rows[5:]] == ["6", "5", "4", "3", "2"]


def test_what_is_not_known_is_left_out_and_texts_are_escaped() -> None:
    html = result_html(summary(expected=None, test_score=None, ensemble=[]))
    assert [row[0] for row in cells(html)[:3]] == ["best", "model", "trial"]
    assert "<script>" not in html
    assert "<b>" not in html


def test_one_line_says_the_same() -> None:
    assert result_text(summary()) == (
        "<SweepResult '<script>': best trial 6, val_score 0.60000; expected 0.50000 (0.40000 to 0.60000); "
        "on the test part 0.55000; model 2 trials of 8>"
    )
    assert result_text({"name": "cars", "best": None, "state": "running"}) == "<SweepResult 'cars': state running>"
