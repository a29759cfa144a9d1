"""A table of curves instead of an engine: an evaluator that trains nothing."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from mlptune.experiments.execution.evaluation import Outcome, Request

SPACE = {"learning_rate": {"low": 1e-3, "high": 1.0, "log": True}, "momentum": {"low": 0.0, "high": 0.9}}
EPOCHS = 9


def accuracy(params, epoch: int) -> float:
    """A curve that rises to a ceiling; both depend on the parameters."""
    ceiling = math.exp(-((math.log10(params["learning_rate"]) + 1.5) ** 2)) * (0.5 + 0.5 * params["momentum"])
    return ceiling * (1 - math.exp(-epoch * (0.1 + params["learning_rate"])))


@dataclass
class Table:
    """Answers from `accuracy`, in an order shuffled by `seed`: which worker is faster must not matter."""

    seed: int = 0
    objective_key: str = "val_score"
    reported: dict[int, int] = field(default_factory=dict)
    asked: list[list[tuple[int, int]]] = field(default_factory=list)
    diverging: float = math.inf
    failing: frozenset[int] = frozenset()

    def advance(self, requests: Sequence[Request]):
        self.asked.append([(request.number, request.until) for request in requests])
        shuffled = list(requests)
        random.Random(f"{self.seed} {len(self.asked)}").shuffle(shuffled)
        for request in shuffled:
            first = self.reported.get(request.number, 0) + 1
            if request.number in self.failing:
                yield Outcome(request.number, first, ended="failed", reason="MemoryError: out of memory")
                continue
            if request.configuration["learning_rate"] > self.diverging:
                yield Outcome(request.number, first, ended="diverged", reason=f"diverged in epoch {first}")
                continue
            self.reported[request.number] = request.until
            curve = [accuracy(request.configuration, epoch) for epoch in range(first, request.until + 1)]
            if request.until == EPOCHS:
                yield Outcome(
                    request.number, first, {"val_score": curve}, "finished", curve[-1], None, best_epochs=(EPOCHS,)
                )
            else:
                yield Outcome(request.number, first, {"val_score": curve})

    def forget(self, number: int) -> None:
        self.reported.pop(number, None)
