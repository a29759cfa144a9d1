"""What the plain command hands back, held against the tools that one would try instead, on the development tables.

For each table and split seed one 80/20 split of the rows, the same for all: `mlptune sweep --data FILE --target COLUMN` as it is,
with `--minutes 1` and with `--minutes 5`; LightGBM, XGBoost, CatBoost, HistGradientBoosting and scikit-learn's MLP with their
defaults; pytabkit's RealMLP-TD; FLAML for 60 and 300 s. Rivals get the raw columns where they take them, else our encoding. A row
says log loss or RMSE, accuracy or R2, and seconds; a library that is not installed is named as missing. BENCH_TABLES and
BENCH_SEEDS choose tables and split seeds, BENCH_MINUTES the budgets ("0" is the plain command), BENCH_TOOLS those whose names begin
like one of it. All use the processors that this process may.
"""

import os
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.execution.workers import default_workers

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TABLES = {
    "phoneme": ("phoneme.csv", "class"),
    "titanic": ("titanic.csv", "Survived"),
    "house": ("house_16H.csv.gz", "target"),
    "satimage": ("satimage.csv.gz", "class"),
    "spambase": ("spambase.csv.gz", "class"),
    "nursery": ("nursery.csv.gz", "class"),
    "german": ("german.csv.gz", "class"),
    "puma": ("225_puma8NH.csv.gz", "target"),
    "mv": ("344_mv.csv.gz", "target"),
}
CHOSEN = os.environ.get("BENCH_TABLES", ",".join(TABLES)).split(",")
SEEDS = [int(seed) for seed in os.environ.get("BENCH_SEEDS", "0,1,2").split(",")]
MINUTES = [float(minutes) for minutes in os.environ.get("BENCH_MINUTES", "0,1,5").split(",")]
TOOLS = tuple(os.environ.get("BENCH_TOOLS", "").split(","))
CORES = default_workers()
FLAML_SECONDS = (60, 300)
LOG_LOSS = {"val_metric_name": "cross_entropy", "use_ls": False}
"""What pytabkit's documentation says for log loss; its default is made for accuracy."""


@pytest.mark.parametrize("table", CHOSEN)
def test_quality(table: str, tmp_path: Path) -> None:
    file, target = TABLES[table]
    if not (DATA / file).exists():
        pytest.skip(f"{file} is not here (../shared/data)")
    frame = pd.read_csv(DATA / file)
    found: dict[str, list[tuple[float, float, float]]] = {}
    missing = set()
    for seed in SEEDS:
        task = load_task(file, target)
        labels = frame[target] if task == "classification" else None
        train, test = train_test_split(frame, test_size=0.2, stratify=labels, random_state=seed)
        for name, fit in contenders(task, train, target, seed, tmp_path).items():
            if not name.startswith(TOOLS):
                continue
            began = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    predict = fit()
                except ImportError as error:
                    missing.add(f"{name} ({error.name})")
                    continue
                seconds = time.perf_counter() - began
                found.setdefault(name, []).append((*scores(task, predict, test, target), seconds))
    kind = "log loss / accuracy" if task == "classification" else "RMSE / R2"
    print(f"\n{table}: {kind}, mean of {len(SEEDS)} splits, seconds")
    for name, rows in sorted(found.items(), key=lambda item: np.mean([row[0] for row in item[1]])):
        first, second, seconds = np.mean(rows, axis=0)
        print(
            f"  {name:24} {first:10.5g} (+- {np.std([row[0] for row in rows]):.2g})  {second:.4f}  {seconds:7.1f} s",
            flush=True,
        )
    if missing:
        print(f"  not installed: {', '.join(sorted(missing))}")


def load_task(file: str, target: str) -> str:
    spec, _ = load_spec(None, data=DATA / file, target=target)
    return Dataset.load(spec.data, spec.seed, spec.base).task


