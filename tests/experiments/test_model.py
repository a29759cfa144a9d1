"""The stored model: it predicts raw rows, read back the same; what is not a model of ours is refused and nothing is executed."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from scipy import sparse
from sklearn import metrics as reference
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import PartialDependenceDisplay, permutation_importance
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.utils.validation import check_is_fitted

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.finish import fit_final
from mlptune.experiments.launch.plan import make_plan
from mlptune.experiments.model import TunedModel, prediction_table
from mlptune.experiments.progress import Observer
from mlptune.tracking.records import TrialRecord
from tests.support.sweeps import small


@pytest.fixture
def saved(store: str, tmp_path: Path) -> tuple[TunedModel, Path]:
    mlptune.run_sweep(
        {
            "name": "iris",
            "data": {"source": "sklearn:iris", "target": "target", "seeds": 2},
            "model": {
                "epochs": 3,
                "hidden": [8, 6],
                "activation": ["relu", "maxout"],
                "batch_norm": [True, False],
                "skip": [False, True],
                "changes": [[2, {"learning_rate": 0.01}]],
            },
            "space": {},
        }
    )
    model = mlptune.load_model("iris")
    model.save(tmp_path / "copy")
    return model, tmp_path / "copy"


def test_a_model_read_back_predicts_the_same(saved: tuple[TunedModel, Path]) -> None:
    model, folder = saved
    rows = pd.DataFrame(np.random.default_rng(0).uniform(0, 7, (20, 4)), columns=list(model.feature_names_in_))
    again = TunedModel.load(folder)
    np.testing.assert_array_equal(again.predict_proba(rows), model.predict_proba(rows))
    np.testing.assert_array_equal(again.predict(rows), model.predict(rows.to_numpy()))
    assert again.params == model.params


def test_a_threshold_decides_for_all_that_is_of_decisions_and_for_nothing_else(store: str, tmp_path: Path) -> None:
    result = mlptune.run_sweep(small("random", search__trials=2, objective__metric="f1", objective__ensemble=0))
    model = mlptune.load_model("small")
    assert model.threshold == result.best["decision_threshold"]
    rows = load_breast_cancer(as_frame=True)
    y = rows.target.to_numpy()
    p = model.predict_proba(rows.data)
    model.threshold = float(np.sort(p[:, 1])[-5])
    model.save(tmp_path / "copy")
    model = TunedModel.load(tmp_path / "copy")
    decided = (p[:, 1] > model.threshold).astype(int)
    assert decided.sum() == 4
    assert "decision threshold" in repr(model)
    np.testing.assert_array_equal(model.predict(rows.data), decided)
    np.testing.assert_array_equal(prediction_table(model, rows.data)["prediction"], decided)
    np.testing.assert_array_equal(model.predict_proba(rows.data), p)
    assert model.score(rows.data, y) == pytest.approx(np.mean(decided == y))
    assert model.evaluate(rows.data, y, None, "f1") == pytest.approx(reference.f1_score(y, decided))
    assert model.evaluate(rows.data, y, None, "roc_auc") == pytest.approx(reference.roc_auc_score(y, p[:, 1]))
    description = tmp_path / "copy" / "model.json"
    for bad in ("2.0", '"0.5"', "true"):
        text = json.dumps({**json.loads(description.read_text()), "threshold": json.loads(bad)})
        description.write_text(text)
        with pytest.raises(ValueError, match="the threshold must be from 0 to 1 and of two classes"):
            TunedModel.load(tmp_path / "copy")


def test_many_categories_are_embedded_and_each_row_is_predicted_by_itself(store: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    place, size = random.integers(40, size=600), random.normal(size=600)
    effect = random.normal(size=40)
    frame = pd.DataFrame({"place": [f"p{i}" for i in place], "size": size, "y": effect[place] + 0.1 * size})
    spec = small(
        "random", name="places", model={"epochs": 30, "batch_size": 16, "optimizer": "adamw"}, search__trials=3
    )
    del spec["data"]["source"], spec["data"]["target"]
    result = mlptune.run_sweep(spec, data=frame, target="y", workers=2)
    assert (
        mlptune.run_sweep({**spec, "name": "again"}, data=frame, target="y", workers=1).best["value"]
        == result.best["value"]
    )
    assert result.best["test_score"] > 0.8
    model = mlptune.load_model("places")
    assert {part.structure.levels for part in model.parts} == {(41,)}
    model.save(tmp_path / "copy")
    rows = frame.iloc[:9].assign(place=["nowhere", None, *frame["place"].iloc[2:9]])
    whole = TunedModel.load(tmp_path / "copy").predict(rows)
    np.testing.assert_array_equal(whole, [model.predict(rows.iloc[[i]])[0] for i in range(len(rows))])
    np.testing.assert_allclose(whole, model.predict(rows, exact=True), rtol=1e-4)
    description = tmp_path / "copy" / "model.json"
    stored = json.loads(description.read_text())
    stored["encodings"][0]["encoder"]["features"][0]["categories"].append("one more")
    description.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="the encoding does not fit"):
        TunedModel.load(tmp_path / "copy")


def test_a_model_is_evaluated_by_every_metric_of_its_task(saved: tuple[TunedModel, Path]) -> None:
    model, _ = saved
    generator = np.random.default_rng(0)
    rows = pd.DataFrame(generator.uniform(0, 7, (60, 4)), columns=list(model.feature_names_in_))
    y, weight = generator.integers(0, 3, 60), generator.uniform(0, 2, 60)
    p = model.predict_proba(rows)
    expected = {
        "log_loss": reference.log_loss(y, p, sample_weight=weight),
        "brier": reference.brier_score_loss(y, p, sample_weight=weight),
        "matthews": reference.matthews_corrcoef(y, model.predict(rows), sample_weight=weight),
        "average_precision": reference.average_precision_score(np.eye(3)[y], p, sample_weight=weight),
    }
    for name, value in expected.items():
        assert model.evaluate(rows, y, weight, name) == pytest.approx(value, rel=1e-5), name
    with pytest.raises(ValueError, match="'f1' is of two classes, not of 3; take 'f1_macro'"):
        model.evaluate(rows, y, weight, "f1")


def test_the_log_loss_of_a_sure_model_is_not_that_of_float32() -> None:
    """Of a probability that float32 takes for 1 the other class's share is lost, and with it how wrong a wrong row is."""
    spec, _ = load_spec(small(space={}, model={"epochs": 1, "hidden": []}))
    plan = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
    [part] = fit_final(plan, TrialRecord(0, "complete", 1.0, best_epochs=(1,)), Inline(), Observer()).parts
    frame, y, _ = plan.dataset.test()
    X = part.encoder.transform(frame).astype(np.float64)
    theta = part.theta * np.float32(30 / np.abs(X @ part.theta[0, :-1] + part.theta[0, -1]).max())
    z, wrong = X @ theta[0, :-1] + theta[0, -1], 1 - y
    expected = np.mean(np.logaddexp(0.0, z) - wrong * z)
    sure = TunedModel([replace(part, theta=theta)], {})
    assert sure.evaluate(frame, wrong, None, "log_loss") == pytest.approx(expected, rel=1e-4)
    assert sure.evaluate(frame, wrong, None, "loss") > 1.01 * expected


