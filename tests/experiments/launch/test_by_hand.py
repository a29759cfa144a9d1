"""Which configurations can be tried by hand, and how what they leave open is filled in."""

from typing import Any

import pytest

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import UserError
from mlptune.experiments.launch import by_hand
from mlptune.experiments.launch.by_hand import as_tried, fits, takes_by_hand
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from mlptune.tracking.records import TrialRecord
from tests.support.sweeps import iris

DEEP = {"layers": {"low": 1, "high": 2}, "units_1": {"low": 2, "high": 64}, "units_2": {"low": 2, "high": 64}}


def planned(method: str = "tpe", space: dict[str, Any] | None = None) -> SweepPlan:
    spec, _ = load_spec(iris(search__method=method, **({} if space is None else {"space": space})))
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))


def tried(point: dict[str, Any], plan: SweepPlan, best: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    trials = [TrialRecord(0, "complete", 0.5, {}), TrialRecord(1, "complete", 0.9, best)]
    monkeypatch.setattr(by_hand.reader, "trials", lambda *args, **kwargs: trials)
    launch: Any = type("Launch", (), {"run_id": "", "space_changes": ()})
    return as_tried(point, plan, launch, "")


def test_what_is_left_open_is_as_in_the_best_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    best = {"learning_rate": 0.01, "hidden": [8, 4], "dropout": 0.1}
    assert tried({"dropout": 0}, planned(), best, monkeypatch) == {**best, "dropout": 0}


def test_hidden_is_given_as_layers_and_units_where_those_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(space=DEEP)
    best = {"layers": 2, "units_1": 32, "units_2": 16}
    assert tried({"hidden": [7]}, plan, best, monkeypatch) == {"layers": 1, "units_1": 7}
    assert tried({"units_1": 3}, plan, best, monkeypatch) == {"layers": 2, "units_1": 3, "units_2": 16}


@pytest.mark.parametrize(
    ("point", "rule"),
    [
        ({"learning_rate": 7}, r"learning_rate: 7 is not in the range 0.0001 to 0.1"),
        ({"learning_rat": 0.1}, r"is not searched; did you mean 'learning_rate'"),
        ({"hidden": [9]}, r"hidden: \[9\] is not one of the choices"),
    ],
)
def test_what_is_not_in_the_space_is_refused(point: dict[str, Any], rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=rule):
        tried(point, planned(), {}, monkeypatch)
    assert not fits(point, planned().space)


@pytest.mark.parametrize("method", ["grid", "hyperband", "pbt"])
def test_a_method_that_plans_all_its_trials_takes_none(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(method)
    assert not takes_by_hand(plan)
    with pytest.raises(UserError, match=f"method {method} plans all its trials itself"):
        tried({"dropout": 0.0}, plan, {}, monkeypatch)
