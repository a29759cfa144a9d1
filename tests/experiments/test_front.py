"""A sweep with several metrics: the same however it is run, with its front wherever one looks."""

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from mlflow import MlflowClient

import mlptune
from mlptune.experiments.costs import Costs
from mlptune.experiments.front import front, trial_costs
from mlptune.experiments.in_charge import continue_sweep, try_configuration
from mlptune.search.pareto import non_dominated
from mlptune.tracking.records import TrialRecord
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.sweeps import essence, iris

LIMIT = 150
SPACE = {
    "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
    "layers": [1, 2],
    "units_1": {"low": 2, "high": 40},
    "units_2": {"low": 2, "high": 40},
}


def two(method: str = "auto", **changes: Any) -> dict[str, Any]:
    objective = {"metrics": ["val_score", "operations"], "limit": {"parameters": LIMIT}}
    search = {"method": method, "trials": 14, "batch": 4}
    return iris(**{"space": SPACE, "model": {"epochs": 3}, "search": search, "objective": objective, **changes})


@pytest.mark.parametrize(
    ("method", "others"), [("auto", ["parameters", "operations"]), ("NSGAIISampler", ["operations"])]
)
def test_killed_and_resumed_and_with_more_workers_it_is_the_same(store: str, method: str, others: list[str]) -> None:
    def spec(**changes: Any) -> dict[str, Any]:
        return two(method, objective__metrics=["val_score", *others], **changes)

    whole = mlptune.run_sweep(spec(name="whole"), workers=2)
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(spec(), workers=1, observer=AfterTrials(10, press_ctrl_c))
    resumed = mlptune.run_sweep(spec(), workers=1, resume=True)
    assert essence(resumed, with_name=False) == essence(whole, with_name=False)
    more = mlptune.run_sweep(spec(search__trials=18), workers=1, resume=True)
    assert more.summary()["trials"][:14] == resumed.summary()["trials"]
    costs = more.trials["parameters"]
    assert (costs <= LIMIT).all()
    assert len(set(costs)) > 6


def test_the_front_is_in_python_in_mlflow_and_in_an_optuna_study(store: str, tmp_path: Path) -> None:
    result = mlptune.run_sweep(two(), workers=1)
    found = result.trials
    on_front = non_dominated(np.stack([-found["value"], found["operations"]], axis=1))
    pairs = {(value, cost) for value, cost in found.loc[on_front, ["value", "operations"]].itertuples(index=False)}
    assert {(row.value, row.operations) for row in result.front.itertuples()} == pairs
    assert result.front["operations"].is_monotonic_increasing
    assert result.front["value"].is_monotonic_increasing
    assert result.best["value"] == found["value"].max()
    assert result.best["ensemble"] == []
    stored = mlptune.load_result("iris")
    assert stored.summary() == result.summary()
    client = MlflowClient()
    for row in found.itertuples():
        run = client.get_run(row.run_id)
        assert (run.data.metrics["operations"], run.data.metrics["parameters"]) == (row.operations, row.parameters)
        assert (run.data.tags.get("mlptune.front") == "true") == (row.number in set(result.front["number"]))
    study = stored.study
    assert {tuple(trial.values) for trial in study.best_trials} == pairs
    assert stored.plot_history() is not None
    page = result.report(tmp_path / "report.html")
    assert "Pareto front" in page
    assert "No other trial is better in one of val_score and operations" in page
    model = mlptune.load_model("iris")
    assert (
        sum(part.theta.size for part in model.parts) == found.set_index("number")["parameters"][result.best["number"]]
    )
    check_conditions(result)
    check_trials_by_hand()


