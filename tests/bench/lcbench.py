"""LCBench as an evaluator of the coordinator: learning curves of funnel-shaped networks on 28 OpenML tasks, without training any.

Zimmer et al. 2021, "Auto-PyTorch Tabular", arXiv:2006.13799, through the surrogate of YAHPO Gym (Pfisterer et al. 2022,
arXiv:2109.03670): validation accuracy after epochs 1 to 52 of any configuration.
"""

import json
import math
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from mlptune.experiments.execution.evaluation import Outcome, Request
from mlptune.search import Space
from mlptune.tests.bench.tables import FOLDER

EPOCHS = 52


def missing() -> str | None:
    """Why the surrogate cannot be used here; None where it can."""
    if not (FOLDER / "lcbench.onnx").is_file():
        return "skipped: the surrogate of LCBench is not here (../shared/bench/lcbench.onnx)"
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        return "skipped: onnxruntime is not installed (pip install -c constraints.txt -e .[bench])"
    return None


@cache
def description() -> dict:
    return json.loads((FOLDER / "lcbench.json").read_text(encoding="utf-8"))


def tasks() -> list[str]:
    """The OpenML numbers of the tasks."""
    return list(description()["task_code"])


@cache
def space() -> Space:
    table = {}
    for name, entry in description()["space"].items():
        kind = int if entry.get("int") else float
        table[name] = {"low": kind(entry["low"]), "high": kind(entry["high"]), "log": entry.get("log", False)}
    return Space.parse(table)


@cache
def _session():
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(FOLDER / "lcbench.onnx", options)


def accuracy(task: str, configurations: np.ndarray, epochs: np.ndarray) -> np.ndarray:
    """Validation accuracy (n,), in percent, of configurations (n, 7) in the order of the space after epochs (n,)."""
    meta = description()
    numbers = np.concatenate([epochs[:, None], configurations], axis=1).astype(np.float32)
    codes = np.full((len(numbers), 1), meta["task_code"][task], np.int32)
    (found,) = _session().run(None, {"x_cat": codes, "x_cont": numbers})
    return found[:, meta["outputs"].index("val_accuracy")].astype(float)


def random_configurations(n: int, seed: int = 0) -> np.ndarray:
    """Configurations (n, 7), uniform on the scale of each hyperparameter."""
    generator = np.random.default_rng(seed)
    columns = []
    for entry in description()["space"].values():
        low, high = (math.log(entry[end]) if entry.get("log") else entry[end] for end in ("low", "high"))
        values = low + (high - low) * generator.random(n)
        values = np.exp(values) if entry.get("log") else values
        columns.append(np.round(values) if entry.get("int") else values)
    return np.stack(columns, axis=1)


def regret(task: str, best: np.ndarray) -> np.ndarray:
    """Regret of accuracies (n,), normalised by the range of the task's accuracies that comes with the surrogate."""
    found = description()["range"][task]["val_accuracy"]
    return (found["max"] - best) / (found["max"] - found["min"])


class Spent(Exception):
    """The budget of epochs is used up."""


class LCBench:
    """One task. `trace[b]` is the best accuracy seen after b + 1 epochs, whoever trained them; at `budget` it raises Spent."""

    objective_key = "val_accuracy"
    seeds = (0,)

    def __init__(self, task: str, budget: int) -> None:
        self.task, self.budget = task, budget
        self.trace: list[float] = []
        self._curves: dict[int, list[float]] = {}

    def advance(self, requests: Sequence[Request]) -> Iterator[Outcome]:
        names = description()["inputs"][1:]
        stretches = [range(len(self._curves.get(r.number, ())) + 1, r.until + 1) for r in requests]
        rows = [[r.configuration[name] for name in names] for r in requests]
        lengths = [len(stretch) for stretch in stretches]
        epochs = np.concatenate([np.array(stretch) for stretch in stretches])
        values = accuracy(self.task, np.repeat(np.array(rows, float), lengths, axis=0), epochs)
        for request, stretch, part in zip(requests, stretches, np.split(values, np.cumsum(lengths)[:-1]), strict=True):
            curve = self._curves.setdefault(request.number, [])
            curve += part.tolist()
            for value in part.tolist():
                self.trace.append(max(value, self.trace[-1] if self.trace else value))
            if len(self.trace) >= self.budget:
                raise Spent
            told = {self.objective_key: part.tolist()}
            if request.until < EPOCHS:
                yield Outcome(request.number, stretch.start, told)
            else:
                kept = int(np.argmax(curve))
                yield Outcome(request.number, stretch.start, told, "finished", curve[kept], None, (kept + 1,))

    def forget(self, number: int) -> None:
        self._curves.pop(number, None)
