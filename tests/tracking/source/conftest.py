"""One store with all that is hard to read."""

import math
import shutil
from pathlib import Path

import pytest

from mlptune.tracking import reader, schema, store
from mlptune.tracking.records import TrialRecord
from mlptune.tracking.writer import Writer


@pytest.fixture(scope="package")
def full(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two launches of one sweep, one of another, a deleted sweep, and foreign runs; with a model, deleted runs, superseded and
    repeated attempts, infinite and missing numbers, and texts that are too long for a tag.
    """
    folder = tmp_path_factory.mktemp("a store, 100% #1")
    shutil.copyfile(migrated, folder / "mlflow.db")
    (folder / "model").mkdir()
    (folder / "model/model.json").write_text("{}")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    for name in ("grün's 100%", "gone", "grün's 100%", "other"):
        with Writer(uri) as writer:
            opened = writer.open_launch(
                name, spec_text="a = 1", spec={"long": "x" * 9000}, tags={schema.TOTAL: "9"}, unfinished_ok=True
            )
            for number, value in enumerate((0.5, math.nan, -math.inf, 0.25)):
                record = TrialRecord(number, "complete", value, {"x": [number, None]}, 3, rebuild={"long": "y" * 9000})
                writer.commit_trial(record, {"loss": [value, 1.0, math.nan], "one": [number]})
            writer.log_segment(TrialRecord(4, "running", None, attempt=2), {"loss": [math.inf]})
            if name == "other":
                writer.log_model(folder / "model", name=name, loader_module="json", metrics={}, requirements=[])
                writer.finish_launch(
                    "finished", best=TrialRecord(0, "complete", 0.5, {"x": 0}, 3), metrics={"test_score": math.inf}
                )
            run_id = opened.result()
        run = (client := store.import_mlflow().MlflowClient(uri)).get_run(run_id)
        client.delete_run(reader.trials(uri, run_id)[3].run_id)
        client.create_run(run.info.experiment_id, tags={schema.PARENT: run_id})
        twin = client.get_run(reader.trials(uri, run_id)[0].run_id)
        client.create_run(twin.info.experiment_id, tags={**twin.data.tags, schema.STATE: "running"})
    client.delete_experiment(client.get_experiment_by_name("gone").experiment_id)
    client.delete_run(run_id := reader.launches(uri, "grün's 100%")[0].run_id)
    client.restore_run(run_id)
    return uri