def check_conditions(result: mlptune.SweepResult) -> None:
    most = int(result.trials["operations"].median())
    cheap = result.trials[result.trials["operations"] <= most]
    where = f"operations <= {most}"
    best = mlptune.experiments.queries.best("iris", where=where)
    assert best["value"] == cheap["value"].max()
    assert best["costs"]["operations"] <= most
    hidden = mlptune.best_config("iris", where=where)["hidden"]
    assert Costs(4, 3, 0, (), "cross_entropy").of({"hidden": hidden}) == best["costs"]
    assert mlptune.best_config("iris") == mlptune.best_config("iris", where="operations > 0")
    with pytest.raises(LookupError, match="no complete trial of the sweep 'iris' has operations < 1"):
        mlptune.best_config("iris", where="operations < 1")


def check_trials_by_hand() -> None:
    with pytest.raises(mlptune.UserError, match=r"limit: parameters \d+ over the limit of 150"):
        try_configuration("iris", {"layers": 1, "units_1": 40}, workers=1)
    tried = try_configuration("iris", {"layers": 1, "units_1": 3}, workers=1)
    assert tried.trial is not None
    assert len(continue_sweep("iris", "+2", workers=1).trials) == 17


def test_a_start_from_another_sweep_leaves_out_what_is_over_the_limit(store: str) -> None:
    mlptune.run_sweep(two(name="large", objective={"ensemble": 0}), workers=1)
    result = mlptune.run_sweep(two(search__start="large", search__trials=5), workers=1)
    assert (result.trials["parameters"] <= LIMIT).all()


@pytest.mark.parametrize("method", ["grid", "hyperband", "tpe"])
def test_limits_hold_for_one_metric_too(store: str, method: str) -> None:
    space = {"learning_rate": [0.01, 0.03], "hidden": [[4], [40], [8]]}
    spec = iris(space=space, search={"method": method, "batch": 4}, objective={"limit": {"parameters": 100}})
    if method != "grid":
        spec["search"]["trials"] = 6
    result = mlptune.run_sweep(spec, workers=1)
    assert len(result.trials) == (4 if method == "grid" else 6)
    assert set(map(tuple, result.trials["params_hidden"])) == {(4,), (8,)}


def test_what_diverges_is_on_no_front(store: str) -> None:
    space = {**SPACE, "learning_rate": {"low": 1e-3, "high": 1e20, "log": True}}
    spec = two(
        space=space, model={"epochs": 3, "optimizer": "sgd", "preset": "plain"}, data={"source": "sklearn:diabetes"}
    )
    result = mlptune.run_sweep({**spec, "name": "iris"}, workers=1)
    states = dict(zip(result.trials["number"], result.trials["state"], strict=True))
    assert "pruned" in states.values()
    assert {states[number] for number in result.front["number"]} == {"complete"}


def test_a_callable_for_any_study_returns_all_metrics() -> None:
    evaluate = mlptune.objective(two())
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(evaluate, n_trials=8)
    states = {trial.state.name for trial in study.trials}
    assert states == {"COMPLETE", "PRUNED"}, "those over the limit do not train"
    assert all(trial.values[1] > 0 for trial in study.trials if trial.state.name == "COMPLETE")


def test_of_equal_trials_the_first_is_on_the_front() -> None:
    def trial(number: int, value: float | None, units: int, state: str = "complete") -> TrialRecord:
        return TrialRecord(number, state, value, {"hidden": [units]})

    trials = [trial(0, 0.9, 8), trial(1, 0.9, 8), trial(2, 0.8, 4), trial(3, 0.8, 9), trial(4, None, 1, "failed")]
    costs = trial_costs(trials, Costs(4, 3, 0, (), "cross_entropy"), {"learning_rate": 0.1})
    assert costs[4]["parameters"] == 5 + 6
    assert [t.number for t in front(trials, costs, ["operations"], "maximize")] == [2, 0]
    assert [t.number for t in front(trials, costs, ["bytes"], "minimize")] == [2]
    assert front([], {}, ["bytes"], "maximize") == []
    assert trial_costs([TrialRecord(0, "failed", None, {"hidden": [0]})], Costs(4, 3, 0, (), "log_loss"), {}) == {}
