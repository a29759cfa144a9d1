"""An edited space on resume: ranges move from the next batch on, anything else is refused and named."""

from typing import Any

import pytest

import mlptune
from mlptune.experiments.errors import UserError
from mlptune.experiments.in_charge import continue_sweep, try_configuration
from mlptune.tracking import reader
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.sweeps import essence, small

WIDE = {"low": 1e-4, "high": 1.0, "log": True, "points": 3}
NARROW = {"low": 0.1, "high": 0.2, "points": 2}


def edited(name: str, **changes: Any) -> dict[str, Any]:
    """`iris` with a wider rate and less dropout."""
    spec = begun(name)
    spec["space"] |= {"learning_rate": WIDE, "dropout": NARROW, **changes}
    return spec


def begun(name: str, **changes: Any) -> dict[str, Any]:
    return small(**{"name": name, "data__source": "sklearn:iris", "model": {"epochs": 3}, **changes})


def test_the_ranges_of_a_sweep_that_was_cut_may_change(store: str) -> None:
    def cut(name: str) -> None:
        with pytest.raises(KeyboardInterrupt):
            mlptune.run_sweep(begun(name), workers=1, observer=AfterTrials(4, press_ctrl_c))

    cut("once")
    once = mlptune.run_sweep(edited("once"), workers=2, resume=True)
    [change] = once.summary()["space_changes"]
    first = change["number"]
    assert (change["by"], change["ranges"]) == ("edit", {"learning_rate": WIDE, "dropout": NARROW})
    drawn = [trial["params"]["dropout"] for trial in once.summary()["trials"][first:]]
    assert drawn
    assert all(0.1 <= dropout <= 0.2 for dropout in drawn)
    assert mlptune.run_sweep(edited("once"), workers=1, resume=True).summary() == once.summary()

    cut("twice")
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(edited("twice"), workers=2, resume=True, observer=AfterTrials(6, press_ctrl_c))
    twice = continue_sweep("twice", workers=1)
    if twice.summary()["space_changes"] == once.summary()["space_changes"]:  # whatever was begun when Ctrl-C came
        assert essence(twice, with_name=False) == essence(once, with_name=False)
    assert reader.launch(store, "twice").space_changes == twice.summary()["space_changes"]

    assert try_configuration("once", {"learning_rate": 0.5, "dropout": 0.15}, workers=1).trial is not None
    with pytest.raises(UserError, match=r"dropout: 0.3 is not in the range 0.1 to 0.2"):
        try_configuration("once", {"dropout": 0.3}, workers=1)
    with pytest.raises(UserError, match=r"\[space\] dropout is not that of the launch, and no trial is left"):
        mlptune.run_sweep(edited("once", dropout={"low": 0.0, "high": 0.9, "points": 2}), resume=True)
    assert len(continue_sweep("once", "+2", workers=1).summary()["space_changes"]) == 1


def test_a_prior_may_change_with_its_range(store: str) -> None:
    def spec(**rate: Any) -> dict[str, Any]:
        rates = {"low": 1e-4, "high": 1.0, "log": True, **rate}
        return begun("iris", space={"learning_rate": rates}, search={"method": "auto", "trials": 6, "batch": 2})

    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(spec(prior=0.001), workers=1, observer=AfterTrials(2, press_ctrl_c))
    result = mlptune.run_sweep(spec(low=0.01, prior=0.2), workers=1, resume=True)
    [change] = result.summary()["space_changes"]
    rates = [trial["params"]["learning_rate"] for trial in result.summary()["trials"]]
    assert rates[0] == 0.001
    assert all(rate >= 0.01 for rate in rates[change["number"] :])
    again = mlptune.run_sweep(spec(low=0.01, prior=0.2), workers=2, resume=True)
    assert again.summary() == result.summary()


def test_what_else_differs_is_named(store: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(begun("iris"), workers=1, observer=AfterTrials(2, press_ctrl_c))
    for change, said in (
        ({"momentum": {"low": 0.0, "high": 0.9}}, "[space] momentum is new; ranges may change"),
        ({"hidden": [[8], [16]]}, "[space] hidden: choices stay as they were"),
        ({"hidden": {"choices": [[8], [8, 4]], "prior": [8]}}, "[space] hidden: the prior of choices stays"),
        (
            {"learning_rate": {"low": 1e-4, "high": 1.0, "points": 3}},
            "[space] learning_rate: log has changed; only low",
        ),
        ({"dropout": {"low": 0.0, "high": 0.3, "step": 0.1}}, "[space] dropout: step has changed"),
        ({"dropout": {"low": 0, "high": 1}}, "[space] dropout"),
    ):
        with pytest.raises(UserError) as refused:
            mlptune.run_sweep(edited("iris", **change), workers=1, resume=True)
        [line] = refused.value.problems
        assert said in line
    gone = edited("iris")
    del gone["space"]["dropout"]
    with pytest.raises(UserError, match=r"\[space\] dropout is gone; ranges may change"):
        mlptune.run_sweep(gone, workers=1, resume=True)


def test_a_method_that_cannot_search_it_is_refused(store: str) -> None:
    grid = {"method": "grid", "partial": True, "trials": 4, "batch": 4}
    mlptune.run_sweep(begun("iris", search=grid), workers=1)
    spec = {**edited("iris"), "search": {**grid, "trials": 8}}
    with pytest.raises(UserError, match=r"learning_rate has changed; method grid cannot search a space that changes"):
        mlptune.run_sweep(spec, workers=1, resume=True)
