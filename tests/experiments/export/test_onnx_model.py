"""The file of ONNX predicts what the model predicts: in ONNX's own reference, and where it is installed in onnxruntime."""

import json
import sys
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlptune
from mlptune.core.activations import ACTIVATIONS
from mlptune.core.scaling import SCALINGS
from mlptune.experiments.data import calendar
from mlptune.experiments.errors import SweepFailed, UserError
from mlptune.experiments.export import onnx_model
from mlptune.experiments.export.folder import described, export
from mlptune.experiments.model import TunedModel
from tests.support.models import embedded, momentary_model, write_table

try:
    import onnx
except ImportError:
    onnx = None
needs_onnx = pytest.mark.skipif(onnx is None, reason='ONNX is optional: pip install "mlptune[onnx]"')


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("table") / "rows.csv")


def error_of(model: TunedModel, folder: Path) -> float:
    """The largest difference in any runtime that there is."""
    from onnx.reference import ReferenceEvaluator

    path = folder / "model.onnx"
    onnx_model.write(*described(model), path)
    features = [feature.to_json() for feature in model.parts[0].encoder.features]
    frame = onnx_model.made_up_rows(features)
    given = onnx_model.feed(features, frame)
    reference = ReferenceEvaluator(str(path))
    found = [dict(zip(reference.output_names, reference.run(None, given), strict=True))]
    try:
        import onnxruntime
    except ImportError:
        pass
    else:
        session = onnxruntime.InferenceSession(str(path))
        found.append(dict(zip([o.name for o in session.get_outputs()], session.run(None, given), strict=True)))
    return max(onnx_model.difference(model, frame, one) for one in found)


@needs_onnx
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_activation(dtype: str, table: Path, tmp_path: Path) -> None:
    for activation in ACTIVATIONS:
        if activation != "threshold":
            model = momentary_model(table, "classification", {"activation": activation}, dtype=dtype, temperature=1.3)
            assert error_of(model, tmp_path) < (1e-6 if dtype == "float32" else 1e-12), activation


@needs_onnx
@pytest.mark.parametrize("scaling", SCALINGS)
def test_every_scaling_and_embedding(scaling: str, table: Path, tmp_path: Path) -> None:
    for embedding, config in embedded(scaling):
        assert error_of(momentary_model(table, "regression", config), tmp_path) < 1e-6, embedding


@needs_onnx
def test_ensembles_normalisation_shortcuts_codes_and_a_threshold(table: Path, tmp_path: Path) -> None:
    first = {"batch_norm": True, "skip": True, "hidden": [6, 6, 6], "embedding": "periodic", "scaling": "quantile"}
    for one_hot in (32, 0):
        model = momentary_model(
            table,
            "classification",
            first,
            {"layer_norm": True},
            classes=2,
            threshold=0.4,
            temperature=0.8,
            one_hot=one_hot,
        )
        assert error_of(model, tmp_path) < 1e-6


@needs_onnx
def test_a_sweep_s_model_is_written_and_names_its_classes(store: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.normal(size=160), "colour": random.choice(["red", "blue", "5"], 160)})
    kind = np.where(frame["size"] > 0, "large", "small")
    settings: dict[str, Any] = {"name": "things", "search.trials": 2, "model.epochs": 3}
    mlptune.run_sweep(data=(frame, kind), overrides=settings, verbose=False)
    export(mlptune.load_model("things"), tmp_path / "things", onnx=True)
    assert sorted(path.name for path in (tmp_path / "things").iterdir()) == ["model.npz", "model.onnx", "predict.py"]
    told = {entry.key: json.loads(entry.value) for entry in onnx.load(tmp_path / "things/model.onnx").metadata_props}
    assert told["classes"] == ["large", "small"]
    assert told["columns"] == [{"name": "size", "input": "number"}, {"name": "colour", "input": "text"}]
    from onnx.reference import ReferenceEvaluator

    reference = ReferenceEvaluator(str(tmp_path / "things/model.onnx"))
    given = {"size": frame[["size"]].to_numpy(), "colour": frame[["colour"]].to_numpy(dtype=object)}
    assert reference.run(["prediction"], given)[0].tolist() == mlptune.load_model("things").predict(frame).tolist()
    with pytest.raises(UserError, match=r"holds predict\.py, model\.onnx and model\.npz already"):
        export(mlptune.load_model("things"), tmp_path / "things", onnx=True)


@needs_onnx
def test_a_file_that_predicts_otherwise_is_not_written(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = momentary_model(table, "regression", {"hidden": [4]})
    monkeypatch.setattr(onnx_model, "TOLERANCE", -1.0)
    with pytest.raises(SweepFailed, match=r"model\.onnx does not predict what the model predicts"):
        export(model, tmp_path / "there", onnx=True)
    assert not (tmp_path / "there").exists()


def test_without_the_package_one_line_names_it(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match=r'^--onnx: needs the package onnx: pip install "mlptune\[onnx\]"$'):
        export(momentary_model(table, "regression", {"hidden": [4]}), tmp_path / "there", onnx=True)
    assert not (tmp_path / "there").exists()


def test_a_column_with_the_name_of_an_output_is_refused() -> None:
    with pytest.raises(UserError, match="a column is called 'prediction'"):
        onnx_model.check_names(["size", "prediction"])


@given(st.lists(st.floats(-700_000, 2_900_000), min_size=1))
def test_days_are_taken_apart_as_the_calendar_does(days: list[float]) -> None:
    found, expected = onnx_model.parts_of(np.array(days)), calendar.parts_of(np.array(days))
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@given(st.lists(st.floats(1e-7, 1 - 1e-7), min_size=1))
def test_normal_quantiles_are_those_of_the_standard_library(shares: list[float]) -> None:
    expected = [NormalDist().inv_cdf(share) for share in shares]
    np.testing.assert_allclose(onnx_model.inverse_normal(np.array(shares)), expected, rtol=1e-13, atol=1e-15)


def test_the_users_words_for_missing_are_texts_of_a_missing_category() -> None:
    absent = onnx_model._absent({"reading": {"decimal": ".", "missing": ["-999.0", "n.v."]}})
    assert {"", "NA", "n.v.", "-999"} <= set(absent)
    assert "n.v." not in onnx_model._absent({})
