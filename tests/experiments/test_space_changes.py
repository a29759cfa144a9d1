"""Changes of a space as events."""

import json

from mlptune.experiments.space_changes import SpaceChange, dumps, loads


def test_changes_are_read_as_they_were_written() -> None:
    change = SpaceChange(24, "widen", {"l2": {"low": 1e-8, "high": 1e-2}}, {"l2": {"low": 1e-6, "high": 1e-2}})
    assert loads(json.loads(dumps([change]))) == [change]
    assert loads(None) == []
    assert change.moved == {("l2", "low")}
    assert change.text == "widened from trial 24 on: l2 1e-08 to 0.01 (was 1e-06 to 0.01)"


def test_a_prior_is_told_where_it_has_changed() -> None:
    before, new = {"low": 0.1, "high": 1.0, "prior": 0.2}, {"low": 0.5, "high": 1.0, "prior": 0.6}
    edited = SpaceChange(8, "edit", {"l1": new, "l2": {"low": 0.5, "high": 1.0}}, {"l1": before, "l2": before})
    assert edited.text == (
        "edited from trial 8 on: l1 0.5 to 1, prior 0.6 (was 0.1 to 1, prior 0.2), "
        "l2 0.5 to 1, no prior (was 0.1 to 1, prior 0.2)"
    )
    widened = SpaceChange(8, "widen", {"l1": {**before, "high": 2.0}}, {"l1": before})
    assert widened.text == "widened from trial 8 on: l1 0.1 to 2 (was 0.1 to 1)"
