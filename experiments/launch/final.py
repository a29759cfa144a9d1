"""The end of a sweep: the best configuration trained on all rows that are not test, and scored once on those that are."""

import math
import statistics
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np

from ...core.structure import Structure
from ...core.training import Network, State
from ..errors import SweepFailed
from ..execution.engine import EngineEvaluator
from ..execution.evaluation import Request
from ..model import Part, TunedModel
from ..progress import Observer
from .problem import Problem, as_fold

Trained = list[tuple[Structure, Network, State]]


def fit_final(
    problem: Problem,
    configuration: dict[str, Any],
    kept_epochs: tuple[int, ...],
    executor: Executor,
    observer: Observer,
) -> TunedModel:
    """The model of a sweep's best trial.

    Refitted: trained on all of train + validation (whatever `subset` was enough for the search) from the trial's seeds, up to
    the median of its networks' kept epochs, without early stopping. Otherwise, or where the refit diverges, the trial's own
    networks: trained again, which gives the same numbers.
    """
    if problem.spec.objective.refit:
        development = problem.dataset.development()
        until = max(1, math.floor(statistics.median(kept_epochs)))
        task = replace(
            problem.task(),
            folds=(as_fold(development),),
            fingerprint=f"{problem.dataset.fingerprint}-development",
            objective="train_score",
            metrics=(),
            scale=(development.target.scale,),
        )
        trained = _train(task, {**configuration, "early_stopping": 0, "subset": 1.0}, until, executor)
        if trained is not None:
            return TunedModel([_part(development, trained)], configuration)
        observer.message(
            "training the best configuration on all rows diverged; the model keeps the trial's own networks"
        )
    trained = _train(problem.task(), configuration, problem.max_epochs, executor)
    if trained is None:
        raise SweepFailed("training the best configuration again did not give the recorded result")
    parts = []
    for i, fold in enumerate(problem.dataset.folds()):
        parts.append(_part(fold, [entry for entry in trained if entry[1].fold == i]))
    return TunedModel(parts, configuration)


def _train(task: Any, configuration: dict[str, Any], until: int, executor: Executor) -> Trained | None:
    evaluator = EngineEvaluator(task, executor)
    for outcome in evaluator.advance([Request(0, configuration, until)]):
        if outcome.ended in ("diverged", "failed"):
            return None
    return evaluator.networks(0)


def _part(fold: Any, trained: Trained) -> Part:
    return Part(
        encoder=fold.encoder,
        target=fold.target,
        structure=trained[0][0],
        theta=np.concatenate([state.best_theta for _, _, state in trained]),
        running=np.concatenate([state.best_buffers for _, _, state in trained]),
    )


def score_test(problem: Problem, model: TunedModel) -> float | None:
    """The objective's metric on the sealed test part, None where there is none."""
    test = problem.dataset.test()
    if test is None:
        return None
    frame, y, weight = test
    if problem.objective.key == "val_score":
        return model.score(frame, y, weight)
    return model.evaluate(frame, y, weight, problem.objective.metric or "loss")
