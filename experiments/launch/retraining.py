"""Training trials that have finished once more: as they were, or on all rows that are not test."""

import math
import statistics
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np

from ...search.spaces.layers import configuration
from ...tracking.records import TrialRecord
from ..data.dataset import EncodedFold
from ..errors import SweepFailed
from ..execution.engine import EngineEvaluator
from ..execution.evaluation import Outcome, Request, TrainedNetwork
from .plan import SweepPlan


def trained_configuration(plan: SweepPlan, trial: TrialRecord) -> dict[str, Any]:
    """The hyperparameters that a trial trained with, fixed and searched ones together."""
    return dict(trial.configuration or configuration(trial.params, plan.fixed))


def train_again(
    plan: SweepPlan, trials: Iterable[TrialRecord], executor: Executor, **changes: Any
) -> dict[int, Outcome]:
    """The outcome of each trial by number, all trained together; without `changes` it is what it was.

    Raises:
        SweepFailed: If one does not finish as it did.
    """
    requests = [
        Request(trial.number, {**trained_configuration(plan, trial), **changes}, plan.max_epochs) for trial in trials
    ]
    if not requests:
        return {}
    evaluator = EngineEvaluator(plan.task(), executor)
    outcomes = {outcome.number: outcome for outcome in evaluator.advance(requests) if outcome.ended is not None}
    for request in requests:
        if request.number not in outcomes or outcomes[request.number].ended != "finished":
            raise SweepFailed(f"training trial {request.number} again did not give the recorded result")
    return outcomes


def refit(
    plan: SweepPlan, trials: Iterable[TrialRecord], executor: Executor
) -> tuple[EncodedFold, dict[int, list[TrainedNetwork]]]:
    """Networks trained on all rows of train + validation (on `member_subset` of them), from the sweep's seeds, all together.

    They train up to the median of the best epochs that the trial's own networks had, without early stopping.

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
            trial.number,
            {**trained_configuration(plan, trial), "early_stopping": 0, "subset": plan.member_subset},
            max(1, math.floor(statistics.median(trial.best_epochs))),
        )
        for trial in trials
    ]
    evaluator = EngineEvaluator(task, executor)
    lost = {outcome.number for outcome in evaluator.advance(requests) if outcome.ended in ("diverged", "failed")}
    networks = {
        request.number: [
            TrainedNetwork(structure, network.fold, np.array(state.best_theta[0]), np.array(state.best_buffers[0]))
            for structure, network, state in evaluator.networks(request.number)
        ]
        for request in requests
        if request.number not in lost
    }
    return development, networks