def _rewrite(folder: Path, **arrays: np.ndarray) -> None:
    with np.load(folder / "arrays.npz") as file:
        np.savez(folder / "arrays.npz", **{**file, **arrays})


def _describe(folder: Path, change) -> None:
    description = json.loads((folder / "model.json").read_text())
    change(description)
    (folder / "model.json").write_text(json.dumps(description))


class _Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


def test_what_is_no_model_is_refused(saved: tuple[TunedModel, Path], tmp_path: Path) -> None:
    _, whole = saved
    damages = {
        "no description": lambda folder: (folder / "model.json").unlink(),
        "no JSON": lambda folder: (folder / "model.json").write_text("{"),
        "another format": lambda folder: _describe(folder, lambda d: d.update(format=99)),
        "a list": lambda folder: (folder / "model.json").write_text("[]"),
        "an unknown field": lambda folder: _describe(folder, lambda d: d["parts"][0]["structure"].update(evil=1)),
        "another size": lambda folder: _describe(folder, lambda d: d["parts"][0]["structure"].update(hidden=[3])),
        "no archive": lambda folder: (folder / "arrays.npz").write_bytes(b"no zip"),
        "too few numbers": lambda folder: _rewrite(folder, theta_0=np.zeros((2, 3), np.float32)),
        "no statistics": lambda folder: _rewrite(folder, running_0=np.zeros((2, 0), np.float32)),
        "objects": lambda folder: _rewrite(folder, theta_0=np.array([[_Trap()]], dtype=object)),
        "a pickle": lambda folder: (folder / "arrays.npz").write_bytes(pickle.dumps(_Trap())),
    }
    for name, damage in damages.items():
        folder = tmp_path / name
        shutil.copytree(whole, folder)
        damage(folder)
        with pytest.raises(ValueError, match=r".+") as caught:
            TunedModel.load(folder)
        assert "\n" not in str(caught.value), name


