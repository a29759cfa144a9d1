"""Resume: an unfinished sweep goes on as it was begun, and only as it was begun."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import UserError
from mlptune.experiments.launch import forecast
from mlptune.experiments.launch.plan import make_plan
from mlptune.experiments.launch.resume import as_begun, committed_trials, resumable
from mlptune.tracking import reader
from tests.support.launches import set_launch_tag
from tests.support.observers import AfterTrials, Listener, press_ctrl_c
from tests.support.sweeps import essence, small


def test_interrupted_refused_then_resumed(store: str) -> None:
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        mlptune.run_sweep(small(), observer=AfterTrials(6, press_ctrl_c))
    assert mlptune.experiments.queries.show("small")["state"] == "interrupted"
    with pytest.raises(UserError, match="continue it with --resume, or give this one another name"):
        mlptune.run_sweep(small())
    with pytest.raises(UserError, match=r"cannot continue it: model.epochs was 9 and is 10 now; .* or give") as refused:
        mlptune.run_sweep(small(model__epochs=10))
    assert "--resume" not in str(refused.value)  # the command line would offer what was typed, with --resume
    with pytest.raises(UserError, match=r"model.epochs was 9 and is 10 now"):
        mlptune.run_sweep(small(model__epochs=10), resume=True)
    with pytest.raises(UserError, match=r"data.folds was not given and is 3 now"):
        mlptune.run_sweep(small(data__folds=3), resume=True)
    unfinished = mlptune.experiments.queries.show("small")["run_id"]
    set_launch_tag(store, unfinished, "mlptune.machine", "an abacus")
    listener = Listener()
    resumed = mlptune.run_sweep(small(), resume=True, observer=listener)
    assert any("an abacus" in text for text in listener.messages)
    assert [trial["state"] for trial in resumed.summary()["trials"]] == ["complete"] * 12
    again = mlptune.run_sweep(small(), resume=True)
    assert again.summary() == resumed.summary()
    more = mlptune.run_sweep(small(search__trials=16), resume=True)
    assert [t["value"] for t in more.summary()["trials"]][:12] == [t["value"] for t in resumed.summary()["trials"]]
    assert len(more.summary()["trials"]) == 16
    assert more.run_id == resumed.run_id


def test_data_that_have_changed_do_not_continue_a_sweep(store: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(80) % 7, "b": np.arange(80.0), "y": np.arange(80) % 2})
    spec = small(data={"source": str(tmp_path / "rows.csv"), "target": "y"})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(spec, workers=1, observer=AfterTrials(2, press_ctrl_c))
    frame.assign(b=frame["b"].where(frame["b"] != 40.0, 40.5)).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(UserError, match="the data has changed since the sweep was begun; give this one another name"):
        mlptune.run_sweep(spec, workers=1, resume=True)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    # How long it may take is no part of what it is.
    result = mlptune.run_sweep({**spec, "search": {**spec["search"], "timeout": 600}}, workers=1, resume=True)
    assert len(result.trials) == 12


@pytest.mark.parametrize("method", ["asha", "mobster"])
def test_trials_that_were_paused_at_the_end_go_on_with_a_larger_budget(store: str, method: str) -> None:
    """The sweep that its timeout cut becomes, without it, the sweep that never had one: in the store as in the result."""
    spec = small(method, model={"epochs": 27}, search__batch=4, search__trials=16)
    whole = mlptune.run_sweep({**spec, "name": "whole"})
    cut = mlptune.run_sweep({**spec, "search": {**spec["search"], "timeout": 1e-6}})
    assert any("paused" in (trial["reason"] or "") for trial in cut.summary()["trials"])
    longer = mlptune.run_sweep(spec, resume=True)
    assert essence(longer, with_name=False)["curves"] == essence(whole, with_name=False)["curves"]
    stored = {trial.number: (trial.state, trial.value, trial.epochs) for trial in reader.trials(store, longer.run_id)}
    shown = {trial["number"]: (trial["state"], trial["value"], trial["epochs"]) for trial in longer.summary()["trials"]}
    assert stored == shown


def test_a_budget_that_is_over_before_it_begins_still_has_a_result(store: str) -> None:
    listener = Listener()
    result = mlptune.run_sweep(small(search__minutes=1e-6), workers=1, observer=listener)
    assert "the time is over before a trial has begun; it goes on to the first result" in listener.messages
    assert result.best["number"] in set(result.trials["number"])
    assert mlptune.load_model("small").classes_.tolist() == [0, 1]


def test_a_budget_in_minutes_ends_in_time_with_a_model_and_grows_on_resume(store: str) -> None:
    spec = small(search={"method": "tpe", "minutes": 0.02}, model={"epochs": 60})
    first = mlptune.run_sweep(spec, workers=1)
    trials = first.summary()["trials"]
    assert first.summary()["state"] == "finished"
    assert first.best["test_score"] > 0.5
    assert trials
    assert mlptune.run_sweep(spec, workers=1, resume=True).summary() == first.summary()
    more = mlptune.run_sweep({**spec, "search": {"method": "tpe", "minutes": 0.05}}, workers=1, resume=True)
    assert len(more.summary()["trials"]) > len(trials)


def test_what_trains_when_the_time_is_over_counts_with_its_best_epoch_so_far(store: str) -> None:
    """A table on which no trial can end in the time still gives a model."""
    slow = {"epochs": 100_000, "hidden": [64, 64], "batch_size": 8}
    space = {"learning_rate": {"low": 1e-4, "high": 1e-3, "log": True}}
    spec = small(search={"method": "random", "minutes": 0.02, "batch": 2}, model=slow, space=space)
    result = mlptune.run_sweep(spec, workers=1)
    ended = [trial for trial in result.summary()["trials"] if trial["state"] == "complete"]
    assert ended
    assert all(0 < trial["epochs"] < 100_000 for trial in ended)
    assert all(trial["reason"] == f"out of time after epoch {trial['epochs']}" for trial in ended)
    # They are no results for a resume, which has the time to train them to their ends.
    loaded, _ = load_spec(spec)
    plan = make_plan(loaded, Dataset.load(loaded.data, loaded.seed, loaded.base))
    assert committed_trials(store, result.run_id, plan)[0] == {}
    curves = result.curves
    for trial in ended:
        values = curves[curves["number"] == trial["number"]]["val_score"]
        assert trial["value"] in values.tolist()
    assert mlptune.load_model("small").predict(np.zeros((1, 30))).shape == (1,)


@pytest.mark.parametrize(
    ("version", "method", "options"),
    [
        ("0.1.0", "auto", {"repeats": True, "n_startup_trials": 4}),
        ("0.1.0", "tpe", {"n_startup_trials": 4}),
        ("0.1.9", "auto", {"n_startup_trials": 4}),
    ],
)
def test_a_method_goes_on_as_its_version_began(
    store: str, version: str, method: str, options: dict[str, object]
) -> None:
    table = small(search__method=method, search__options={"n_startup_trials": 4})
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(table, workers=1, observer=AfterTrials(2, press_ctrl_c))
    earlier = resumable(store, "small")
    assert earlier is not None
    set_launch_tag(store, earlier.run_id, "mlptune.version", version)
    earlier = resumable(store, "small")
    assert earlier is not None
    assert as_begun(load_spec(table)[0], earlier, store).search.options == options


def test_more_trials_train_on_the_rows_that_the_first_ones_had(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time had decided how many trials there are and on which share of the rows; it is not counted anew."""
    silent = {**small(), "space": None, "model": {"epochs": 2}, "search": {"method": "random"}}
    cost = plan_of_spec(silent)
    monkeypatch.setattr(forecast.affordable, "__defaults__", (18.0 * cost, 24))
    first = mlptune.run_sweep(silent, workers=1)
    assert (len(first.trials), first.best_config["subset"]) == (24, 0.5)
    monkeypatch.setattr(forecast.affordable, "__defaults__", (1000.0 * cost, 24))
    assert mlptune.run_sweep(silent, workers=1, resume=True).run_id == first.run_id
    more = mlptune.run_sweep({**silent, "search": {"method": "random", "trials": 26}}, workers=1, resume=True)
    assert (len(more.trials), more.best_config["subset"]) == (26, 0.5)
    both = [result.trials.set_index("number")["value"] for result in (first, more)]
    assert both[0].equals(both[1].loc[both[0].index])


def plan_of_spec(tables: dict[str, Any]) -> float:
    """The operations of one of its trials."""
    spec, _ = load_spec(tables)
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base)).trial_operations
