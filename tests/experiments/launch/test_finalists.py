"""Finalists: the best mean over fresh seeds is named, everywhere the same, and again after an interruption."""

import json
from dataclasses import replace
from typing import Any

import pytest

import mlptune
from mlptune.experiments.errors import UserError
from mlptune.experiments.execution.engine import EngineEvaluator
from mlptune.experiments.execution.evaluation import Request
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.finalists import FRESH_SEEDS, best_finalist, finalists
from mlptune.tracking import reader
from mlptune.tracking.records import TrialRecord
from tests.support.observers import Listener
from tests.support.plans import planned
from tests.support.sweeps import essence, small

# In this sweep another trial than the one of the best value is named.
SPEC = small("random", seed=1, search__finalists=4, objective__ensemble=0)


class AtTheFinal(Listener):
    """Presses Ctrl-C when the finalists have been trained."""

    def message(self, text: str) -> None:
        super().message(text)
        if "finalists" in text:
            raise KeyboardInterrupt


def test_the_best_mean_is_named_and_again_after_an_interruption(store: str) -> None:
    listener = Listener()
    result = mlptune.run_sweep(SPEC, observer=listener, workers=1)
    table = json.loads(reader.artifact(store, result.run_id, "finalists.json").read_text())
    assert table["columns"] == ["trial", "value", "fresh", "mean"]
    rows = table["data"]
    trials = {trial["number"]: trial for trial in result.summary()["trials"]}
    by_value = sorted(trials, key=lambda number: (-trials[number]["value"], number))
    assert sorted(row[0] for row in rows) == sorted(by_value[:4])
    for number, value, fresh, mean in rows:
        assert value == trials[number]["value"]
        assert mean == pytest.approx((value + FRESH_SEEDS * fresh) / (1 + FRESH_SEEDS))
    assert [row[3] for row in rows] == sorted((row[3] for row in rows), reverse=True)
    winner = rows[0][0]
    assert winner != by_value[0], "choose a sweep in which the finals change something"
    assert any(f"trial {winner} is the best in the mean, not trial {by_value[0]}" in text for text in listener.messages)
    assert (result.best["number"], result.best["value"]) == (winner, trials[winner]["value"])
    assert result.best["params"] == trials[winner]["params"]
    assert mlptune.experiments.queries.best("small") == result.best
    assert mlptune.best_config("small")["learning_rate"] == trials[winner]["params"]["learning_rate"]
    again = {**SPEC, "name": "again"}
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(again, observer=AtTheFinal(), workers=2)
    resumed = mlptune.run_sweep(again, resume=True, workers=2)
    assert essence(resumed, with_name=False) == essence(result, with_name=False)


def test_fresh_networks_are_those_of_the_configuration_from_other_seeds() -> None:
    plan = planned(
        space={"learning_rate": [0.003, 0.03]}, model={"epochs": 3}, search={"finalists": 2}, data={"folds": 2}
    )
    trials = {
        n: TrialRecord(n, "complete", 0.9 - n / 10, {"learning_rate": r})
        for n, r in enumerate((0.003, 0.03, 0.003, 0.03))
    }
    found = {finalist.trial.number: finalist for finalist in finalists(plan, trials, Inline())}
    assert sorted(found) == [0, 1]
    alone = finalists(plan, {n: replace(trials[n], params=trials[1].params) for n in trials}, Inline())
    # The same configuration has the same fresh networks, whatever the trial; and they are not its own.
    assert {finalist.fresh for finalist in alone} == {found[1].fresh}
    request = Request(0, {"learning_rate": 0.03, "epochs": 3}, 3)
    [own] = [o for o in EngineEvaluator(plan.task(), Inline()).advance([request]) if o.ended]
    assert own.value != found[1].fresh
    assert abs(float(own.value or 0) - float(found[1].fresh or 0)) < 0.5


def test_where_all_diverge_or_too_few_are_complete_the_best_value_is_named() -> None:
    diverging: dict[str, Any] = {"optimizer": "sgd", "epochs": 3, "learning_rate": 1e30}
    plan = planned(space={"l2": [0.0, 0.1]}, model=diverging, search={"finalists": 2})
    trials = {n: TrialRecord(n, "complete", 0.9 - n / 10, {"l2": 0.0}) for n in range(4)}
    found = finalists(plan, trials, Inline())
    assert [finalist.mean for finalist in found] == [None, None]
    assert best_finalist(found, trials[0]) is trials[0]
    assert finalists(plan, {n: trials[n] for n in range(3)}, Inline()) == []
    with pytest.raises(UserError, match="finalists: they are trained when the time is over"):
        planned(search={"finalists": 2, "minutes": 1})
