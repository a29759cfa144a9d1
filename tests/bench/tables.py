"""Published tables of results as evaluators: the coordinator's own loop runs on them, and a study costs seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from mlptune.experiments.execution.evaluation import Outcome
from mlptune.experiments.launch.coordinator import Budget, Coordinator
from mlptune.experiments.progress import Observer
from mlptune.search import Space, pruner, scheduler

FOLDER = Path(__file__).parents[3] / "shared" / "bench"


@dataclass(frozen=True)
class Table:
    """Results of every configuration of a space.

    Attributes:
        results: one axis for each hyperparameter in the order of `choices`, then one for the seeds it was trained with.
        choices: the values of each hyperparameter, in the order of its axis.
        space: the [space] table that searchers are given; the choices as lists unless given.
        validation_rows: how many rows a result shall be of: it gets the noise that so few have. Of none unless given.
    """

    name: str
    results: np.ndarray
    choices: dict[str, list[Any]]
    direction: str
    space: dict[str, Any] | None = None
    validation_rows: int | None = None

    @classmethod
    @cache
    def load(cls, name: str) -> Table:
        file = np.load(FOLDER / f"{name}.npz", allow_pickle=False)
        key, direction = ("loss", "minimize") if "loss" in file else ("accuracy", "maximize")
        return cls(name, file[key].astype(float), json.loads(str(file["space"])), direction)

    def as_words(self) -> Table:
        """The same table, whose numbers are words: nothing in the space says that they have an order."""
        return replace(self, choices={name: [str(value) for value in values] for name, values in self.choices.items()})

    def as_ranks(self) -> Table:
        """The same table, whose lists of numbers are ranges of integers: 0 is the first number, 1 the second."""
        ranks = {name: list(range(len(v))) if is_ordered(v) else v for name, v in self.choices.items()}
        space = {name: {"low": 0, "high": len(v) - 1} if is_ordered(v) else v for name, v in self.choices.items()}
        return replace(self, choices=ranks, space=space)

    @property
    def sign(self) -> int:
        return 1 if self.direction == "minimize" else -1

    def cell(self, configuration: dict[str, Any]) -> np.ndarray:
        """The results of a configuration, one for each seed that there is."""
        found = self.results[tuple(values.index(configuration[key]) for key, values in self.choices.items())]
        return found[~np.isnan(found)]

    def draw(self, configuration: dict[str, Any], random: np.random.Generator) -> float:
        """What one training of a configuration gives, with the noise of `validation_rows`.

        The mean of n squared residuals, normally distributed, has the standard error MSE sqrt(2 / n); a share p of n rows
        sqrt(p (1 - p) / n).
        """
        value = float(random.choice(self.cell(configuration)))
        if self.validation_rows is None:
            return value
        if self.direction == "minimize":
            error = value * np.sqrt(2.0 / self.validation_rows)
        else:
            error = 100.0 * np.sqrt(value / 100.0 * (1.0 - value / 100.0) / self.validation_rows)
        return value + float(error * random.normal())

    def best_so_far(self, configurations: Sequence[dict[str, Any]], values: Sequence[float]) -> np.ndarray:
        """What each of n results leaves (n,): the best of them; under noise the mean of the configuration that looks best."""
        signed = self.sign * np.array(values)
        if self.validation_rows is None:
            return self.sign * np.minimum.accumulate(signed)
        looks_best = [int(np.argmin(signed[: n + 1])) for n in range(len(signed))]
        return np.array([self.cell(configurations[i]).mean() for i in looks_best])

    def expected_best_of_random(self, n: int) -> float:
        """The exact mean of the best of n random draws, each of a random configuration and seed."""
        flat = np.sort(self.sign * self.results, axis=None)
        flat = flat[~np.isnan(flat)]  # weighs each result alike, where some configurations have fewer
        beyond = np.arange(len(flat), -1, -1) / len(flat)
        return float(self.sign * ((beyond[:-1] ** n - beyond[1:] ** n) @ flat))


def is_ordered(values: list[Any]) -> bool:
    """Whether they are numbers: everybody who is told so may use their order."""
    return all(isinstance(value, int | float) for value in values)


class Lookup:
    """A table as the coordinator's evaluator: one epoch, whose value is that of one of the table's seeds."""

    objective_key = "val_loss"

    def __init__(self, table: Table, seed: int) -> None:
        self.table = table
        self.seed = seed

    def advance(self, requests: Sequence[Any]) -> Any:
        for request in requests:
            # The same trial draws the same seed under every method, so that luck is shared.
            value = self.table.draw(request.configuration, np.random.default_rng([self.seed, request.number]))
            yield Outcome(request.number, 1, {"val_loss": [value]}, "finished", value, None, (1,))

    def forget(self, number: int) -> None:
        """The table keeps nothing of a trial."""


class Nothing:
    """A recorder that keeps nothing."""

    def log_segment(self, running: Any, outcome: Any) -> None:
        pass

    def commit(self, running: Any, summary: Any, outcome: Any) -> None:
        pass


def study_on(
    table: Table, make: Callable[[int, Space], optuna.samplers.BaseSampler], seed: int, trials: int, batch: int = 1
) -> tuple[np.ndarray, float]:
    """Run one study with the coordinator's loop.

    `make(seed, space)` is its sampler. The answer: `Table.best_so_far` (trials,) after each evaluation, and the
    seconds of processor time that the loop took, nearly all of which are the sampler's.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = Space.parse(table.space or table.choices)
    study = optuna.create_study(
        sampler=make(seed, space), pruner=pruner("none", max_epochs=1), direction=table.direction
    )
    lookup = Lookup(table, seed)
    coordinator = Coordinator(
        study, space, scheduler("pruner", study, 1), lookup, fixed={}, recorder=Nothing(), observer=Observer()
    )
    started = time.process_time()
    coordinator.run(Budget(trials, batch, 1))
    seconds = time.process_time() - started
    ended = [coordinator.trials[number] for number in range(trials)]
    return table.best_so_far([trial.params for trial in ended], [trial.value for trial in ended]), seconds


def cells(rows: np.ndarray, digits: int = 4) -> str:
    """Means over the first axis of (seeds, columns), each with its standard error."""
    error = rows.std(axis=0, ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.full(rows.shape[1], np.nan)
    return "".join(f"{f'{m:.{digits}g} ({e:.1g})':>20}" for m, e in zip(rows.mean(axis=0), error, strict=True))
