"""A sweep that is in the store goes on, tries a configuration and ends by its name alone."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_iris

import mlptune
from mlptune.experiments.in_charge import continue_sweep, stop_sweep, try_configuration
from mlptune.tracking import lease, reader, schema
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.processes import wait_until
from tests.support.sweeps import essence, iris


def test_an_interrupted_sweep_goes_on_and_grows_without_its_file(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its table is named relative to the folder in which it was begun; it is continued from another one."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    frame = load_iris(as_frame=True).frame
    frame.to_csv(tmp_path / "here" / "rows.csv", index=False)
    spec = iris(data={"source": "rows.csv", "target": "target"})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.chdir(tmp_path / "here")
    whole = mlptune.run_sweep({**spec, "name": "whole", "search": {**spec["search"], "trials": 16}}, workers=1)
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(spec, workers=1, observer=AfterTrials(5, press_ctrl_c))
    monkeypatch.chdir(tmp_path / "there")
    continued = continue_sweep("iris", workers=2)
    assert (len(continued.trials), continued.summary()["state"]) == (12, "finished")
    more = continue_sweep("iris", "+4", workers=2)
    assert essence(more, with_name=False) == essence(whole, with_name=False)
    assert continue_sweep("iris", workers=1).summary() == more.summary(), "nothing is left"
    for given, rule in (("+0", "above 0"), ("12", "16 already"), ("-3", "a whole number"), ("+1.5", "a whole number")):
        with pytest.raises(mlptune.UserError, match=rule):
            continue_sweep("iris", given)
    with pytest.raises(mlptune.UserError, match=r"budget of iris is 16 trials; give it --trials"):
        continue_sweep("iris", minutes="+2")
    frame.iloc[::-1].assign(target=0).to_csv(tmp_path / "here" / "rows.csv", index=False)
    with pytest.raises(mlptune.UserError) as refused:
        continue_sweep("iris", "+4")
    assert "--resume:" not in str(refused.value)


def test_minutes_for_a_sweep_with_a_budget_in_epochs_are_refused_with_that_budget(store: str) -> None:
    mlptune.run_sweep({**iris(), "search": {"method": "random", "epochs_total": 3}}, workers=1)
    with pytest.raises(mlptune.UserError, match="the budget of iris is 3 epochs"):
        continue_sweep("iris", minutes="+2")


def test_a_method_that_plans_with_its_trials_and_a_table_of_memory_are_refused(store: str) -> None:
    mlptune.run_sweep(iris(search={"method": "pbt", "trials": 2, "options": {"population": 2}}), workers=1)
    with pytest.raises(mlptune.UserError, match=r"^search.trials was 2 and is 4 now; method pbt plans with all"):
        continue_sweep("iris", "+2")
    frame = pd.DataFrame({"a": [i * i % 11 for i in range(60)], "y": [i % 2 for i in range(60)]})
    mlptune.run_sweep(data=frame, target="y", overrides={"search.trials": 1, "model.epochs": 1}, workers=1)
    with pytest.raises(mlptune.UserError, match="its table was given in Python and has to be given again"):
        continue_sweep("y", "+2")


def test_a_trial_by_hand_in_a_finished_sweep_is_part_of_its_history(store: str) -> None:
    spec = iris(search__trials=6)
    first = mlptune.run_sweep(spec, workers=1)
    best = first.best["params"]
    tried = try_configuration("iris", {"dropout": 0}, workers=1)
    assert tried.trial is not None
    assert (tried.trial["number"], tried.state) == (6, "finished")
    assert tried.params == {**best, "dropout": 0}
    found = mlptune.load_result("iris").summary()
    assert found["by_hand"] == [6]
    assert found["trials"][:6] == first.summary()["trials"]
    assert mlptune.run_sweep(spec, workers=1, resume=True).summary() == found, "the file still means this sweep"
    on = continue_sweep("iris", "+4", workers=2).summary()
    assert [t["value"] for t in on["trials"]][:7] == [t["value"] for t in found["trials"]]
    assert (len(on["trials"]), on["by_hand"]) == (11, [6])


def test_killed_after_a_trial_by_hand_the_sweep_is_the_same(store: str) -> None:
    def steered(name: str, cut: bool) -> dict[str, Any]:
        spec = iris(name=name)
        with pytest.raises(KeyboardInterrupt):
            mlptune.run_sweep(spec, workers=2, observer=AfterTrials(4, press_ctrl_c))
        tried = try_configuration(name, {"learning_rate": 0.05, "hidden": [8], "dropout": 0.3}, workers=1)
        assert (tried.trial or {})["number"] == reader.launch(store, name).by_hand[0]["number"]
        assert tried.state == "interrupted"
        if cut:
            with pytest.raises(KeyboardInterrupt):
                continue_sweep(name, workers=1, observer=AfterTrials(10, press_ctrl_c))
        return essence(continue_sweep(name, workers=1 + cut), with_name=False)

    once, twice = steered("once", cut=False), steered("twice", cut=True)
    if once["document"]["by_hand"] == twice["document"]["by_hand"]:  # whatever was begun when Ctrl-C came
        assert once == twice
    assert len(twice["document"]["trials"]) == 13


def test_a_sweep_that_hears_no_signal_sees_the_request_with_its_heartbeat(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that writes is this one, so that its heartbeat can be made quick."""
    from mlptune.tracking.writer import Writer

    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.1)
    with Writer(store) as writer:
        run_id = writer.open_launch("asked", spec_text="", spec={}, tags={schema.STOPPED_BY: "request"}).result()
        said = stop_sweep("asked", store)
        assert said.startswith("asked ")
        assert "to stop asked: it looks every" in said

        def seen() -> bool:
            writer.flush()
            return writer.requests().get(schema.STOP_REQUEST) == "1"

        wait_until(seen, seconds=20)
        writer.finish_launch("interrupted")
    assert reader.launch(store, "asked").run_id == run_id
