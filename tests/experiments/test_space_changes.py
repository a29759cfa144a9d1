"""Changes of a space as events."""

import json

from mlptune.experiments.space_changes import SpaceChange, dumps, loads


def test_changes_are_read_as_they_were_written() -> None:
    change = SpaceChange(24, "widen", {"l2": {"low": 1e-8, "high": 1e-2}}, {"l2": {"low": 1e-6, "high": 1e-2}})
    assert loads(json.loads(dumps([change]))) == [change]
    assert loads(None) == []
    assert change.moved == {("l2", "low")}
    assert change.text == "widened from trial 24 on: l2 1e-08 to 0.01 (was 1e-06 to 0.01)"
