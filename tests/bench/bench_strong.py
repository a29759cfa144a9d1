"""The strong preset with its default hyperparameters, held against scikit-learn's default MLP and gradient boosting.

All get the same arrays: the data room's encoding, learned on the 80 % of the rows that train (seed 0); the scores are
those of the sealed 20 %, accuracy or R2. Each network is trained from five seeds; the time is that of one fit.
"""

import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.neural_network import MLPClassifier as DefaultClassifier
from sklearn.neural_network import MLPRegressor as DefaultRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlptune.core.estimators import MLPClassifier, MLPRegressor
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = {"titanic.csv": "Survived", "phoneme.csv": "class", "house_16H.csv.gz": "target"}
SEEDS = range(5)


def contenders(task: str, seed: int) -> dict:
    if task == "classification":
        ours, network, trees = MLPClassifier, DefaultClassifier, HistGradientBoostingClassifier
    else:
        ours, network, trees = MLPRegressor, DefaultRegressor, HistGradientBoostingRegressor
    return {
        "strong preset": ours(preset="strong", random_state=seed),
        "scikit-learn's MLP": make_pipeline(StandardScaler(), network(random_state=seed)),
        "HistGradientBoosting": trees(random_state=seed),
    }


def test_strong_preset(threads_limited: None) -> None:
    print("\naccuracy or R2 on the sealed 20 %: mean +- deviation over 5 seeds, seconds of one fit")
    for file, target in FILES.items():
        if not (DATA / file).exists():
            pytest.skip(f"{file} is not here (../shared/data)")
        spec, _ = load_spec(None, data=DATA / file, target=target)
        dataset = Dataset.load(spec.data, 0, spec.base)
        rows = dataset.development()
        sealed = dataset.test()
        assert sealed is not None
        frame, truth, _ = sealed
        y, X_test, y_test = rows.y.ravel(), rows.encoder.transform(frame), rows.target.encode(truth).ravel()
        for name in contenders(dataset.task, 0):
            scores, seconds = [], []
            for seed in SEEDS:
                model = contenders(dataset.task, seed)[name]
                started = time.perf_counter()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # scikit-learn's network says where it has not converged
                    model.fit(rows.X, y)
                seconds.append(time.perf_counter() - started)
                scores.append(model.score(X_test, y_test))
            print(
                f"  {file:17} {name:21} {np.mean(scores):.4f} +- {np.std(scores):.4f}  {np.median(seconds):6.1f} s",
                flush=True,
            )


@pytest.fixture
def threads_limited():
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
