"""Warm start: known good configurations are tried first, and again the same after a resume."""

from dataclasses import replace
from typing import Any

import pytest

import mlptune
from mlptune.experiments.errors import UserError
from mlptune.experiments.launch.warm_start import start_points
from mlptune.experiments.results import SweepResult
from mlptune.search import Space
from mlptune.search.spaces.defaults import portfolio
from mlptune.tracking import reader
from mlptune.tracking.schema import START
from tests.support.launches import tags_of_launch
from tests.support.sweeps import small

LAYERED = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "layers": {"low": 1, "high": 2},
    "units_1": [4, 8],
    "units_2": [4, 8],
    "activation": ["relu", "tanh"],
}
FLAT = {
    "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
    "hidden": [[8], [8, 4]],
}


def sweep(space: dict[str, Any] = LAYERED, *, name: str = "new", method: str = "tpe", seed: int = 0, **search: Any):
    options = {"search__trials": 4, "search__batch": 2, **{f"search__{key}": value for key, value in search.items()}}
    return small(method, name=name, seed=seed, model={"epochs": 2}, space=space, **options)


def params(result: SweepResult) -> list[dict[str, Any]]:
    return [trial["params"] for trial in result.summary()["trials"]]


def values(result: SweepResult) -> list[float]:
    return [trial["value"] for trial in result.summary()["trials"]]


@pytest.mark.parametrize("method", ["auto", "nas"])
def test_given_configurations_are_tried_first_and_the_sampler_adds_what_they_leave_open(
    method: str, store: str
) -> None:
    start = [
        {"learning_rate": 0.01, "layers": 2, "units_1": 8, "units_2": 4, "activation": "tanh"},
        {"activation": "relu", "layers": 1},
        {"learning_rate": 0.002},
    ]
    first = mlptune.run_sweep(sweep(method="nas", start=start), workers=1)
    tried = params(first)
    assert tried[0] == start[0]
    assert start[1].items() <= tried[1].items()
    assert set(tried[1]) == {"learning_rate", "layers", "units_1", "activation"}
    assert tried[2]["learning_rate"] == 0.002
    assert tried[3]["learning_rate"] not in (0.01, 0.002)
    grown = mlptune.run_sweep(sweep(method="nas", start=start, trials=6), workers=2, resume=True)
    whole = mlptune.run_sweep(sweep(method="nas", start=start, trials=6, name="whole"), workers=1)
    assert params(grown)[:4] == tried
    assert (params(grown), values(grown)) == (params(whole), values(whole))


def test_a_finished_sweep_seeds_a_new_one_which_stays_the_same_whatever_becomes_of_the_first(store: str) -> None:
    source = mlptune.run_sweep(sweep(FLAT, name="source", method="random", trials=8), workers=1)
    ranked = sorted(source.summary()["trials"], key=lambda trial: (-trial["value"], trial["number"]))
    wider = {**FLAT, "learning_rate": {"low": 1e-4, "high": 1.0, "log": True}, "dropout": {"low": 0.0, "high": 0.5}}
    began = mlptune.run_sweep(sweep(wider, start="source", trials=6), workers=1)
    for tried, best in zip(params(began)[:5], ranked, strict=False):
        assert best["params"].items() <= tried.items()
        assert "dropout" in tried
    # A tag, and not the other sweep, is what a resume goes by.
    assert START in tags_of_launch(store, began.run_id)
    mlptune.run_sweep(sweep(FLAT, name="source", method="random", seed=7), workers=1)
    grown = mlptune.run_sweep(sweep(wider, start="source", trials=8), workers=1, resume=True)
    assert params(grown)[:6] == params(began)
    # Trials that lie outside the new space are left out.
    narrow = {"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}, "hidden": [[8]]}
    narrowed = mlptune.run_sweep(sweep(narrow, start="source", name="narrow", trials=2), workers=1)
    assert all(tried["hidden"] == [8] for tried in params(narrowed))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"start": [{"learning_rate": 5.0}]},
            "start: configuration 1: learning_rate: 5.0 is not in the range 0.0001 to 0.1",
        ),
        (
            {"start": [{}, {"activation": "rely"}]},
            "start: configuration 2: activation: 'rely' is not one of the choices",
        ),
        ({"start": [{"activatoin": "relu"}]}, "'activatoin' is not searched; did you mean 'activation'"),
        ({"start": [{"layers": 1, "units_2": 4}]}, "configuration 1: units_2: is not part of a network of 1 layer"),
        ({"start": [{}] * 5}, "start: 5 configurations, but trials = 4"),
        ({"start": 3}, "start: must be a list of configurations to try first, or the name of a sweep"),
        ({"start": "nothing"}, r"\[search\] start: .*nothing"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_one_line(changes: dict[str, Any], line: str, store: str) -> None:
    with pytest.raises(UserError, match=line) as refusal:
        mlptune.run_sweep(sweep(**changes), workers=1)
    assert "\n" not in str(refusal.value)


def test_a_grid_has_an_order_of_its_own(store: str) -> None:
    with pytest.raises(UserError, match="start: a grid tries its points in their own order"):
        mlptune.run_sweep(sweep({"hidden": [[4], [8]]}, method="grid", start=[{"hidden": [8]}]))


def test_a_default_sweep_tries_the_portfolio_first_and_again_when_it_is_resumed(store: str) -> None:
    spec = small("auto", search__batch=2, model={"epochs": 1}, search__trials=3)
    del spec["space"]
    began = mlptune.run_sweep(spec, workers=1)
    points = portfolio(455)
    assert [point.items() <= tried.items() for point, tried in zip(points, params(began), strict=False)] == [True] * 3
    spec["search"]["trials"] = 9
    grown = mlptune.run_sweep(spec, workers=1, resume=True)
    assert params(grown)[:3] == params(began)
    # More were not recorded, so that the sampler goes on.
    assert all(
        tried["learning_rate"] not in {point["learning_rate"] for point in points} for tried in params(grown)[3:]
    )
    # A sweep of a version that knew of no portfolio goes on without one.
    earlier = reader.launches(store, "small")[-1]
    old = replace(earlier, tags={name: text for name, text in earlier.tags.items() if name != START})
    for launch, expected in ((earlier, points[:3]), (old, [])):
        assert start_points(None, Space.parse({}), 9, store, launch, default=points) == expected
