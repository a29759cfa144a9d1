"""A configuration as a schedule: read at an epoch as the engine reads it, and changed from an epoch on."""

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.search.spaces.changes import values_at, with_change


def test_changes_accumulate_and_hold_from_their_epoch_on():
    first = {"learning_rate": 0.1, "l2": 0.0, "epochs": 9}
    second = with_change(first, 3, {"learning_rate": 0.05})
    third = with_change(second, 6, {"l2": 0.01, "learning_rate": 0.02})
    assert third["changes"] == [[3, {"learning_rate": 0.05}], [6, {"l2": 0.01, "learning_rate": 0.02}]]
    assert [values_at(third, epoch)["learning_rate"] for epoch in (1, 2, 3, 5, 6, 9)] == [
        0.1,
        0.1,
        0.05,
        0.05,
        0.02,
        0.02,
    ]
    assert "changes" not in values_at(third, 1)
    assert "changes" not in first
    assert len(second["changes"]) == 1
    assert with_change(second, 8, {}) == second
    engine = Hyperparameters.from_config(third)
    for epoch in range(1, 10):
        assert values_at(third, epoch)["l2"] == engine.at(epoch).l2
