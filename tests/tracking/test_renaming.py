"""Renaming: the experiment, its runs' tags, the stored sweep files and the registered model; nothing that is taken."""

import json
from pathlib import Path

import pytest

from mlptune.tracking import lease, reader, records, schema
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.renaming import NameTaken, rename_sweep
from mlptune.tracking.writer import Writer

TAGS = {"mlptune.method": "grid", "mlptune.trials": "1"}


def launch(uri: str, name: str, model: Path | None = None, **spec: object) -> str:
    with Writer(uri) as writer:
        opened = writer.open_launch(name, spec_text="", spec={"name": name, **spec}, tags=TAGS)
        best = TrialRecord(0, "complete", 0.25, {"x": 1}, 2)
        writer.commit_trial(best, {"val_loss": [1.0, 0.5]})
        if model is not None:
            writer.log_model(model, name=name, loader_module="mlptune.experiments.model")
        writer.finish_launch("finished", best=best, artifacts={schema.SPEC_FILE: json.dumps({"name": name})})
        return opened.result()


def test_all_that_has_the_name_has_the_new_one(uri: str, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text("{}")
    short, long = launch(uri, "data", tmp_path / "model"), launch(uri, "data", remark="x" * 9000)
    rename_sweep(uri, reader.launches(uri, "data"), "cars", print)
    launches = reader.launches(uri, "cars")
    assert [entry.run_id for entry in launches] == [long, short]
    assert launches[0].tags[schema.SPEC].startswith(records.ARTIFACT)
    for entry in launches:
        assert reader.launch_data(uri, entry, schema.SPEC)["name"] == "cars"
        assert json.loads(reader.artifact(uri, entry.run_id, schema.SPEC_FILE).read_text())["name"] == "cars"
        assert "Sweep **cars**" in entry.tags[schema.NOTE]
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    runs = client.search_runs([client.get_experiment_by_name("cars").experiment_id])
    assert {run.data.tags[schema.SWEEP] for run in runs} == {"cars"}
    assert [version.run_id for version in client.search_model_versions("name = 'cars'")] == [short]
    with pytest.raises(reader.NotFound):
        reader.launches(uri, "data")


def test_a_name_that_is_taken_and_a_sweep_that_runs_are_left_alone(uri: str) -> None:
    from mlflow import MlflowClient

    launch(uri, "data")
    launch(uri, "cars")
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.create_registered_model("boats")
    client.delete_experiment(client.create_experiment("gone"))
    for name, said in (
        ("cars", "a sweep 'cars'"),
        ("boats", "a registered model 'boats'"),
        ("gone", "a deleted experiment"),
    ):
        with pytest.raises(NameTaken, match=said):
            rename_sweep(uri, reader.launches(uri, "data"), name, print)
    with Writer(uri) as writer:
        writer.open_launch("data", spec_text="", spec={}, tags=TAGS).result()
        with pytest.raises(lease.HeldElsewhere):
            rename_sweep(uri, reader.launches(uri, "data"), "new", print)
        writer.finish_launch("interrupted")
    assert len(reader.launches(uri, "data")) == 2
