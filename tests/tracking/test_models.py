"""Models in MLflow: loaded where nothing of the sweep is, registered once a launch, and held in plain files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from mlptune.tracking import models, reader
from mlptune.tracking.writer import Writer
from tests.support.launches import opened

LOADER = """
import json, pathlib
class Model:
    def __init__(self, path): self.offset = json.loads((pathlib.Path(path) / "arrays/offset.json").read_text())
    def predict(self, frame): return frame["x"] + self.offset
def _load_pyfunc(path): return Model(path)
"""


def test_model_loads_in_another_process_and_holds_no_pickle(uri: str, tmp_path: Path) -> None:
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
    code = (
        "import sys, mlflow, pandas; mlflow.set_tracking_uri(sys.argv[1]); frame = pandas.DataFrame({'x': [1, 2]});"
        "print([mlflow.pyfunc.load_model(address).predict(frame).tolist() for address in sys.argv[2:]])"
    )
    environment = {**os.environ, "PYTHONPATH": str(modules)}
    command = [sys.executable, "-c", code, uri, "models:/my.digits 2/1", str(kept.parent.parent)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "[[11, 12], [11, 12]]", done.stderr
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