def contenders(
    task: str, train: pd.DataFrame, target: str, seed: int, folder: Path
) -> dict[str, Callable[[], Callable[[pd.DataFrame], np.ndarray]]]:
    """By name what fits on the training rows and returns what predicts: probabilities (n, C) in the labels' order, or numbers."""

    def ours(minutes: float) -> Callable[[pd.DataFrame], np.ndarray]:
        place = Path(tempfile.mkdtemp(dir=folder))
        train.to_csv(place / "train.csv", index=False)
        uri = f"sqlite:///{place / 'mlflow.db'}"
        changes: dict[str, Any] = {"data.test_size": 0.0, "data.task": task, "seed": seed}
        if minutes:
            changes["search.minutes"] = minutes
        mlptune.run_sweep(data=place / "train.csv", target=target, tracking_uri=uri, overrides=changes)
        model = mlptune.load_model("train", tracking_uri=uri)
        return model.predict_proba if task == "classification" else model.predict

    def simple(
        make: Callable[[], Any], raw: bool, imputed: bool = False
    ) -> Callable[[], Callable[[pd.DataFrame], np.ndarray]]:
        """A scikit-learn estimator, on raw columns with categories marked, missing numbers imputed or not, or on our encoding."""

        def fit() -> Callable[[pd.DataFrame], np.ndarray]:
            model, X, y = make(), train.drop(columns=target), train[target]
            if raw:
                # Texts of more than 200 kinds, such as names, are left out: trees do not take them.
                X = X[[c for c in X if is_number(X[c]) or X[c].nunique() <= 200]]
                levels = {c: X[c].astype("category").cat.categories for c in X if not is_number(X[c])}
                medians = X.median(numeric_only=True) if imputed else {}

                def prepare(rows: pd.DataFrame) -> Any:
                    known = {c: rows[c].where(rows[c].isin(levels[c])) for c in levels}
                    marked = rows[X.columns].assign(**{c: pd.Categorical(known[c], levels[c]) for c in levels})
                    return marked.fillna(medians)
            else:
                place = Path(tempfile.mkdtemp(dir=folder))
                train.to_csv(place / "t.csv", index=False)
                spec, _ = load_spec(
                    {"data": {"source": str(place / "t.csv"), "target": target, "test_size": 0.0, "task": task}}
                )
                prepare = Dataset.load(spec.data, 0, spec.base).development().encoder.transform
            codes = np.unique(y, return_inverse=True)[1] if task == "classification" else y
            if not raw and task == "regression":
                mean, scale = y.mean(), y.std()
                model.fit(prepare(X), (y - mean) / scale)
                return lambda rows: model.predict(prepare(rows)) * scale + mean
            model.fit(prepare(X), codes)
            return lambda rows: (model.predict_proba if task == "classification" else model.predict)(prepare(rows))

        return fit

    def estimator(module: str, classifier: str, regressor: str, **options: Any) -> Callable[[], Any]:
        name = classifier if task == "classification" else regressor
        return lambda: getattr(import_module(module), name)(random_state=seed, **options)

    def realmlp(**options: Any) -> Callable[[], Callable[[pd.DataFrame], np.ndarray]]:
        make = estimator(
            "pytabkit",
            "RealMLP_TD_Classifier",
            "RealMLP_TD_Regressor",
            device="cpu",
            n_threads=CORES,
            verbosity=0,
            **options,
        )
        return simple(make, raw=True, imputed=True)

    def flaml(seconds: int) -> Callable[[], Callable[[pd.DataFrame], np.ndarray]]:
        def fit() -> Callable[[pd.DataFrame], np.ndarray]:
            automl, X, y = import_module("flaml").AutoML(), train.drop(columns=target), train[target]
            metric = "log_loss" if task == "classification" else "rmse"
            codes = np.unique(y, return_inverse=True)[1] if task == "classification" else y
            automl.fit(X, codes, task=task, metric=metric, time_budget=seconds, seed=seed, verbose=0, n_jobs=CORES)
            return lambda rows: (automl.predict_proba if task == "classification" else automl.predict)(rows[X.columns])

        return fit

    trees, network = (
        (HistGradientBoostingClassifier, MLPClassifier)
        if task == "classification"
        else (HistGradientBoostingRegressor, MLPRegressor)
    )
    names = {0.0: "mlptune"} | {m: f"mlptune --minutes {m:g}" for m in MINUTES if m}
    return {
        **{names[m]: (lambda m=m: ours(m)) for m in MINUTES},
        "HistGradientBoosting": simple(lambda: trees(random_state=seed, categorical_features="from_dtype"), raw=True),
        "scikit-learn's MLP": simple(lambda: network(random_state=seed), raw=False),
        "LightGBM": simple(
            estimator("lightgbm", "LGBMClassifier", "LGBMRegressor", verbose=-1, n_jobs=CORES), raw=True
        ),
        "XGBoost": simple(
            estimator("xgboost", "XGBClassifier", "XGBRegressor", enable_categorical=True, n_jobs=CORES), raw=True
        ),
        "CatBoost": simple(
            estimator("catboost", "CatBoostClassifier", "CatBoostRegressor", verbose=0, thread_count=CORES), raw=False
        ),
        "RealMLP-TD": realmlp(),
        **({"RealMLP-TD, for log loss": realmlp(**LOG_LOSS)} if task == "classification" else {}),
        **{f"FLAML {seconds} s": flaml(seconds) for seconds in FLAML_SECONDS if seconds / 60 in MINUTES},
    }


def is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def scores(
    task: str, predict: Callable[[pd.DataFrame], np.ndarray], test: pd.DataFrame, target: str
) -> tuple[float, float]:
    found = np.asarray(predict(test.drop(columns=target)), dtype=np.float64)
    if task == "regression":
        return root_mean_squared_error(test[target], found), r2_score(test[target], found)
    labels = np.unique(test[target])
    codes = np.searchsorted(labels, test[target])
    p = np.clip(found, 1e-15, 1.0)
    return log_loss(codes, p / p.sum(axis=1, keepdims=True), labels=range(p.shape[1])), accuracy_score(
        codes, p.argmax(axis=1)
    )
