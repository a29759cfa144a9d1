"""The files around a model are those that MLflow writes, and MLflow loads them."""

from pathlib import Path
from typing import Any

import pytest

from mlptune.tracking import models, store
from mlptune.tracking.models import Signature
from mlptune.tracking.runs.model_files import save_model

SIGNATURES = {
    "none": None,
    "columns": Signature(
        (("age", True), ("wörk: 'x'", False), ("empty", True)),
        (("prediction", "string"), ("proba_a", "double")),
        {"age": [1.5, -3.0, None], "wörk: 'x'": ["a", "Zürich", None], "empty": [None, None, None]},
        {"columns": {"age": "numeric", "wörk: 'x'": "categorical", "empty": "presence"}},
    ),
    "array": Signature(None, (("prediction", "long"),), {"x0": [1.0, 2.0], "x1": [True, 7]}, {"columns": {}}),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_files_are_those_of_mlflow(name: str, tmp_path: Path) -> None:
    store.import_mlflow()
    from mlflow.models import Model
    from mlflow.pyfunc import save_model as original

    signature, requirements = SIGNATURES[name], ["mlptune==1.2.3", "numpy"]
    (tmp_path / "model/arrays").mkdir(parents=True)
    (tmp_path / "model/arrays/offset.json").write_text("10")
    (tmp_path / "model/model.json").write_text("{}")
    save_model(
        tmp_path / "ours",
        tmp_path / "model",
        location="file:///somewhere",
        model_id="m-1",
        run_id="r1",
        loader_module="tiny_loader",
        requirements=requirements,
        signature=signature,
    )
    described = Model(artifact_path="file:///somewhere", model_uuid="m-1", run_id="r1", model_id="m-1")
    shown: dict[str, Any] = {} if signature is None else models._shown(signature)
    original(
        str(tmp_path / "them"),
        loader_module="tiny_loader",
        data_path=str(tmp_path / "model"),
        mlflow_model=described,
        pip_requirements=requirements,
        **shown,
    )
    ours, them = contents(tmp_path / "ours"), contents(tmp_path / "them")
    assert ours.keys() == them.keys()
    for path in them:
        assert without_time(ours[path]) == without_time(them[path]), path


def without_time(content: bytes) -> list[bytes]:
    return [line for line in content.splitlines() if not line.startswith(b"utc_time_created: ")]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_mlflow_loads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = store.import_mlflow()
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.json").write_text("1")
    (tmp_path / "reads_nothing.py").write_text(
        "def _load_pyfunc(path): return type('M', (), {'predict': lambda s, x: 7})()"
    )
    monkeypatch.syspath_prepend(tmp_path)
    save_model(
        tmp_path / "made",
        tmp_path / "model",
        location="x",
        model_id="m-1",
        run_id="r1",
        loader_module="reads_nothing",
        requirements=[],
        signature=None,
    )
    assert mlflow.pyfunc.load_model(str(tmp_path / "made")).predict([[1.0]]) == 7
