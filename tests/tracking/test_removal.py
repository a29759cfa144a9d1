"""Deleting: what belongs to a launch goes, softly, and nothing of another one."""

import os
from pathlib import Path

import pytest

from mlptune.tracking import lease, reader, schema
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.removal import delete_launches
from mlptune.tracking.writer import Writer


def launch(uri: str, name: str, model: Path | None = None) -> str:
    with Writer(uri) as writer:
        opened = writer.open_launch(name, spec_text="", spec={}, tags={"mlptune.method": "grid", "mlptune.trials": "2"})
        for number in range(2):
            writer.commit_trial(TrialRecord(number, "complete", number / 4, {"x": number}, 2), {"val_loss": [1.0, 0.5]})
        if model is not None:
            writer.log_model(model, name=name, loader_module="mlptune.experiments.model")
        writer.finish_launch("finished", best=TrialRecord(1, "complete", 0.25, {"x": 1}, 2))
        return opened.result()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    return folder


def test_a_launch_goes_with_its_trials_and_its_model(uri: str, model: Path) -> None:
    from mlflow import MlflowClient

    first, second, third = (launch(uri, "digits", model) for _ in range(3))
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.delete_tag(first, schema.LAUNCH)  # as 0.1.0 has left them
    client.delete_tag(second, schema.LAUNCH)
    delete_launches(uri, [reader.launch(uri, "digits", first)], print)
    assert [(entry.number, entry.run_id) for entry in reader.launches(uri, "digits")] == [(3, third), (2, second)]
    versions = client.search_model_versions("name = 'digits'")
    assert {version.run_id for version in versions} == {second, third}
    assert len(reader.trials(uri, second)) == 2
    assert reader.model_folder(uri, second).is_dir()
    client.restore_run(first)
    assert [entry.number for entry in reader.launches(uri, "digits")] == [3, 2, 1]


def test_with_the_last_launch_the_name_is_free(uri: str, model: Path) -> None:
    from mlflow import MlflowClient

    run_id = launch(uri, "digits", model)
    delete_launches(uri, reader.launches(uri, "digits"), print)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    assert client.search_registered_models() == []
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    again = launch(uri, "digits", model)
    assert [(entry.number, entry.run_id) for entry in reader.launches(uri, "digits")] == [(1, again)]


def test_runs_and_versions_of_the_users_own_stay(uri: str, model: Path) -> None:
    from mlflow import MlflowClient

    run_id = launch(uri, "digits", model)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    [version] = client.search_model_versions("name = 'digits'")
    client.create_registered_model("mine")
    client.create_model_version("mine", source=version.source, run_id=run_id)
    experiment = client.get_experiment_by_name("digits").experiment_id
    own = client.create_run(experiment).info.run_id
    delete_launches(uri, reader.launches(uri, "digits"), print)
    assert [found.name for found in client.search_registered_models()] == ["mine"]
    assert client.get_run(own).info.lifecycle_stage == "active"
    assert reader.sweeps(uri) == []


def test_nothing_of_a_running_launch_is_deleted(uri: str) -> None:
    launch(uri, "digits")
    with Writer(uri) as writer:
        writer.open_launch(
            "digits", spec_text="", spec={}, tags={"mlptune.method": "grid", "mlptune.trials": "2"}
        ).result()
        with pytest.raises(lease.HeldElsewhere, match=rf"is being run by .* process {os.getpid()}"):
            delete_launches(uri, reader.launches(uri, "digits"), print)
        writer.finish_launch("interrupted")
    assert len(reader.launches(uri, "digits")) == 2
