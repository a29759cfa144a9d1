"""The signature in MLflow's hands: what it shows, what it refuses, and that it refuses nothing that the model can read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mlptune
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.launch.finish import LOADER_MODULE
from mlptune.experiments.model import TunedModel, prediction_table
from mlptune.experiments.signature import ROWS, signature_of
from mlptune.tracking import reader, store
from mlptune.tracking.writer import Writer
from tests.support.launches import opened
from tests.support.models import momentary_model, write_table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("table") / "rows.csv")


@pytest.fixture(scope="module")
def model(table: Path) -> TunedModel:
    return momentary_model(table, "classification", {})


@pytest.fixture(scope="module")
def logged(model: TunedModel, migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's folder of the model, as the store has it."""
    folder = tmp_path_factory.mktemp("logged")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    (folder / "mlflow.db").write_bytes(migrated.read_bytes())
    model.save(folder / "model")
    with Writer(uri) as writer:
        run_id = opened(writer, "things")
        signature = signature_of(model)
        writer.log_model(folder / "model", name="things", loader_module=LOADER_MODULE, signature=signature).result()
        writer.finish_launch("finished")
    return reader.model_folder(uri, run_id).parents[1]


@pytest.fixture(scope="module")
def loaded(logged: Path) -> Any:
    return store.import_mlflow().pyfunc.load_model(str(logged))


def test_its_columns_and_what_the_model_knows_of_them_are_shown(model: TunedModel, logged: Path) -> None:
    info = store.import_mlflow().models.Model.load(str(logged))
    assert info.signature.inputs.input_names() == model.feature_names_in_.tolist()
    assert info.signature.inputs.required_input_names() == model.parts[0].encoder.columns
    expected = prediction_table(model, pd.DataFrame(signature_of(model).example))
    assert info.signature.outputs.input_names() == list(expected.columns)
    assert [str(kind) for kind in info.signature.outputs.numpy_types()] == [str(kind) for kind in expected.dtypes]
    assert info.metadata["columns"]["when"] == "calendar"
    assert not [path for path in logged.rglob("*") if path.is_file() and path.read_bytes()[:1] == b"\x80"]


def test_its_example_is_predicted_and_served_and_every_cell_of_it_can_be_read(
    model: TunedModel, logged: Path, loaded: Any
) -> None:
    example = loaded.input_example
    assert len(example) == len(ROWS)
    assert model.parts[0].encoder.unread(example) == []
    assert example.isna().any().any()
    expected = prediction_table(model, example)
    pd.testing.assert_frame_equal(loaded.predict(example), expected)
    # What a scoring server is sent, and how it reads it.
    from mlflow.pyfunc.scoring_server import _parse_json_data

    sent = (logged / "serving_input_example.json").read_text()
    json.loads(sent, parse_constant=pytest.fail)
    data, *_ = _parse_json_data(sent, loaded.metadata, loaded.metadata.get_input_schema())
    pd.testing.assert_frame_equal(loaded.predict(data), expected)


def whole_with_missing(rows: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers with missing ones among them, in each form that pandas has for it."""
    numbers = pd.Series([1000, None, 2000, *[1500] * (len(rows) - 3)])
    return rows.assign(price=numbers.astype("Int64"), share=numbers.astype(object), flag=numbers.map({1000: 1}))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rows: rows, id="texts"),
        pytest.param(lambda rows: rows[rows.columns[::-1]].assign(more=1, target=2), id="another order and more"),
        pytest.param(lambda rows: rows.assign(price=5, share=np.int32(7)), id="whole numbers"),
        pytest.param(whole_with_missing, id="whole numbers with missing ones"),
        pytest.param(
            lambda rows: rows.assign(price=1e3, flag=True, share=np.float32(0.5)), id="other types of numbers"
        ),
        pytest.param(lambda rows: rows.assign(when=pd.to_datetime(rows["when"])), id="dates"),
        pytest.param(
            lambda rows: rows.assign(when=pd.to_datetime(rows["when"]).dt.tz_localize("UTC").dt.date), id="date objects"
        ),
        pytest.param(lambda rows: rows.astype({"colour": "category", "town": "category"}), id="categories"),
        pytest.param(lambda rows: rows.assign(code=9), id="categories that are numbers"),
        pytest.param(lambda rows: rows.set_index(rows.index[::-1] + 7), id="another index"),
    ],
)
def test_what_the_model_reads_mlflow_lets_through(
    table: Path, model: TunedModel, loaded: Any, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    rows = change(read_table(str(table), table.parent).iloc[:20])
    pd.testing.assert_frame_equal(loaded.predict(rows), prediction_table(model, rows))


def test_a_missing_column_is_told_by_mlflow(table: Path, loaded: Any) -> None:
    rows = read_table(str(table), table.parent)
    with pytest.raises(store.import_mlflow().exceptions.MlflowException, match=r"Model is missing inputs \['price'\]"):
        loaded.predict(rows.drop(columns="price"))


def test_a_column_that_the_model_does_not_use_may_be_missing_and_names_may_too(store: str, tmp_path: Path) -> None:
    """Of a sweep over an array nothing is declared, so arrays and frames go in; of one with names the raw model takes arrays."""
    import mlflow

    random = np.random.default_rng(0)
    X = random.normal(size=(120, 3))
    X[:, 1] = 5.0  # tells nothing and is left out
    y = X[:, 0] > 0
    settings: dict[str, Any] = {"search.trials": 2, "model.epochs": 4, "model.preset": "plain"}
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    for name, data in (("numbers", X), ("names", frame)):
        mlptune.run_sweep(data=(data, y), overrides={"name": name, **settings}, verbose=False)
    mlflow.set_tracking_uri(store)
    try:
        numbers, names = (mlflow.pyfunc.load_model(f"models:/{name}/1") for name in ("numbers", "names"))
    finally:
        mlflow.set_tracking_uri(None)
    assert numbers.metadata.signature.inputs is None
    assert [numbers.metadata.signature.outputs.input_names()[0], len(numbers.input_example.columns)] == [
        "prediction",
        2,
    ]
    expected = prediction_table(mlptune.load_model("numbers"), X)
    for rows in (X, X[:, [0, 2]], X.tolist(), pd.DataFrame(X, columns=["x0", "x1", "x2"])):
        pd.testing.assert_frame_equal(numbers.predict(rows), expected)
    assert repr(names.metadata.signature.inputs) == "['a': Any (required), 'b': Any (optional), 'c': Any (required)]"
    expected = prediction_table(mlptune.load_model("names"), X)
    pd.testing.assert_frame_equal(names.predict(frame), expected)
    pd.testing.assert_frame_equal(names.predict(frame[["c", "a"]]), expected)
    np.testing.assert_array_equal(names.get_raw_model().predict(X), expected["prediction"])
