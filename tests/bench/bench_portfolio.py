"""How the portfolio of the default space was chosen, and what it is worth on a table that it was not chosen on.

48 points of the default space (a Latin hypercube) are trained on at most 8,000 rows of each development table: three folds below
2,500 rows, else a validation part of a quarter. The loss of a set of points is that of the ensemble that is selected from them on
one half of the validation rows, on the other half, over four such halves. A portfolio grows by the point with which the geometric
mean over the tables is least. For each table one is chosen on the others and held against random sets of eight. BENCH_TABLES
chooses tables.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import qmc

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.frames import MemoryTable
from mlptune.experiments.ensemble import ValidationRows, combine, select
from mlptune.experiments.execution import interruption
from mlptune.experiments.execution.executors import open_executor
from mlptune.experiments.launch.members import in_target_units, validation_rows
from mlptune.experiments.launch.plan import plan_of
from mlptune.experiments.launch.prepared import PreparedSearch
from mlptune.experiments.launch.unstored import LibraryRecorder
from mlptune.experiments.progress import Observer
from mlptune.search.spaces.defaults import default_space, width
from mlptune.tests.bench.bench_quality import CHOSEN, DATA, TABLES

POINTS, SIZE, ROWS, PICKS, RANDOM_SETS = 48, 8, 8000, 12, 40


class Trained(NamedTuple):
    """What the points predict on one table: predictions (n, o) by point, the rows, and halves of them to select and score on."""

    predictions: dict[int, NDArray[np.float64]]
    rows: ValidationRows
    halves: list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def test_portfolio() -> None:
    unit = qmc.LatinHypercube(7, seed=11).random(POINTS)
    random = np.random.default_rng(0)
    tables = {name: train(name, unit, random) for name in CHOSEN}
    sets = {name: [random.choice(POINTS, SIZE, replace=False) for _ in range(RANDOM_SETS)] for name in tables}
    chance = {name: np.array([loss(table, each) for each in sets[name]]) for name, table in tables.items()}
    chosen = portfolio(tables, tables)
    print(f"\nchosen on all: {chosen}")
    for number in chosen:
        print(f"  {point(unit[number], 5000, 'classification', 1)}")
    print("held against random sets of eight: the loss of the portfolio of the other tables, by their mean")
    for name, table in tables.items():
        found = loss(table, portfolio(tables, [other for other in tables if other != name]))
        better = np.mean(found < chance[name])
        print(f"  {name:10} {found / chance[name].mean():.3f}, better than {better:.0%} of them", flush=True)


def train(name: str, unit: NDArray[np.float64], random: np.random.Generator) -> Trained:
    file, target = TABLES[name]
    frame = pd.read_csv(DATA / file)
    frame = frame.sample(min(len(frame), ROWS), random_state=0).reset_index(drop=True)
    is_small, task = len(frame) < 2500, "regression" if name in ("house", "puma", "mv") else "classification"
    data: dict[str, Any] = {"source": "memory", "target": target, "test_size": 0.0, "task": task}
    data |= {"folds": 3} if is_small else {"validation": 0.25}
    rows, n_numeric = int(len(frame) * (2 / 3 if is_small else 0.75)), name != "nursery"
    points = [point(row, rows, task, n_numeric) for row in unit]
    search = {"method": "random", "trials": POINTS, "start": points}
    spec, _ = load_spec({"name": name, "data": data, "search": search})
    with interruption.catch_signals(), open_executor(None, 2) as executor:
        plan = plan_of(spec, MemoryTable(frame, target))
        prepared = PreparedSearch(plan, executor, Observer(), time.monotonic(), points)
        prepared.run(LibraryRecorder(prepared.library))
    predictions = {
        entry.record.number: in_target_units(plan, entry.predictions) for entry in prepared.library.entries()
    }
    found, halves = validation_rows(plan), []
    for _ in range(2):
        first, second = np.array_split(random.permutation(len(found.y)), 2)
        halves += [(first, second), (second, first)]
    return Trained(predictions, found, halves)


def point(u: NDArray[np.float64], n_rows: int, task: str, n_numeric: int) -> dict[str, Any]:
    """The point of the default space at u (7,) in the unit cube."""
    names = ("learning_rate", "hidden", "dropout", "weight_decay", "embedding", "embedding_sigma", "label_smoothing")
    space, found = default_space(n_rows, task, n_numeric), dict[str, Any]()
    for name, place in zip(names, u, strict=True):
        entry = space.get(name, [])
        if isinstance(entry, list):
            found |= {name: entry[int(place * len(entry))]} if entry else {}
        elif entry.get("log"):
            found[name] = float(entry["low"] * (entry["high"] / entry["low"]) ** place)
        else:
            found[name] = float(entry["low"] + (entry["high"] - entry["low"]) * place)
    if found.get("embedding") == "none":
        del found["embedding_sigma"]
    assert found["hidden"][0] == width(n_rows)
    return found


def loss(table: Trained, numbers: Iterable[int]) -> float:
    """Of the ensemble of these points; what did not train is left out."""
    among = {int(number): table.predictions[number] for number in numbers if number in table.predictions}
    y, losses = table.rows.y, []
    for first, second in table.halves:
        counts = select({k: p[first] for k, p in among.items()}, ValidationRows(y[first]), PICKS)
        losses.append(_loss(combine({k: p[second] for k, p in among.items()}, counts), y[second]))
    return float(np.mean(losses))


def _loss(outputs: NDArray[np.float64], y: NDArray[Any]) -> float:
    if y.ndim == 2:
        return float(np.sqrt(((outputs - y) ** 2).mean()))
    if outputs.shape[1] == 1:
        outputs = np.hstack([1.0 - outputs, outputs])
    return float(-np.log(np.maximum(outputs[np.arange(len(y)), y.astype(int)], 1e-7)).mean())


def portfolio(tables: dict[str, Trained], names: Iterable[str]) -> Sequence[int]:
    """The points of the portfolio of these tables."""
    names, chosen = list(names), list[int]()
    while len(chosen) < SIZE:
        means = {
            number: float(np.mean([np.log(loss(tables[name], [*chosen, number])) for name in names]))
            for number in range(POINTS)
            if number not in chosen
        }
        chosen.append(min(means, key=means.__getitem__))
    return chosen