def test_the_stored_model_predicts_raw_rows_and_holds_no_pickle(store: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "size": np.tile([1.5, np.nan, 3.0, 4.5], 30),
            "colour": np.tile(["red", "blue", None, "red"], 30),
            "label": np.tile(["no", "yes", "yes", "no"], 30),
        }
    )
    frame.to_csv(tmp_path / "things.csv", index=False)
    mlptune.run_sweep(
        data="things.csv", target="label", overrides={"search.trials": 4, "data.seeds": 2, "model.preset": "plain"}
    )
    model = mlptune.load_model("things")
    assert model.score(frame, frame["label"]) == 1.0
    assert model.predict(frame.drop(columns="label")).tolist() == frame["label"].tolist()
    unknown = pd.DataFrame({"colour": ["green"], "size": [2.0], "more": [1]})
    assert model.predict_proba(unknown).sum() == pytest.approx(1.0, abs=1e-12)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "mlruns" in path.parts]
    assert files
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".cloudpickle")]
    script = (
        "import mlflow, pandas;"
        "model = mlflow.pyfunc.load_model('models:/things/1');"
        "print(model.predict(pandas.DataFrame({'size': [1.5], 'colour': ['red']}))['prediction'][0])"
    )
    environment = {**os.environ, "MLFLOW_TRACKING_URI": store}
    answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert answer.stdout.strip() == "no", answer.stderr


