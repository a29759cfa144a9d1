"""A sweep as an estimator keeps scikit-learn's contract, gives the same model each time, and stores nothing unless asked."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import f1_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import mlptune
from mlptune.experiments.tuned import TunedMLPClassifier, TunedMLPRegressor

# As small as a search can be: two configurations, two networks of each.
SETTINGS: dict[str, Any] = {
    "trials": 2,
    "folds": 2,
    "method": "random",
    "model": {"epochs": 20, "hidden": [16], "batch_size": 16},
    "space": {"learning_rate": [0.01, 0.03]},
    "ensemble": 2,
}
FOLDS = (
    "folds and mini-batches hold a number of rows, so a row of weight 2 is not two rows and one of weight 0 is not none"
)


def expected_failures(estimator: Any) -> dict[str, str]:
    return {"check_sample_weight_equivalence_on_dense_data": FOLDS}


@parametrize_with_checks(
    [TunedMLPClassifier(**SETTINGS), TunedMLPRegressor(**SETTINGS)],
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
def test_scikit_learn_contract(estimator: Any, check: Any) -> None:
    check(estimator)


def mixed(n: int = 150) -> tuple[pd.DataFrame, pd.Series]:
    """Rows with a number, a text, a column that numbers the rows and missing cells; the text decides."""
    random = np.random.default_rng(0)
    colour, size = random.choice(["red", "blue", None], n), random.normal(size=n)
    kind = np.where(pd.Series(colour).eq("red") ^ (random.random(n) < 0.05), "yes", "no")
    size[random.random(n) < 0.1] = np.nan
    return pd.DataFrame({"row": np.arange(n), "target": size, "colour": colour}), pd.Series(kind, name="kind")


def test_the_classifier_decides_by_the_threshold_of_its_metric() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 2))
    y = np.where(X[:, 0] + random.normal(size=300) > 1.5, "yes", "no")
    settings = {**SETTINGS, "model": {**SETTINGS["model"], "epochs": 5}}
    found = TunedMLPClassifier(**{**settings, "metric": "f1"}).fit(X, y)
    decided = found.predict_proba(X)[:, 1] > found.model_.threshold
    np.testing.assert_array_equal(found.predict(X), np.where(decided, "yes", "no"))
    assert (decided != (found.predict_proba(X)[:, 1] > 0.5)).any(), "a threshold of one half shows nothing"
    own = TunedMLPClassifier(**{**settings, "metric": f1_score}).fit(X, y)
    assert own.best_score_ == pytest.approx(found.best_score_)
    np.testing.assert_array_equal(own.predict(X), found.predict(X))


@pytest.mark.parametrize("cls", [TunedMLPClassifier, TunedMLPRegressor])
def test_the_same_seed_gives_the_same_model_with_one_process_and_with_two(cls: type) -> None:
    X, y = load_iris(return_X_y=True)
    settings: dict[str, Any] = {"trials": 4, "model": {"epochs": 3, "dropout": 0.1}, "random_state": 3}
    alone = cls(**settings).fit(X, y)
    clones = [clone(alone).set_params(n_jobs=n).fit(X, y) for n in (1, 2)]
    other = clone(alone).set_params(random_state=4).fit(X, y)
    outputs = "predict_proba" if cls is TunedMLPClassifier else "predict"
    expected = getattr(alone, outputs)(X)
    for again in (*clones, pickle.loads(pickle.dumps(alone))):
        np.testing.assert_array_equal(getattr(again, outputs)(X), expected)
        assert (again.best_params_, again.best_score_) == (alone.best_params_, alone.best_score_)
    assert not np.array_equal(getattr(other, outputs)(X), expected)


@pytest.mark.parametrize("library", ["pandas", "pyarrow", "polars"])
def test_frames_go_through_the_encoder_of_a_sweep(library: str) -> None:
    X, y = mixed()
    arrow = pyarrow.Table.from_pandas(X)
    of_library: Any = {"pandas": X.convert_dtypes, "pyarrow": lambda: arrow}.get(
        library, lambda: polars.from_arrow(arrow)
    )()
    fitted = TunedMLPClassifier(**SETTINGS).fit(of_library, y)
    model = TunedMLPClassifier(**SETTINGS).fit(X, y)
    assert (list(model.feature_names_in_), model.n_features_in_) == (["row", "target", "colour"], 3)
    assert [feature.column for feature in model.model_.parts[0].encoder.features] == ["target", "colour"]
    assert model.score(X, y) > 0.9
    for one, rows in ((model, X), (model, of_library), (fitted, X), (fitted, of_library)):
        np.testing.assert_array_equal(one.predict_proba(rows), model.predict_proba(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X.rename(columns={"colour": "color"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(model.predict(X.to_numpy(dtype=object)), model.predict(X))


def test_columns_of_an_array_of_numbers_are_numbers_whatever_they_look_like() -> None:
    X = np.column_stack([np.arange(60), np.ones(60)])
    model = TunedMLPRegressor(**SETTINGS).fit(X, X[:, 0])
    assert [feature.column for feature in model.model_.parts[0].encoder.features] == ["x0", "x1"]
    assert model.score(X, X[:, 0]) > 0.5


def test_it_works_where_scikit_learn_expects_an_estimator() -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    pipeline = make_pipeline(StandardScaler(), TunedMLPRegressor(**SETTINGS))
    scores = cross_val_score(pipeline, X, y, cv=2)
    assert scores.min() > 0.2
    weight = np.where(y > 200, 20.0, 1.0)
    even, heavy = (TunedMLPRegressor(**SETTINGS).fit(X, y, sample_weight=w).predict(X).mean() for w in (None, weight))
    assert heavy > even + 10
    with pytest.raises(ValueError, match=r"(?i)sample.weight"):
        TunedMLPRegressor(**SETTINGS).fit(X, y, sample_weight=np.zeros(len(y)))


def test_what_was_tried_is_told_as_by_scikit_learns_searches() -> None:
    X, y = load_diabetes(return_X_y=True)
    space = {"learning_rate": [1e-3, 1e-2, 1e20], "hidden": [[8]], "optimizer": ["sgd"]}
    settings = {**SETTINGS, "trials": 3, "method": "grid", "metric": "rmse", "model": {"epochs": 20}, "space": space}
    model = TunedMLPRegressor(**settings).fit(X, y)
    found = model.cv_results_
    assert [params["learning_rate"] for params in found["params"]] == found["param_learning_rate"].tolist()
    assert found["param_hidden"].tolist() == [[8]] * 3
    assert found["rank_test_score"].tolist() == [2, 1, 3]
    assert np.isfinite(found["mean_test_score"]).tolist() == [True, True, False]
    assert found["state"].tolist() == ["complete", "complete", "pruned"]
    assert (found["std_test_score"][:2] > 0).all()
    assert found["params"][model.best_index_] == model.best_params_
    assert found["mean_test_score"][model.best_index_] == model.best_score_ == np.nanmin(found["mean_test_score"])
    expected = model.expected_score_
    assert expected.low < expected.score < expected.high
    alone = TunedMLPRegressor(**{**settings, "ensemble": 0}).fit(X, y)
    assert len(alone.model_.parts) == 1
    assert alone.best_params_ == model.best_params_


def test_without_a_store_nothing_is_stored_and_mlflow_is_not_imported(tmp_path: Path) -> None:
    script = (
        "import sys, mlptune, numpy as np;"
        "X = np.random.default_rng(0).normal(size=(40, 3));"
        f"mlptune.TunedMLPClassifier(**{SETTINGS!r}, n_jobs=2).fit(X, X[:, 0] > 0).predict(X);"
        "print('mlflow' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert answer.stdout.strip() == "False", answer.stderr
    assert not list(tmp_path.iterdir())


def test_with_a_store_it_is_a_sweep_like_any_other(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    X, y = mixed()
    weight = np.linspace(0.5, 2.0, len(y))
    nowhere = TunedMLPClassifier(**SETTINGS).fit(X, y, weight)
    stored = TunedMLPClassifier(**SETTINGS, tracking_uri=store, name="kinds", verbose=True).fit(X, y, weight)
    assert "2/2" in capfd.readouterr().err
    np.testing.assert_array_equal(stored.predict_proba(X), nowhere.predict_proba(X))
    assert stored.expected_score_ == nowhere.expected_score_
    assert stored.cv_results_["mean_test_score"].tolist() == nowhere.cv_results_["mean_test_score"].tolist()
    assert mlptune.best_config("kinds") == stored.model_.params
    np.testing.assert_array_equal(mlptune.load_model("kinds").predict(X), stored.model_.predict(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"trials": 0}, "trials: must be a whole number from 1 to 1000000, not 0"),
        ({"method": "tpee"}, "did you mean 'tpe'"),
        ({"metric": "acuracy"}, "did you mean 'accuracy'"),
        ({"model": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"space": {"learning_rate": "high"}}, "space.*learning_rate"),
        ({"folds": 1}, "folds: must be a whole number from 2 to 100, not 1"),
        ({"n_jobs": 0}, "n_jobs: must be a whole number of processes"),
        ({"random_state": -1}, "seed: must be a whole number"),
    ],
)
def test_a_parameter_that_cannot_be_is_told_in_one_line(parameters: dict, message: str) -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message) as refusal:
        TunedMLPClassifier(**parameters).fit(X, y)
    assert "\n" not in str(refusal.value)
