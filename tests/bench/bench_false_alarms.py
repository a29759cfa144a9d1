"""What the diagnosis says of ten sweeps with nothing wrong: every rule that speaks is printed, to be judged by a person.

The tables are bundled with scikit-learn or made by it, and each can be learned; a sweep is the default one with 24 trials.
A problem found in one of them is a false alarm unless its sentence is true of the table. BENCH_TRIALS sets how many trials.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

import mlptune

TRIALS = int(os.environ.get("BENCH_TRIALS", "24"))


def made(make: Callable[..., Any], **options: Any) -> pd.DataFrame:
    """A table of scikit-learn's generators."""
    X, y = make(random_state=0, **options)
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(np.shape(X)[1])]).assign(target=y)


def tables() -> dict[str, str | pd.DataFrame]:
    return {
        "iris": "sklearn:iris",
        "wine": "sklearn:wine",
        "breast_cancer": "sklearn:breast_cancer",
        "digits": "sklearn:digits",
        "diabetes": "sklearn:diabetes",
        "two classes": made(datasets.make_classification, n_samples=1500, n_features=12, n_informative=6, flip_y=0.05),
        "five classes": made(
            datasets.make_classification, n_samples=2000, n_features=16, n_informative=10, n_classes=5, class_sep=1.5
        ),
        "moons": made(datasets.make_moons, n_samples=1000, noise=0.2),
        "friedman": made(datasets.make_friedman1, n_samples=1500, noise=1.0),
        "linear": made(datasets.make_regression, n_samples=1000, n_features=10, n_informative=6, noise=20.0),
    }


def test_false_alarms(tmp_path: Path) -> None:
    found = 0
    for name, table in tables().items():
        result = mlptune.run_sweep(
            data=table,
            target="target",
            tracking_uri=f"sqlite:///{tmp_path}/mlflow.db",
            verbose=False,
            overrides={"name": name, "search.trials": TRIALS},
        )
        best = result.best
        print(f"\n{name}: expected {best['expected']['score']:.4f}, on the test part {best['test_score']:.4f}")
        for finding in result.diagnosis:
            found += finding["severity"] == "problem"
            print(f"  {finding['severity']} {finding['rule']}: {finding['text']}; {finding['advice']}")
    print(f"\n{found} problems in {len(tables())} sweeps of {TRIALS} trials")
