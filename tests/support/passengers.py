"""A table of a ship's passengers with everything that makes real tables awkward, and a sweep's data from it."""

from pathlib import Path

import numpy as np
import pandas as pd

from mlptune.experiments.config.schema import DataConfig
from mlptune.experiments.data.dataset import Dataset


def section(**changes) -> DataConfig:
    validated = {} if "folds" in changes else {"validation": 0.2}
    return DataConfig(**{"source": "people.csv", "target": "Survived", **validated, **changes})


def people(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Passengers of a ship, with everything that makes real tables awkward."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["male", "female"], n)
    age = np.where(rng.random(n) < 0.2, np.nan, rng.normal(30, 14, n).round(1))
    survived = rng.random(n) < np.where(sex == "female", 0.85, 0.15)
    return pd.DataFrame(
        {
            "PassengerId": np.arange(1, n + 1),
            "Survived": survived.astype(int),
            "Class": rng.integers(1, 4, n),
            "Name": [f"Person, Mr. Number {i}" for i in range(n)],
            "Sex": sex,
            "Age": age,
            "Fare": rng.lognormal(3, 1, n),
            "Cabin": [f"C{i}" if known else None for i, known in enumerate(rng.random(n) < 0.25)],
            "Port": rng.choice(["S", "C", "Q", None], n, p=[0.6, 0.2, 0.18, 0.02]),
            "Family": rng.integers(0, 80, n),
            "Boarded": pd.date_range("1912-01-01", periods=n)[rng.permutation(n)].strftime("%Y-%m-%d"),
            "Weight": rng.random(n) + 0.5,
            "Ship": "Titanic",
        }
    )


def loaded(folder: Path, frame: pd.DataFrame | None = None, seed: int = 0, **changes) -> Dataset:
    if frame is not None:
        frame.to_csv(folder / "people.csv", index=False)
    return Dataset.load(section(**changes), seed, folder)
