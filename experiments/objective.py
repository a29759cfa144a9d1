"""The evaluation of a sweep as a plain callable, for `study.optimize` of any Optuna study."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import TrialPruned
from optuna.pruners import NopPruner

from ..search.spaces.layers import configuration
from .config import Spec, load_spec
from .data.dataset import Dataset
from .execution.engine import EngineEvaluator
from .execution.evaluation import Request
from .execution.workers import Inline
from .launch.plan import make_plan


def objective(
    source: str | Path | Mapping[str, Any] | Spec, overrides: tuple[str, ...] | Mapping[str, Any] = ()
) -> Callable[[optuna.trial.Trial], float]:
    """A callable that trains the configuration that a trial suggests, as a sweep would, and returns the sweep's objective.

    It reports after each epoch and raises `TrialPruned` when the study's pruner says so, or when training diverges. The numbers are
    those of the sweep's trials; the test part is not touched. The data is read once, in this call.

    Raises:
        UserError: If anything is wrong with the sweep file or the data.
    """
    spec, _ = load_spec(source, overrides)
    plan = make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base, spec.class_weight))
    task = plan.task()

    def evaluate(trial: optuna.trial.Trial) -> float:
        evaluator = EngineEvaluator(task, Inline())
        chosen = configuration(plan.space.suggest(trial), plan.fixed)
        # Without a pruner nothing is decided between epochs.
        step = plan.max_epochs if isinstance(trial.study.pruner, NopPruner) else 1
        for until in range(step, plan.max_epochs + 1, step):
            for outcome in evaluator.advance([Request(trial.number, chosen, until)]):
                for epoch, value in enumerate(outcome.objective(task.objective), outcome.first_epoch):
                    trial.report(value, epoch)
                if outcome.ended == "finished":
                    return float(outcome.value or 0.0)
                if outcome.ended == "diverged":
                    raise TrialPruned(outcome.reason)
                if outcome.ended == "failed":
                    raise RuntimeError(f"trial {trial.number}: {outcome.reason}")
            if trial.should_prune():
                raise TrialPruned(f"after epoch {until}")
        raise AssertionError("a trial ends by its last epoch")

    return evaluate
