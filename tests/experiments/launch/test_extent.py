"""How much a sweep searches: what its file says, and what fits the time where it says nothing."""

from typing import Any

import pytest

from mlptune.core.presets import PRESETS
from mlptune.experiments.errors import UserError
from mlptune.experiments.launch import forecast
from tests.support.plans import plan


@pytest.mark.parametrize(
    ("search", "total"),
    [
        ({"method": "random"}, 64),
        ({"method": "random", "trials": 5}, 5),
        ({"method": "grid"}, 6),
        ({"method": "grid", "trials": 9}, 6),
        ({"method": "grid", "trials": 4, "partial": True}, 4),
    ],
)
def test_the_number_of_trials(search: dict[str, Any], total: int) -> None:
    space = {"hidden": [[4], [8], [16]], "l2": [0.0, 0.1]}
    assert plan(search=search, space=space).total == total
    assert plan(search={**search, "partial": True}, space={}).total == 1


def test_only_a_sweep_of_which_nothing_was_said_is_cut_to_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    silent: dict[str, Any] = {"space": None, "model": {}, "search": {"method": "auto"}}
    cost = plan(**silent).trial_operations
    monkeypatch.setattr(forecast.affordable, "__defaults__", (40.5 * cost, 24))
    assert plan(**silent).total == 33  # 40.5 less what training six members again on 5/4 of the rows takes
    assert plan(**silent, objective={"refit": False}).total == 40
    assert plan(**{**silent, "search": {"method": "auto", "trials": 50}}).total == 50
    assert plan(search={"method": "auto"}).total == 64  # a space of its own
    monkeypatch.setattr(forecast.affordable, "__defaults__", (16.0 * cost, 24))
    cheap = plan(**silent)
    assert (cheap.total, cheap.fixed["subset"]) == (24, 0.42)
    assert any("42% of the rows, to fit the time; the model's members train on all" in note for note in cheap.notes)
    assert cheap.operations == pytest.approx(24 * 0.42 * cost + 6 * cost)
    monkeypatch.setattr(forecast.affordable, "__defaults__", (4.0 * cost, 24))
    cheaper = plan(**silent)
    assert (cheaper.fixed["subset"], cheaper.member_subset) == (0.08, 0.32)
    assert any("8% of the rows, to fit the time; the model's members train on 32%" in n for n in cheaper.notes)
    assert plan(**{**silent, "model": {"subset": 0.1}}).member_subset == 1.0


def test_the_last_epoch_is_that_of_the_longest_trial() -> None:
    assert plan(model={"preset": "strong", "epochs": 7}).max_epochs == 7
    assert plan(model={"preset": "strong"}).max_epochs == PRESETS["strong"]["epochs"]
    assert plan(model={}, space={"epochs": {"low": 2, "high": 9, "step": 3}}).max_epochs == 8
    assert plan(model={}, space={"epochs": [30, 4]}).max_epochs == 30
    with pytest.raises(UserError, match="epoch 8 is never trained, the last one is 7"):
        plan(model={"epochs": 7, "changes": [[8, {"l2": 0.1}]]})


def test_of_a_grid_as_many_as_keep_the_limit() -> None:
    grid = {"model": {"epochs": 2}, "space": {"hidden": [[2], [4], [400]]}, "search": {"method": "grid"}}
    assert plan(**grid, objective={"limit": {"parameters": 1000}}).total == 2
    with pytest.raises(UserError, match="no configuration has parameters of 10 or less"):
        plan(**grid, objective={"limit": {"parameters": 10}})
