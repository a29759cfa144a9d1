"""What a person reads in MLflow: short, and harmless whatever the names and texts hold."""

import pytest

from mlptune.tracking import schema
from mlptune.tracking.description import launch_note, run_name
from mlptune.tracking.records import TrialRecord


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"learning_rate": 0.003, "weight_decay": 0.1, "hidden": [64, 64]}, "#12 lr .003 wd .1 64-64"),
        ({"dropout": 0.07, "embedding": "cosine", "embedding_sigma": 0.25}, "#12 drop .07 emb cosine sigma .25"),
        ({"learning_rate": 1e-05, "optimizer": "adam", "mine": 3}, "#12 lr 1e-5 adam mine 3"),
        ({"batch_norm": True, "hidden": []}, "#12 batch_norm true none"),
        ({}, "#12"),
    ],
)
def test_a_run_is_named_by_its_hyperparameters(params: dict[str, object], name: str) -> None:
    assert run_name(TrialRecord(12, "running", None, params)) == name


def test_a_name_is_short_and_storable() -> None:
    name = run_name(TrialRecord(1, "running", None, {f"name_{i}": "\ud800\n" * 9 for i in range(30)}))
    assert len(name) == 80
    name.encode()


def test_texts_of_others_are_no_markup() -> None:
    evil = "<script>x</script> [a](b) | `c`\n# d"
    best = TrialRecord(3, "complete", 0.5, {evil: evil, "learning_rate": 0.25}, 7, run_id="abc")
    scores = {schema.EXPECTED_SCORE: 0.4, schema.EXPECTED_LOW: 0.3, schema.EXPECTED_HIGH: 0.5, schema.TEST_SCORE: 0.45}
    note = launch_note("cars", best, experiment_id="9", metric="val_score", metrics=scores, leaders=[best], said=[evil])
    assert "<script>" not in note
    assert "[a](b)" not in note
    assert "\n# d" not in note
    assert "| [3](#/experiments/9/runs/abc?workflowType=machine_learning) | 0.5 |" in note
    assert "score 0.4 (0.3 to 0.5) on new rows; on the test part it scores 0.45" in note
