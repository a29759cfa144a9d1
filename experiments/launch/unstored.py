"""A search whose trials are written nowhere: the same loop and the same numbers, and of MLflow nothing is imported."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ...tracking.records import TrialRecord
from ..config import Spec
from ..data.frames import MemoryTable
from ..ensemble import Expected
from ..execution import interruption
from ..execution.evaluation import Outcome
from ..execution.executors import ExternalExecutor, open_executor
from ..execution.workers import Inline, Workers
from ..model import TunedModel
from ..progress import Observer
from .coordinator import LiveTrial
from .finalists import best_finalist
from .finish import best_of, find_finalists, make_model
from .library import Library
from .plan import plan_of
from .prepared import PreparedSearch


@dataclass(frozen=True)
class Found:
    """What a search hands back.

    Attributes:
        model: The fitted model.
        best: The best trial.
        trials: All trials by number.
        expected: What the model can be expected to score on new rows; None where there are too few rows to tell.
        direction: Whether the objective is to "maximize" or to "minimize".
    """

    model: TunedModel
    best: TrialRecord
    trials: Sequence[TrialRecord]
    expected: Expected | None
    direction: str


class LibraryRecorder:
    """A recorder that keeps what the model may be made of, and nothing else."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def log_segment(self, live: LiveTrial, outcome: Outcome) -> None:
        """A trial goes on: nothing is kept of it yet."""

    def commit(self, live: LiveTrial, record: TrialRecord, outcome: Outcome | None) -> None:
        """A trial has ended."""
        if outcome is not None:
            self._library.add(record, outcome)

    def log_ensemble(self, trials: int, value: float) -> None:
        """Of the ensemble so far nothing is kept."""


def search_unstored(spec: Spec, table: MemoryTable, workers: int = 1, observer: Observer | None = None) -> Found:
    """Run a sweep in memory alone; a test part, where the sweep file asks for one, is left out and not looked at.

    Args:
        spec: The sweep file.
        table: Its data.
        workers: How many processes train; with 1 it is this one. It decides the speed and never a number.
        observer: What the user sees of it.

    Raises:
        UserError: If sweep file and data do not fit.
        SweepFailed: If no trial gave a result.
    """
    began, observer = time.monotonic(), observer or Observer()
    with _opened(workers) as executor:
        plan = plan_of(spec, table)
        search = PreparedSearch(plan, executor, observer, began, plan.starts)
        trials = search.run(LibraryRecorder(search.library))
        best = best_finalist(find_finalists(plan, trials, executor, observer), best_of(plan, trials))
        model, expected = make_model(plan, best, trials, search.library, executor, observer)
    in_order = [trial for _, trial in sorted(trials.items())]
    return Found(model, best, in_order, expected, plan.objective.direction)


@contextmanager
def _opened(workers: int) -> "Iterator[Workers | ExternalExecutor | Inline]":
    if workers == 1:
        yield Inline()
    else:
        with interruption.catch_signals(), open_executor(None, workers) as executor:
            yield executor
