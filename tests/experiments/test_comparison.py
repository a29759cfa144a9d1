"""Launches side by side: what differs in their sweep files, and how their best values came about."""

import pytest

import mlptune
from mlptune.experiments.comparison import comparison
from mlptune.experiments.errors import UserError
from tests.support.sweeps import iris


def test_settings_values_and_ways_of_two_launches(store: str) -> None:
    results = [
        mlptune.run_sweep(
            iris(search__method="random", search__trials=trials, data__seeds=seeds, objective__ensemble=0), workers=1
        )
        for trials, seeds in ((4, 1), (2, 2))
    ]
    document = comparison(["iris#1", "iris#2", "iris"])  # the last one is there already
    assert [launch["run_id"] for launch in document["launches"]] == [result.run_id for result in results]
    assert {row["key"]: row["values"] for row in document["settings"]} == {
        "data.seeds": [1, 2],
        "search.trials": [4, 2],
    }
    for launch, result in zip(document["launches"], results, strict=True):
        values = [trial["value"] for trial in result.summary()["trials"] if trial["state"] == "complete"]
        assert launch["best_so_far"] == [max(values[: i + 1]) for i in range(len(values))]
        assert launch["best_value"] == launch["best_so_far"][-1] == result.best["value"]
    assert document == comparison(["iris"])
    for names in (["iris#2", "iris"], ["iris#1"]):
        with pytest.raises(UserError, match="compare needs two launches"):
            comparison(names)
