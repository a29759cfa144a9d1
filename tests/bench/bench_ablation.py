"""What each part of the default sweep is worth: the same sweep without it, on 80/20 splits of development tables.

16 trials on at most 4,000 training rows of each table; log loss or RMSE on the 20 %, as a share of that of the whole default. Above
1 the part pays. BENCH_TABLES and BENCH_SEEDS choose tables and split seeds.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

import mlptune
from mlptune.tests.bench.bench_quality import DATA, SEEDS, TABLES, scores

CHOSEN = os.environ.get("BENCH_TABLES", "titanic,german,phoneme,spambase,puma,house").split(",")
ROWS = 4000
WITHOUT: dict[str, dict[str, Any]] = {
    "quantile scaling": {"model.scaling": "none"},
    "cosine schedule": {"model.schedule": "constant"},
    "embeddings": {"model.embedding": "none"},
    "the space: plain networks": {"model.preset": "plain"},
    "portfolio": {"search.start": []},
    "auto: random search": {"search.method": "random"},
    "folds: one validation part": {"data.validation": 0.2},
    "folds, and training on all rows": {"data.validation": 0.2, "objective.refit": False},
    "ensemble": {"objective.ensemble": 0},
    "ensemble, with finalists": {"objective.ensemble": 0, "search.finalists": 4},
}


def test_ablation() -> None:
    found: dict[str, dict[str, list[float]]] = {}
    for name in CHOSEN:
        file, target = TABLES[name]
        frame = pd.read_csv(DATA / file)
        task = "regression" if name in ("house", "puma", "mv") else "classification"
        for seed in SEEDS:
            labels = frame[target] if task == "classification" else None
            train, test = train_test_split(frame, test_size=0.2, stratify=labels, random_state=seed)
            whole = _losses(train.head(ROWS), test, target, task, seed, {})
            print(f"\n{name}, split {seed}: {whole[0]:.5g}", flush=True)
            for part, changes in WITHOUT.items():
                share = _losses(train.head(ROWS), test, target, task, seed, changes)[0] / whole[0]
                found.setdefault(part, {}).setdefault(name, []).append(share)
                print(f"  without {part:34} {share:.3f}", flush=True)
            if task == "classification":
                found.setdefault("temperature", {}).setdefault(name, []).append(whole[1] / whole[0])
                print(f"  without {'temperature':34} {whole[1] / whole[0]:.3f}", flush=True)
    print(f"\nwithout{'':32}" + "".join(f"{name:>10}" for name in CHOSEN) + "      mean (geometric)")
    for part, by_table in found.items():
        means = {name: np.exp(np.mean(np.log(shares))) for name, shares in by_table.items()}
        cells = "".join(f"{means[name]:10.3f}" if name in means else f"{'':10}" for name in CHOSEN)
        print(f"  {part:36} {cells} {np.exp(np.mean(np.log(list(means.values())))):10.3f}")


def _losses(
    train: pd.DataFrame, test: pd.DataFrame, target: str, task: str, seed: int, changes: Mapping[str, Any]
) -> tuple[float, float]:
    """Of the model that a sweep hands back, and of the same at temperature 1."""
    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{Path(folder) / 'mlflow.db'}"
        settings = {"name": "ablation", "data.test_size": 0.0, "data.task": task, "seed": seed, "search.trials": 16}
        mlptune.run_sweep(data=train, target=target, tracking_uri=uri, overrides={**settings, **changes}, verbose=False)
        model = mlptune.load_model("ablation", tracking_uri=uri)
        predict = model.predict_proba if task == "classification" else model.predict
        loss = scores(task, predict, test, target)[0]
        model.temperature = 1.0
        return loss, scores(task, predict, test, target)[0]
