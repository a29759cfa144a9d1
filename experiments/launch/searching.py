"""The search of a plan: its study, its scheduler, and how much is asked at a time."""

import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...core.cost import operations
from ...core.hyperparameters import CHANGEABLE, Hyperparameters
from ...search.pruners import pruner
from ...search.samplers import ignores_history, sampler
from ...search.schedulers import scheduler
from ...search.schedulers.decisions import Scheduler
from ...search.spaces.dimensions import Choices
from ...search.spaces.layers import configuration
from ...search.spaces.space import Space
from ..config.counting import which_carry_several
from ..config.defaults import DEFAULT_BATCH
from ..errors import UserError, user_errors
from .coordinator import Budget
from .forecast import structure_on
from .plan import SweepPlan
from .stop_rules import StopRules
from .warm_start import encode_start_point

if TYPE_CHECKING:
    import optuna
    from optuna.samplers import BaseSampler

# Optuna's Hyperband finds a trial's bracket by a hash of this and the trial's number; a sweep under another name is the same sweep.
STUDY_NAME = "mlptune"
# What a sweep with a budget in time keeps for its end: the running jobs, the selection, the model into the store.
FINISH_SECONDS = 5.0
# After how many results a sampler of others is asked once more whether it carries several metrics.
REHEARSED = 12
# A sampler that ignores history has no reason to wait for results; this only bounds the memory.
UNBLOCKED_BATCH = 256


def create_study(plan: SweepPlan, start: Sequence[Mapping[str, Any]] = ()) -> "optuna.Study":
    """A new study in memory, with the sampler and the pruner of the sweep; its first trials are those of `start`."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with user_errors():
        if plan.method is None:
            _rehearse(_proposer(plan), plan)
        proposer = _proposer(plan, len(start))
        stopper = pruner(plan.searcher.pruner, max_epochs=plan.max_epochs, **plan.options.pruner)
    study = optuna.create_study(
        study_name=STUDY_NAME, sampler=proposer, pruner=stopper, directions=plan.objective.directions
    )
    for point in start:
        study.enqueue_trial(encode_start_point(point, plan.space))
    return study


def _proposer(plan: SweepPlan, given: int = 0) -> "BaseSampler":
    return sampler(
        plan.searcher.sampler,
        seed=plan.spec.seed,
        space=plan.space,
        trials=plan.total,
        batch=plan.spec.search.batch or DEFAULT_BATCH,
        given=given,
        cost=partial(training_cost, plan),
        known_costs=None if plan.point_costs is None else plan.point_costs.known_costs,
        **plan.options.sampler,
    )


def _rehearse(proposer: "BaseSampler", plan: SweepPlan) -> None:
    """Ask a sampler of others for a trial: what it cannot do with this space it says only then.

    One that knows a single objective may say so only when it looks at results, so with several it is told some.
    """
    import optuna

    study = optuna.create_study(sampler=proposer, directions=plan.objective.directions)
    try:
        for i in range(REHEARSED if plan.objective.counted else 0):
            trial = study.ask()
            plan.space.suggest(trial)
            study.tell(trial, [float(i % 3)] * len(plan.objective.directions))
        plan.space.suggest(study.ask())
    except (ValueError, ImportError, RuntimeError) as error:
        metrics = len(plan.objective.directions)
        others = f"; {which_carry_several()}" if metrics > 1 and "multi-objective" in str(error) else ""
        raise UserError(f"[search] method: {plan.searcher.sampler}: {str(error).rstrip('.')}{others}") from error


def create_scheduler(plan: SweepPlan, study: "optuna.Study") -> Scheduler:
    """The rule by which epochs are given to the trials of `study`."""
    with user_errors():
        return scheduler(
            plan.searcher.scheduler,
            study,
            plan.max_epochs,
            seed=plan.spec.seed,
            space=plan.space,
            changeable=_changeable(plan.space),
            trials=plan.total,
            **plan.options.scheduler,
        )


def describe_search(plan: SweepPlan, study: "optuna.Study", rule: Scheduler) -> list[str]:
    """What the user should know of the search before it starts, a line each."""
    of_sampler = getattr(study.sampler, "describe", None)
    return [*plan.notes, *(of_sampler(plan.total) if of_sampler else []), *rule.describe(plan.total)]


def search_budget(plan: SweepPlan, study: "optuna.Study", began: float | None = None, *, timed: bool = True) -> Budget:
    """How much is searched, and how much is asked at a time.

    Without a pruner, a sampler that ignores history needs no barrier: it is asked in large batches, which a timeout keeps smaller;
    a stop rule acts between batches of the usual size, and so does a space that moves.
    `began` is when the sweep did, a time of `time.monotonic` (default: now). Unless `timed` there is no limit in time.
    """
    search = plan.spec.search
    batch = search.batch or DEFAULT_BATCH
    deadline = None
    rules = StopRules(search.target, search.patience, plan.objective.direction, search.epochs_total)
    if search.minutes is not None:
        seconds = 60.0 * search.minutes
        if timed:
            deadline = (time.monotonic() if began is None else began) + seconds - min(FINISH_SECONDS, seconds / 4)
    elif not rules.given and not search.widen and not plan.searcher.ends_early and ignores_history(study.sampler):
        # Those of a race wait for one another, each with its state in memory.
        batch = UNBLOCKED_BATCH if search.timeout is None and not plan.race else max(batch, 32)
    return Budget(plan.total, batch, plan.max_epochs, search.timeout if timed else None, deadline, rules)


def training_cost(plan: SweepPlan, params: Mapping[str, Any]) -> float:
    """Multiply-adds of training one network with these searched values for all its epochs; infinite where it cannot be trained."""
    try:
        hp = Hyperparameters.from_config(configuration(params, plan.fixed))
    except ValueError:
        return math.inf
    return float(hp.epochs * operations(structure_on(plan.dataset.folds()[0], hp, plan.loss)))


def _changeable(space: Space) -> tuple[str, ...]:
    """The hyperparameters that may change during training, whatever values a trial begins with."""
    momentum = space.dimensions.get("momentum")
    if isinstance(momentum, Choices):
        may_be_zero = 0 in momentum.values
    else:
        may_be_zero = momentum is not None and momentum.low == 0 and momentum.step is not None
    # Without a momentum from the start there is no slot for one.
    return tuple(name for name in CHANGEABLE if name != "momentum" or not may_be_zero)
