"""Public tables as they come inside Python packages, each through the commands that a person types, beside gradient boosting.

For each table: `columns`, `sweep`, `predict` on the sealed rows (which must give the score that the sweep says) and `export`; then
scikit-learn's HistGradientBoosting on the same split. The files are read where the packages have them, without importing any; a
table whose package is not installed is skipped:

    pip install --no-deps ISLP statsmodels lifelines bokeh-sampledata palmerpenguins vega_datasets

Without BENCH_LONG=1 only the first three are run, with a few small trials. BENCH_MINUTES is the time for each sweep (2).
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

import mlptune
from mlptune.experiments.cli import commands
from mlptune.experiments.config import default_name, load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.data.values import category_codes

LONG = bool(os.environ.get("BENCH_LONG"))
MINUTES = os.environ.get("BENCH_MINUTES", "2")
BUDGET = ["--minutes", MINUTES] if LONG else ["--trials", "4", "--epochs", "8", "--set", 'model.preset="plain"']
BEHIND = 0.02
"""Of accuracy or R2: where we are more than this behind, the line has a mark."""


@dataclass(frozen=True)
class Public:
    """A table: where its package has it (no package: one of scikit-learn's, by name), its target, and what would give that away."""

    package: str
    file: str
    target: str
    ignore: tuple[str, ...] = ()

    @property
    def source(self) -> str | None:
        """The file; None where the package is not installed."""
        if not self.package:
            return f"sklearn:{self.file}"
        spec = find_spec(self.package)
        folders = list(spec.submodule_search_locations or ()) if spec is not None else []
        return str(Path(folders[0], self.file)) if folders and Path(folders[0], self.file).is_file() else None

    def __str__(self) -> str:
        return f"{self.package or 'sklearn'}/{default_name(self.file)}"


TABLES = [
    Public("", "iris", "target"),
    Public("ISLP", "data/Carseats.csv", "Sales"),
    Public("bokeh_sampledata", "_data/penguins.csv", "species"),
    Public("", "wine", "target"),
    Public("", "breast_cancer", "target"),
    Public("", "diabetes", "target"),
    Public("", "digits", "target"),
    Public("ISLP", "data/Auto.csv", "mpg"),
    Public("ISLP", "data/Bikeshare.csv", "bikers", ("casual", "registered")),
    Public("ISLP", "data/Boston.csv", "medv"),
    Public("ISLP", "data/Caravan.csv", "Purchase"),
    Public("ISLP", "data/College.csv", "Private"),
    Public("ISLP", "data/Credit.csv", "Balance"),
    Public("ISLP", "data/Default.csv", "default"),
    Public("ISLP", "data/Hitters.csv", "Salary"),
    Public("ISLP", "data/NYSE.csv", "log_volume"),
    Public("ISLP", "data/OJ.csv", "Purchase"),
    Public("ISLP", "data/Publication.csv", "status"),
    Public("ISLP", "data/Smarket.csv", "Direction", ("Today",)),
    Public("ISLP", "data/Wage.csv", "wage", ("logwage",)),
    Public("bokeh_sampledata", "_data/auto-mpg2.csv", "hwy"),
    Public("bokeh_sampledata", "_data/CGM.csv.gz", "glucose"),
    Public("bokeh_sampledata", "_data/elements.csv", "density"),
    Public("bokeh_sampledata", "_data/forensic_glass.csv", "type"),
    Public("bokeh_sampledata", "_data/gapminder.csv.gz", "life_expectancy"),
    Public("bokeh_sampledata", "_data/SampleSuperstore.csv.gz", "Profit"),
    Public("bokeh_sampledata", "_data/sprint.csv", "Time"),
    Public("bokeh_sampledata", "_data/titanic_all.csv", "survived"),
    Public("lifelines", "datasets/ACTG175.csv", "cens"),
    Public("lifelines", "datasets/dd.csv", "duration"),
    Public("lifelines", "datasets/gbsg2.csv", "cens"),
    Public("lifelines", "datasets/lung.csv", "status"),
    Public("lifelines", "datasets/lymph_node.csv", "rectime", ("recdate", "deathdate", "survtime")),
    Public("lifelines", "datasets/rossi.csv", "arrest", ("week",)),
    Public("palmerpenguins", "data/penguins-raw.csv", "Body Mass (g)"),
    Public("statsmodels", "datasets/anes96/anes96.csv", "'vote'"),
    Public("statsmodels", "datasets/fair/fair.csv", "affairs"),
    Public("statsmodels", "datasets/macrodata/macrodata.csv", "unemp"),
    Public("statsmodels", "datasets/modechoice/modechoice.csv", "choice"),
    Public("statsmodels", "datasets/randhie/randhie.csv", "mdvis"),
    Public("statsmodels", "datasets/star98/star98.csv", "MATHTOT"),
    Public("vega_datasets", "_data/seattle-weather.csv", "weather"),
    Public("vega_datasets", "_data/sf-temps.csv", "temp"),
]


def call(*arguments: str) -> str:
    """A command's standard output. AssertionError, with what it says, where it fails."""
    ran = CliRunner().invoke(commands.app, list(arguments), prog_name="mlptune")
    assert ran.exit_code == 0, f"mlptune {' '.join(arguments)}: {ran.stderr}"
    return str(ran.stdout)


@pytest.mark.parametrize("table", TABLES if LONG else TABLES[:3], ids=str)
def test_public_table(table: Public, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = table.source
    if source is None:
        pytest.skip(f"{table.package} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    known = {
        command.name or command.callback.__name__ for command in commands.app.registered_commands if command.callback
    }
    ignored = ["--set", f"data.ignore={list(table.ignore)}"] if table.ignore else []
    if "columns" in known:
        call("columns", source)
    call("sweep", "--data", source, "--target", table.target, "--name", "public", *BUDGET, *ignored)
    result = mlptune.load_result("public")

    changes = {"data.ignore": list(table.ignore)} if table.ignore else {}
    spec, _ = load_spec(None, changes, data=source, target=table.target)
    dataset = Dataset.load(spec.data, spec.seed, spec.base)
    held = dataset.test()
    assert held is not None
    held[0].to_csv("rows.csv", index=False)
    call("predict", "public", "rows.csv", "-o", "predicted.csv")
    ours = score(dataset.task, held[1], pd.read_csv("predicted.csv", dtype=str)["prediction"].to_numpy())
    assert ours == pytest.approx(result.best["test_score"], abs=1e-4)
    if "export" in known:
        call("export", "public", "-o", "exported")
        subprocess.run([sys.executable, "exported/predict.py", "rows.csv"], check=True, capture_output=True)

    theirs = boosted(dataset)
    mark = "  behind" if theirs - ours > BEHIND else ""
    what = f"{dataset.n_rows} rows, {len(dataset.schema.kinds)} columns, {dataset.task}"
    print(f"\n{table}: ours {ours:.4f}, gradient boosting {theirs:.4f}{mark}  ({what}; {len(result.trials)} trials)")


def score(task: str, truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Accuracy by the labels' texts, or R2."""
    from sklearn.metrics import accuracy_score, r2_score

    if task == "classification":
        return float(accuracy_score([str(label) for label in truth], predicted.astype(str)))
    return float(r2_score(truth, predicted.astype(float)))


def boosted(dataset: Dataset) -> float:
    """The test score of HistGradientBoosting, trained on all other rows, with our reading of numbers and dates."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    rows, split, held = dataset._rows, dataset._split, dataset.test()
    assert held is not None
    frame = pd.concat([rows.frame.iloc[split.development], rows.frame.iloc[split.test]])
    columns, categorical = [], []
    for name, kind in dataset.schema.kinds.items():
        if kind in ("numeric", "calendar"):
            columns.append(dataset.schema.readings[name].apply(frame[name]).values)
            continue
        codes, names = category_codes(frame[name])
        columns.append(np.where(codes < 0, np.nan, codes.astype(float)))
        if len(names) < 255:
            categorical.append(len(columns) - 1)
    X, n = np.column_stack(columns), len(split.development)
    kind = HistGradientBoostingClassifier if dataset.task == "classification" else HistGradientBoostingRegressor
    model = kind(random_state=0, categorical_features=categorical or None).fit(X[:n], rows.y[split.development])
    return float(model.score(X[n:], held[1]))
