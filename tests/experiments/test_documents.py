"""What `show --json` and `best --json` print is strict JSON, whatever the trials are worth, and has the keys that are promised."""

import json
import math

import pytest

from mlptune.experiments.documents import best_document, show_document
from mlptune.experiments.front import LaunchCosts
from mlptune.tracking.records import TrialRecord

PROMISED = {"number", "state", "value", "params", "epochs", "run_id", "reason"}
RUNNING = TrialRecord(2, "running", None, {"hidden_layers": [8, 8]})
COMPLETE = TrialRecord(0, "complete", 0.5, {"hidden_layers": [8]}, epochs=4)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_strict_json_does_not_have_is_null(value: float) -> None:
    diverged = TrialRecord(1, "pruned", value, reason="diverged in epoch 3")
    shown = show_document("iris", "0f", "finished", "tpe", [RUNNING, diverged, COMPLETE], None)
    best = best_document("iris", "0f", diverged, "val_loss", value, {})
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    assert [trial["value"] for trial in shown["trials"]] == [0.5, None, None]
    assert (best["value"], best["test_score"]) == (None, None)


def test_trials_stand_in_the_order_of_their_numbers_with_the_promised_keys() -> None:
    shown = show_document("iris", "0f", "finished", "tpe", [RUNNING, COMPLETE], None)
    assert [trial["number"] for trial in shown["trials"]] == [0, 2]
    assert all(set(trial) == PROMISED for trial in shown["trials"])
    assert not {"front", "counted"} & set(shown)


def test_with_several_metrics_trials_have_their_costs_and_the_document_its_front() -> None:
    costs = LaunchCosts(("parameters",), {0: {"parameters": 67}}, (COMPLETE,))
    shown = show_document("iris", "0f", "finished", "tpe", [COMPLETE, RUNNING], None, costs=costs)
    assert [trial["costs"] for trial in shown["trials"]] == [{"parameters": 67}, {}]
    assert (shown["counted"], shown["front"]) == (["parameters"], [0])
