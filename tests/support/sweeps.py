"""Sweeps of a second or two, and what of their results must always be the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer

from mlptune.experiments.results import SweepResult

# Rows that are read at once, and the arguments of a command that sweeps over them for longer than any test waits.
ROWS = "a,b,y\n" + "".join(f"{i % 7},{i * i % 11},{'yes' if i % 3 else 'no'}\n" for i in range(120))
LONG = ["sweep", "--data", "rows.csv", "--target", "y", "--set", "search.trials=5000", "--workers"]


# Of `bayesian`, which looks at ten thousand points for each proposal unless told otherwise.
FEW_CANDIDATES = {"n_points": 200}


def small(method: str = "tpe", **changes: Any) -> dict[str, Any]:
    """A sweep of twelve trials on 569 rows; `table__key` changes a key of a table, any other name a key at the top."""
    spec: dict[str, Any] = {
        "name": "small",
        "data": {"source": "sklearn:breast_cancer", "target": "target"},
        "model": {"epochs": 9, "early_stopping": 4},
        "space": {
            "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True, "points": 3},
            "hidden": [[8], [8, 4]],
            "dropout": {"low": 0.0, "high": 0.3, "points": 2},
        },
        "search": {"method": method, "trials": 12, "batch": 4},
    }
    for key, value in changes.items():
        table, _, name = key.partition("__")
        if name:
            spec.setdefault(table, {})[name] = value
        else:
            spec[key] = value
    if "folds" not in spec["data"]:
        spec["data"].setdefault("validation", 0.2)
    return spec


def on_file(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same sweep over a file with its rows: a process of its own then need not import scikit-learn, which takes a second."""
    file = folder / "rows.csv"
    load_breast_cancer(as_frame=True).frame.to_csv(file, index=False)
    return {**spec, "data": {**spec["data"], "source": str(file)}}


def iris(**changes: Any) -> dict[str, Any]:
    """The same sweep on 150 rows."""
    return small(**{"name": "iris", "data__source": "sklearn:iris", "model": {"epochs": 9}, **changes})


def essence(result: SweepResult, *, with_name: bool = True) -> dict[str, Any]:
    """All of a result that must not depend on where and when it was run: everything but MLflow's ids."""
    document = json.loads(json.dumps(result.summary()))
    for part in (document, document["best"], *document["trials"]):
        part.pop("run_id")
        if not with_name:
            part.pop("name", None)
    curves = {key: np.nan_to_num(values, nan=-1.0).tolist() for key, values in result.curves.items()}
    return {"document": document, "curves": curves}
