"""Finalists: the luckiest trial is not the best, so the best few are trained again from fresh seeds before one is named.

It is a function of the committed trials and the sweep's seed: after a crash they are trained again and the same one is named.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from ...search.seeds import derive32
from ...tracking.records import TrialRecord
from ..errors import SweepFailed
from ..execution.engine import EngineEvaluator
from ..execution.evaluation import Request
from ..ranking import ranked
from .plan import SweepPlan
from .retraining import trained_configuration

# From how many fresh seeds each finalist is trained, on every fold.
FRESH_SEEDS = 3


@dataclass(frozen=True)
class Finalist:
    """A trial that may be named.

    Attributes:
        trial: The trial.
        fresh: The mean of the objective over its networks from fresh seeds; None where one of them diverged.
        mean: The mean over all its networks, its own and these.
    """

    trial: TrialRecord
    fresh: float | None
    mean: float | None


def finalists(plan: SweepPlan, trials: Mapping[int, TrialRecord], executor: Executor) -> list[Finalist]:
    """The finalists, the best mean first; none where the best trial is named as it is.

    They are as many as `[search] finalists` says, but half of the complete trials at most, in the order of their values.
    """
    complete = ranked(trials.values(), plan.objective.direction)
    chosen = complete[: min(plan.spec.search.finalists, len(complete) // 2)]
    if len(chosen) < 2:
        return []
    fresh = _fresh_values(plan, chosen, executor)
    own = len(plan.seeds)
    found = []
    for trial in chosen:
        value = fresh[trial.number]
        mean = None if value is None else (own * float(trial.value or 0.0) + FRESH_SEEDS * value) / (own + FRESH_SEEDS)
        found.append(Finalist(trial, value, mean))
    sign = -1.0 if plan.objective.direction == "maximize" else 1.0
    # The order is stable: of equals the one with the better value is named.
    return sorted(found, key=lambda finalist: np.inf if finalist.mean is None else sign * finalist.mean)


def _fresh_values(plan: SweepPlan, trials: list[TrialRecord], executor: Executor) -> dict[int, float | None]:
    """The objective of each trial's configuration from fresh seeds, with another order of rows; all train together."""
    task = replace(
        plan.task(),
        seeds=tuple(derive32(plan.spec.seed, "finalists", i) for i in range(FRESH_SEEDS)),
        order_seed=derive32(plan.spec.seed, "finalists", "order"),
    )
    requests = [Request(trial.number, trained_configuration(plan, trial), plan.max_epochs) for trial in trials]
    values: dict[int, float | None] = {}
    for outcome in EngineEvaluator(task, executor).advance(requests):
        if outcome.ended == "failed":
            raise SweepFailed(f"training finalist {outcome.number} again failed: {outcome.reason}")
        if outcome.ended is not None:
            finite = outcome.value is not None and np.isfinite(outcome.value)
            values[outcome.number] = outcome.value if finite else None
    return values


def best_finalist(found: Sequence[Finalist], best: TrialRecord) -> TrialRecord:
    """The best trial: the first finalist, or `best` where there are none or all have diverged."""
    return found[0].trial if found and found[0].mean is not None else best


def table(found: Sequence[Finalist]) -> dict[str, object]:
    """The finalists as MLflow's interface shows tables: columns and rows."""
    rows = [[finalist.trial.number, finalist.trial.value, finalist.fresh, finalist.mean] for finalist in found]
    return {"columns": ["trial", "value", "fresh", "mean"], "data": rows}
