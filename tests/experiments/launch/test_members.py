"""The ensemble of a sweep: the same after every interruption, made of the trials' own networks, and what the store tells of it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.datasets import load_breast_cancer

import mlptune
from mlptune.tracking import reader, schema
from tests.support.launches import tags_of_launch
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.sweeps import essence, small


def predictions(store: str) -> np.ndarray:
    X = load_breast_cancer(as_frame=True).data
    return mlptune.load_model("small", tracking_uri=store).predict_proba(X)


FOLDS = {"data__folds": 2, "seed": 4, "objective__metric": "f1"}
ONE_PART = {"seed": 4, "objective__metric": "f1"}


def undisturbed(settings: dict, tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> tuple[dict, np.ndarray]:
    """The sweep in a store of its own."""
    folder = tmp_path_factory.mktemp("undisturbed")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    shutil.copyfile(migrated, folder / "mlflow.db")
    return essence(mlptune.run_sweep(small(**settings), tracking_uri=uri)), predictions(uri)


@pytest.mark.parametrize(("settings", "stored"), [(FOLDS, True), (ONE_PART, False)], ids=["folds", "one part"])
def test_interrupted_and_resumed_it_is_the_same_ensemble(
    store: str, tmp_path_factory: pytest.TempPathFactory, migrated: Path, settings: dict, stored: bool
) -> None:
    """Whether the committed trials' predictions are in the store or must be made again."""
    expected, outputs = undisturbed(settings, tmp_path_factory, migrated)
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        mlptune.run_sweep(small(**settings), observer=AfterTrials(9, press_ctrl_c))
    run_id = mlptune.experiments.queries.show("small")["run_id"]
    committed = [trial.number for trial in reader.trials(store, run_id) if trial.state == "complete"]
    found = reader.predictions(store, run_id, committed)
    assert sorted(found) == committed
    assert committed
    if not stored:
        for number in found:
            reader.artifact(store, run_id, schema.predictions_file(number)).unlink()
    resumed = mlptune.run_sweep(small(**settings), resume=True)
    assert essence(resumed) == expected
    assert len(expected["document"]["best"]["ensemble"]) > 1, "one member shows nothing"
    np.testing.assert_array_equal(predictions(store), outputs)
    threshold = mlptune.load_model("small").threshold
    assert threshold == expected["document"]["best"]["decision_threshold"] == resumed.best["decision_threshold"]
    assert 0 < threshold < 1


@pytest.mark.parametrize("refit", [False, True])
def test_its_members_are_the_trials_own_networks_and_those_trained_on_all_rows(store: str, refit: bool) -> None:
    """The model's outputs are the weighted mean of each member trained alone, by a sweep of that one configuration."""
    result = mlptune.run_sweep(small(data__seeds=2, seed=4, objective__refit=refit))
    X = load_breast_cancer(as_frame=True).data
    together = mlptune.load_model("small")
    mean = 0.0
    for member in result.best["ensemble"]:
        alone = []
        for on_all in (False, True) if refit else (False,):
            name = f"alone-{member['number']}-{on_all}"
            spec = small("random", name=name, seed=4, data__seeds=2, objective__refit=on_all, space={})
            spec["model"] |= result.summary()["trials"][member["number"]]["params"]
            mlptune.run_sweep({**spec, "search": {"method": "random", "trials": 1}})
            alone.append(mlptune.load_model(name).predict_proba(X))
        mean = mean + member["weight"] * np.mean(alone, axis=0)
    mean = np.clip(mean, 1e-12, 1.0)
    logit = np.log(mean[:, 1] / mean[:, 0]) / together.temperature
    np.testing.assert_allclose(together.predict_proba(X)[:, 1], 1 / (1 + np.exp(-logit)), rtol=1e-4, atol=1e-5)
    assert sum(member["weight"] for member in result.best["ensemble"]) == pytest.approx(1.0)


def test_mlflow_shows_the_members_and_what_is_expected(store: str) -> None:
    result = mlptune.run_sweep(small())
    client = MlflowClient(store)
    run = client.get_run(result.run_id)
    members = {member["number"]: member["weight"] for member in result.best["ensemble"]}
    assert json.loads(tags_of_launch(store, result.run_id)["mlptune.ensemble"]) == result.best["ensemble"]
    expected = {key: run.data.metrics[f"expected_{key}"] for key in ("score", "low", "high")}
    assert expected == result.best["expected"]
    assert expected["low"] <= expected["score"] <= expected["high"]
    tagged = {
        int(trial.data.tags["mlptune.number"]): float(trial.data.tags["mlptune.member"])
        for trial in reader.all_trial_runs(client, run.info.experiment_id, result.run_id)
        if "mlptune.member" in trial.data.tags
    }
    assert tagged == pytest.approx(members, rel=1e-4)
    table = json.loads(reader.artifact(store, result.run_id, "ensemble.json").read_text())
    assert pd.DataFrame(table["data"], columns=table["columns"]).set_index("trial")["weight"].to_dict() == members


def test_none_is_asked_for(store: str) -> None:
    result = mlptune.run_sweep(small(objective__ensemble=0))
    assert result.best["ensemble"] == []
    # The best trial's own value is the best of many, and too good; what is expected is not.
    assert result.best["expected"]["score"] <= result.best["value"]
    model = mlptune.load_model("small")
    assert model.members == {}
    assert len(model.parts) == len(model.parts[0].theta) == 1
