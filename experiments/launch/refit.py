"""Training again on all rows that are not test, once the search has said with which values and for how many epochs."""

import math
import statistics
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np

from ..data.dataset import EncodedFold
from ..execution.engine import EngineEvaluator
from ..execution.evaluation import Request, TrainedNetwork
from .plan import SweepPlan


def refit(
    plan: SweepPlan,
    configurations: Mapping[int, tuple[Mapping[str, Any], Sequence[int]]],
    executor: Executor,
) -> tuple[EncodedFold, dict[int, list[TrainedNetwork]]]:
    """Networks trained on all rows of train + validation (on `member_subset` of them), from the sweep's seeds, all together.

    Args:
        plan: The sweep.
        configurations: By trial its hyperparameters, and the best epochs of its networks: the median of these is how long the
            new ones train, without early stopping.
        executor: Runs the jobs.

    Returns:
        The rows with their encoding, and by trial its networks, one for each seed; a trial of which one diverged is left out.
    """
    development = plan.dataset.development()
    task = replace(
        plan.task(),
        folds=(development.arrays,),
        fingerprint=f"{plan.dataset.fingerprint}-development",
        objective="train_score",
        metrics=(),
        scale=(development.target.scale,),
    )
    requests = [
        Request(
            number,
            {**configuration, "early_stopping": 0, "subset": plan.member_subset},
            max(1, math.floor(statistics.median(best_epochs))),
        )
        for number, (configuration, best_epochs) in configurations.items()
    ]
    workers = len(executor) if hasattr(executor, "__len__") else 1
    evaluator = EngineEvaluator(task, executor, workers)
    lost = {outcome.number for outcome in evaluator.advance(requests) if outcome.ended in ("diverged", "failed")}
    return development, {number: trained_networks(evaluator, number) for number in configurations if number not in lost}


def trained_networks(evaluator: EngineEvaluator, number: int) -> list[TrainedNetwork]:
    """A trial's networks, fold by fold and within a fold seed by seed."""
    return [
        TrainedNetwork(structure, network.fold, np.array(state.best_theta[0]), np.array(state.best_buffers[0]))
        for structure, network, state in evaluator.networks(number)
    ]
