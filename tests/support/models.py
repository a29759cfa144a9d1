"""Models of any architecture over a table with columns of every kind, trained for a moment without a sweep around them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlptune.core.embeddings import EMBEDDINGS
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.experiments.config.schema import DataConfig
from mlptune.experiments.data.columns import infer_schema
from mlptune.experiments.data.encoding import Encoder
from mlptune.experiments.data.features import Levels
from mlptune.experiments.data.tables import read_table
from mlptune.experiments.data.target import Target
from mlptune.experiments.model import Part, TunedModel

TOWNS = [f"town {i}" for i in range(60)]


def embedded(scaling: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every embedding by name, with the hyperparameters of a network that has it on inputs of this scaling."""
    for embedding in EMBEDDINGS:
        config = {"embedding": embedding, "scaling": scaling, "target_scaling": True}
        yield embedding, {**config, "feature_scale": scaling == "robust"}


def write_table(path: Path, n: int = 160) -> Path:
    """A CSV file: numbers as people write them, also with a unit, dates in three orders, codes, categories, one mostly empty."""
    rng = np.random.default_rng(3)
    days = np.datetime64("2020-02-27") + rng.integers(0, 700, n)
    frame = pd.DataFrame(
        {
            "price": [f"${value:,.2f}" for value in rng.lognormal(7, 1, n)],
            "share": [f"{value:.1f}".replace(".", ",") for value in rng.normal(0, 30, n)],
            "when": [str(day) for day in days],
            "until": [f"{str(day)[8:]}/{str(day)[5:7]}/{str(day)[:4]}" for day in days],
            "clock": [f"{h:02d}:{m:02d}" for h, m in zip(rng.integers(0, 24, n), rng.integers(0, 60, n), strict=True)],
            "code": rng.choice(["007", "08", "9", "A1"], n),
            "colour": rng.choice(["red", "blue", "dark green", "rare"], n, p=[0.5, 0.3, 0.19, 0.01]),
            "note": np.where(rng.random(n) < 0.3, [f"free text {i}" for i in range(n)], ""),
            "flag": rng.choice(["true", "False", "NA"], n),
        }
    )
    frame.loc[rng.choice(n, 12), "price"] = "n.v."
    frame.loc[rng.choice(n, 9), "when"] = ""
    frame.loc[rng.choice(n, 9), "colour"] = ""
    frame["way"] = [f"{value:.1f} km/h" for value in rng.normal(50, 20, n)]
    frame["town"] = rng.choice(["", *TOWNS], n)
    frame.to_csv(path, index=False, sep=";")
    return path


@cache
def _encoded(table: Path, one_hot: int) -> tuple[Encoder, np.ndarray]:
    frame = read_table(str(table), table.parent)
    encoder = Encoder.fit(frame, infer_schema(frame, DataConfig(source=str(table))), levels=Levels(one_hot=one_hot))
    return encoder, encoder.transform(frame)


def momentary_model(
    table: Path,
    task: str,
    *architectures: dict[str, Any],
    classes: int = 3,
    dtype: str = "float32",
    temperature: float = 1.0,
    threshold: float | None = None,
    one_hot: int = 32,
) -> TunedModel:
    """An ensemble of networks of these hyperparameters, three of each, over a table; the target is noise.

    Columns of more than `one_hot` categories are coded.
    """
    encoder, X = _encoded(table, one_hot)
    rng = np.random.default_rng(1)
    values = rng.normal(50, 20, len(X)) if task == "regression" else rng.integers(0, classes, len(X))
    target = Target.fit("y", values, task)
    y = target.encode(values)
    loss = "squared_error" if task == "regression" else "log_loss" if target.n_outputs == 1 else "cross_entropy"
    parts = []
    for architecture in architectures:
        hp = Hyperparameters.from_config({"epochs": 2, "hidden": [6, 5], **architecture})
        structure = Structure.of(
            hp,
            n_inputs=X.shape[1],
            n_outputs=target.n_outputs,
            n_rows=len(X),
            loss=loss,
            dtype=dtype,
            n_plain=encoder.n_plain,
            levels=encoder.levels,
        )
        networks = [Network(hp, seed) for seed in range(3)]
        state, _ = train(structure, networks, [Fold(X, y)], start(structure, networks), 2, order_seed=0, metrics=[])
        weights = np.array([1.0, 2.0, 0.5]) if len(parts) % 2 else None
        parts.append(Part(encoder, target, structure, state.best_theta, state.best_buffers, weights))
    return TunedModel(parts, {}, temperature=temperature, threshold=threshold)
