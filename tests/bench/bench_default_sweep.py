"""A sweep without a sweep file, held against scikit-learn's default MLP on the same rows.

`mlptune sweep --data FILE --target COLUMN` is what a stranger types first; its model must beat what one line of
scikit-learn gives. Both are scored on the sealed test part; scikit-learn gets our encoding of the columns (one-hot,
standardised on the training rows), so that the comparison is of the networks, and the mean over five seeds.
"""

import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import mlptune
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = [("titanic.csv", "Survived"), ("phoneme.csv", "class"), ("house_16H.csv.gz", "target")]


@pytest.mark.parametrize(("file", "target"), FILES)
def test_default_sweep(file: str, target: str, tmp_path: Path) -> None:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if not (DATA / file).exists():
        pytest.skip(f"{file} is not here (../shared/data)")
    started = time.perf_counter()
    result = mlptune.run_sweep(data=DATA / file, target=target, tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    ours = time.perf_counter() - started
    spec, _ = load_spec(None, data=DATA / file, target=target)
    dataset = Dataset.load(spec.data, spec.seed, spec.base)
    rows = dataset.development()
    frame, y, _ = dataset.test()
    X_test = rows.encoder.transform(frame)
    scores, raw = [], []
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(5):
            if dataset.task == "classification":
                model = MLPClassifier(random_state=seed).fit(rows.X, rows.target.decode(_one_hot(rows)))
                scores.append(model.score(X_test, y))
            else:
                # Plain scikit-learn learns the target as it stands; the second figure standardises it, as a careful person would.
                model = MLPRegressor(random_state=seed).fit(rows.X, rows.y.ravel())
                scores.append(model.score(X_test, (y - rows.target.mean) / rows.target.scale))
                if seed == 0:
                    plain = MLPRegressor(random_state=0).fit(
                        rows.X, rows.y.ravel() * rows.target.scale + rows.target.mean
                    )
                    raw.append(plain.score(X_test, y))
    theirs = (time.perf_counter() - started) / 5
    note = f"; with the target as it stands {raw[0]:.4f}" if raw else ""
    print(
        f"\n{file}: mlptune sweep {result.best['test_score']:.4f} ({ours:.0f} s, 64 trials), scikit-learn's default MLP "
        f"{np.mean(scores):.4f} +- {np.std(scores):.4f} ({theirs:.1f} s a fit{note})"
    )


def _one_hot(rows) -> np.ndarray:
    if rows.target.n_outputs == 1:
        return rows.y.astype(float)[:, None]
    return np.eye(rows.target.n_outputs)[rows.y]