@pytest.fixture
def fitted() -> tuple[TunedModel, TunedModel, pd.DataFrame, np.ndarray, np.ndarray]:
    """A model of classes and one of numbers, on rows with a number that matters, one that does not, and a text."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"size": random.normal(size=80), "noise": random.normal(size=80)})
    rows["colour"] = random.choice(["red", "blue"], 80)
    kind, price = np.where(rows["size"] > 0, "large", "small"), 3 * rows["size"].to_numpy()
    settings: dict = {
        "trials": 3,
        "folds": 2,
        "model": {"epochs": 30, "hidden": [8]},
        "space": {"learning_rate": [0.03]},
    }
    classifier = mlptune.TunedMLPClassifier(**settings, method="random").fit(rows, kind)
    regressor = mlptune.TunedMLPRegressor(**settings, method="random").fit(rows, price)
    return classifier.model_, regressor.model_, rows, kind, price


def test_it_is_a_fitted_estimator_to_scikit_learn(fitted) -> None:
    classifier, regressor, rows, kind, price = fitted
    assert [is_classifier(model) for model in (classifier, regressor)] == [True, False]
    assert [is_regressor(model) for model in (classifier, regressor)] == [False, True]
    assert (hasattr(classifier, "predict_proba"), hasattr(regressor, "predict_proba")) == (True, False)
    assert classifier.n_features_in_ == len(classifier.feature_names_in_) == 3
    for model, y in ((classifier, kind), (regressor, price)):
        check_is_fitted(model)
        found = permutation_importance(model, rows, y, n_repeats=3, random_state=0)
        assert found.importances_mean.argmax() == 0
        with pytest.raises(mlptune.UserError, match="cannot be fitted again"):
            model.fit(rows, y)
    scores = permutation_importance(classifier, rows, kind, scoring="neg_log_loss", n_repeats=2, random_state=0)
    assert scores.importances_mean[0] > 0
    assert clone(classifier) is classifier
    with pytest.raises(mlptune.UserError, match=r"FrozenEstimator\(model\) is for tools that would fit it"):
        CalibratedClassifierCV(classifier).fit(rows, kind)
    with pytest.raises(mlptune.UserError, match=r"is a sparse matrix; give its toarray\(\)"):
        regressor.predict(sparse.csr_array(np.eye(3)))
    calibrated = CalibratedClassifierCV(FrozenEstimator(classifier)).fit(rows, kind)
    assert calibrated.predict_proba(rows).shape == (80, 2)


def test_a_row_is_predicted_to_the_bit_whatever_rows_come_with_it(fitted) -> None:
    classifier, regressor, rows, _, _ = fitted
    order = np.random.default_rng(1).permutation(len(rows))
    for predict in (classifier.predict_proba, regressor.predict):
        whole = predict(rows)
        for part in np.split(order, [1, 3, 20, 53]):
            np.testing.assert_array_equal(predict(rows.iloc[part]), whole[part])


def test_no_rows_have_no_predictions(fitted) -> None:
    classifier, regressor, frame, _, y = fitted
    none = frame.iloc[:0]
    assert classifier.predict_proba(none).shape == (0, len(classifier.classes_))
    assert classifier.predict(none).shape == regressor.predict(none).shape == (0,)
    assert regressor.evaluate(frame, y, metric="r2") == pytest.approx(regressor.score(frame, y))


def test_scikit_learns_displays_take_it(fitted) -> None:
    classifier, regressor, rows, kind, _ = fitted
    with matplotlib.rc_context({"backend": "agg"}):
        for model in (classifier, regressor):
            shown = PartialDependenceDisplay.from_estimator(model, rows, ["size", "noise"], grid_resolution=5)
            average = shown.pd_results[0]["average"]
            assert average.shape == (1, 5)
        assert average[0, -1] > average[0, 0] + 3
        matrix = ConfusionMatrixDisplay.from_estimator(classifier, rows, kind).confusion_matrix
    assert np.diag(matrix).sum() > 70


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_frames_of_other_libraries_are_rows_too(fitted, library: str) -> None:
    classifier, regressor, rows, kind, price = fitted
    arrow = pyarrow.Table.from_pandas(rows)
    others = arrow if library == "pyarrow" else polars.from_arrow(arrow)
    np.testing.assert_array_equal(classifier.predict_proba(others), classifier.predict_proba(rows))
    assert regressor.score(others, price) == regressor.score(rows, price)
    assert classifier.score(others, kind) == classifier.score(rows, kind)


def test_a_folder_may_be_a_text(fitted, tmp_path: Path) -> None:
    classifier, _, rows, *_ = fitted
    classifier.save(str(tmp_path / "kept"))
    again = TunedModel.load(str(tmp_path / "kept"))
    np.testing.assert_array_equal(again.predict_proba(rows), classifier.predict_proba(rows))


def test_its_repr_says_what_it_is(fitted) -> None:
    classifier, regressor, *_ = fitted
    trials = "1 trial" if len(classifier.members) == 1 else f"{len(classifier.members)} trials"
    networks = 2 * len(classifier.members)
    assert repr(classifier) == (
        "<TunedModel: classification of 'target' into 2 classes ('large', 'small') from 3 columns "
        f"('size', 'noise', 'colour'), {networks} networks of {trials}>"
    )
    assert repr(regressor).startswith(
        "<TunedModel: regression of 'target' from 3 columns ('size', 'noise', 'colour'), "
    )


def test_a_notebook_shows_a_table_of_it_and_a_path_may_be_a_text(fitted, tmp_path: Path) -> None:
    for model in fitted[:2]:
        model.save(str(tmp_path / model.task))
        again = TunedModel.load(str(tmp_path / model.task))
        rows = [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(again._repr_html_())[1:]]
        facts = dict(rows)
        assert facts["predicts"] == f"target ({model.task})"
        assert facts["columns"] == "3: 'size', 'noise', 'colour'"
        assert facts.get("classes") == ("'large', 'small'" if model.task == "classification" else None)
        assert "learning_rate=0.03" in facts["parameters of the best"]
