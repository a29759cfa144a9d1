"""`run_sweep` with real processes and a real store: what it trains can be trained again.

That a plain script may call it without a main guard is shown by `test_faults.py` and, on standard input, by `test_readme.py`.
"""

import numpy as np
import pandas as pd

import mlptune
from tests.support.sweeps import small


def test_layers_choose_one_by_one_and_the_best_configuration_makes_an_estimator(store: str) -> None:
    space = {"layers": [1, 2], "units_1": [4, 8], "units_2": [4, 8], "activation_2": ["relu", "tanh"], "skip_2": [True]}
    model = {"epochs": 3, "activation": "tanh", "skip": False, "changes": [[3, {"learning_rate": 0.01}]]}
    result = mlptune.run_sweep(small("random", space=space, model=model, search__trials=8))
    assert {trial["state"] for trial in result.summary()["trials"]} == {"complete"}
    config = mlptune.best_config("small")
    assert not [name for name in config if name.startswith(("layers", "units", "activation_", "skip_"))]
    X, y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 2
    fitted = mlptune.MLPClassifier(**config, random_state=0).fit(X, y)
    assert fitted.n_epochs_ == 3
    rows = np.zeros((2, 30))
    assert mlptune.load_model("small").predict(rows).shape == (2,)


def test_training_the_best_configuration_alone_gives_its_recorded_curve(store: str) -> None:
    result = mlptune.run_sweep(small("random", objective__refit=False))
    alone = mlptune.run_sweep(
        small("random", name="alone", space={}, model=mlptune.best_config("small"), objective__refit=False)
    )
    best = result.curves[result.curves["number"] == result.best["number"]].drop(columns="number")
    pd.testing.assert_frame_equal(
        best.reset_index(drop=True), alone.curves.drop(columns="number"), check_exact=True, check_like=True
    )
    assert alone.best["value"] == result.best["value"]
    assert alone.best["test_score"] == result.best["test_score"]


def test_folds_seeds_and_another_metric(store: str) -> None:
    changes = {
        "data__folds": 3,
        "data__seeds": 2,
        "objective__metric": "balanced_accuracy",
        "search__trials": 3,
    }
    result = mlptune.run_sweep(small("random", **changes))
    assert result.best["metric"] == "val_balanced_accuracy"
    assert "val_balanced_accuracy" in result.curves
    assert len(mlptune.load_model("small").parts[0].theta) == 2
    kept = mlptune.run_sweep(small("random", name="kept", objective__refit=False, **changes))
    assert [len(part.theta) for part in mlptune.load_model("kept").parts] == [2, 2, 2]
    assert kept.best["value"] == result.best["value"]
