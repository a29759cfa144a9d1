"""Models in MLflow: loaded by what is in the store, registered once a launch, and held in plain files.

That a process which has nothing of the sweep loads them is shown by `experiments/test_model.py`.
"""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlptune.tracking import models, reader, store
from mlptune.tracking.writer import Writer
from tests.support.launches import opened

LOADER = """
import json, pathlib
class Model:
    def __init__(self, path): self.offset = json.loads((pathlib.Path(path) / "arrays/offset.json").read_text())
    def predict(self, frame): return frame["x"] + self.offset
def _load_pyfunc(path): return Model(path)
"""


def test_model_loads_by_name_and_by_folder_and_holds_no_pickle(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules, folder = tmp_path / "modules", tmp_path / "model"
    (folder / "arrays").mkdir(parents=True)
    modules.mkdir()
    (folder / "arrays/offset.json").write_text("10")
    (modules / "tiny_loader.py").write_text(LOADER)
    with Writer(uri) as writer:
        parent = opened(writer, "my.digits 2")
        model = writer.log_model(folder, name="my.digits 2", loader_module="tiny_loader", metrics={"test_score": 0.5})
        assert model.result() == "1"
        shutil.rmtree(folder)
        writer.finish_launch("finished", metrics={"test_score": 0.5})
    kept = reader.model_folder(uri, parent)
    assert (kept / "arrays/offset.json").read_text() == "10"
    files = [path for path in kept.parent.parent.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".yaml", ".txt", ""}
    assert not [path for path in files if path.read_bytes().startswith(b"\x80")]  # as every pickle since 2003 does
    mlflow = store.import_mlflow()
    with monkeypatch.context() as patch:
        patch.syspath_prepend(modules)
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        for address in ("models:/my.digits 2/1", str(kept.parent.parent)):
            loaded = mlflow.pyfunc.load_model(address)
            assert loaded.predict(pd.DataFrame({"x": [1, 2]})).tolist() == [11, 12]
    assert reader.launch(uri, "my.digits 2").test_score == 0.5


def test_each_launch_registers_a_version(uri: str, tmp_path: Path, client: Any) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.json").write_text("1")
    for version in ("1", "2"):
        with Writer(uri) as writer:
            parent = opened(writer)
            assert writer.log_model(tmp_path / "model", name="digits", loader_module="x").result() == version
            writer.finish_launch("finished")
        assert client.get_model_version("digits", version).run_id == parent


def test_a_model_whose_answer_was_lost_is_not_registered_twice(uri: str, tmp_path: Path, client: Any) -> None:
    """The same call once more finds the version that is there; a later call makes its own, though it is made again."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.json").write_text("1")
    with Writer(uri) as writer:
        run_id = opened(writer)

    def log(timestamp: int, again: bool) -> str:
        options: dict[str, Any] = {"name": "digits", "loader_module": "x", "metrics": {}, "requirements": ["mlptune"]}
        return models.log_model(client, run_id, tmp_path / "model", **options, timestamp=timestamp, again=again)

    assert [log(7, False), log(7, True), log(8, True)] == ["1", "1", "2"]
    assert len(client.search_logged_models([client.get_run(run_id).info.experiment_id])) == 2
    assert len(client.search_model_versions("name = 'digits'")) == 2


def test_a_model_whose_upload_broke_off_is_registered_by_the_call_made_again(
    uri: str, tmp_path: Path, client: Any
) -> None:
    with Writer(uri) as writer:
        run_id = opened(writer)

    def log(again: bool) -> str:
        options: dict[str, Any] = {"name": "digits", "loader_module": "x", "requirements": ["mlptune"]}
        metrics = {"test_score": 0.5}
        return models.log_model(
            client, run_id, tmp_path / "model", **options, metrics=metrics, timestamp=7, again=again
        )

    for again in (False, True):
        with pytest.raises(FileNotFoundError):
            log(again)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.json").write_text("1")
    assert log(True) == "1"
    run = client.get_run(run_id)
    [model] = client.search_logged_models([run.info.experiment_id])
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]
    assert [(metric.key, metric.value) for metric in model.metrics] == [("test_score", 0.5)]
    assert str(model.status) == "READY"
