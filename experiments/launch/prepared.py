"""A plan's search from its first question to its model, wherever its trials are recorded: in a launch of the store, or nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...search.samplers.limited import NothingFits
from ...tracking.records import TrialRecord
from ..errors import UserError
from ..execution.engine import EngineEvaluator
from ..execution.evaluation import EndedTrial, Evaluator
from ..execution.executors import ExternalExecutor
from ..execution.workers import Inline, Workers
from ..progress import Observer, SweepInfo
from . import forecast
from .coordinator import Coordinator, Recorder
from .library import Library
from .plan import SweepPlan
from .race import Race
from .replay import Replay
from .running import RunningEnsemble
from .searching import create_scheduler, create_study, describe_search, search_budget
from .space_history import SpaceHistory
from .steering import Steering
from .stop_rules import Stopped
from .warm_start import Point


class PreparedSearch:
    """The search of a plan, announced to the observer and ready to run.

    Args:
        plan: What is searched.
        executor: Where training runs.
        observer: What the user sees of it.
        began: When the sweep was called, a time of `time.monotonic`.
        start: Configurations that become the first trials.
        steering: What the user does to the sweep.
        spaces: The space as it changes.

    Attributes:
        study: Optuna's study, in memory.
        scheduler: The rule by which epochs are given to trials.
        library: What the model may be made of; the recorder of `run` fills it.
        spaces: The space as it changed, after `run`.
        seconds: When each trial that was trained here ended, in seconds from the beginning of `run`.
        stopped: Why the search ended before its budget, after `run`; None where nothing ended it.
    """

    def __init__(
        self,
        plan: SweepPlan,
        executor: "Workers | ExternalExecutor | Inline",
        observer: Observer,
        began: float,
        start: Sequence[Point] = (),
        steering: Steering | None = None,
        spaces: SpaceHistory | None = None,
    ) -> None:
        self._plan = plan
        self._executor = executor
        self._observer = observer
        self.study = create_study(plan, start)
        self.stopped: Stopped | None = None
        self.seconds: Mapping[int, float] = {}
        self._steering = steering or Steering()
        self.spaces = spaces or SpaceHistory(
            plan.space, widen=plan.spec.search.widen, direction=plan.objective.direction, say=observer.message
        )
        self._budget = search_budget(plan, self.study, began, timed=not self._steering.only)
        self._n_start = len(start)
        self.scheduler = create_scheduler(plan, self.study)
        self.library = Library(plan.objective.direction)
        self._announce()

    def run(
        self, recorder: Recorder, committed: Mapping[int, EndedTrial] | None = None, known: int = 0
    ) -> Mapping[int, TrialRecord]:
        """Search to the end of the budget and return all trials by number.

        Args:
            recorder: Where trials are written, and what goes into the library.
            committed: Trials that are known already; they are replayed instead of trained.
            known: How many trials an earlier process has begun, the committed ones among them.
        """
        plan = self._plan
        engine = EngineEvaluator(plan.task(), self._executor, trial_timeout=plan.spec.search.trial_timeout)
        evaluator: Evaluator = Replay(engine, committed, plan.fixed) if committed else engine
        if plan.race:
            evaluator = Race(evaluator, len(plan.dataset.folds()), len(plan.seeds), plan.objective.direction)
        search = Coordinator(
            self.study,
            plan.space,
            self.scheduler,
            evaluator,
            fixed=plan.fixed,
            recorder=recorder,
            observer=self._observer,
            batch_ended=RunningEnsemble(plan, self.library, recorder, self._observer).update,
            costs=plan.point_costs.known_costs.of if plan.point_costs is not None and plan.objective.counted else None,
        )
        # Nothing can come between the first trials, which have their numbers already.
        try:
            search.run(replace(self._budget, known=max(known, self._n_start)), self._steering, self.spaces)
        except NothingFits as error:
            raise UserError(
                f"[objective] limit: {error}; make it larger, or the space's smallest networks smaller"
            ) from error
        self.stopped = search.stopped
        # What was replayed tells nothing of how long it took.
        self.seconds = {
            number: seconds for number, seconds in search.seconds.items() if number not in (committed or {})
        }
        return search.trials

    def _announce(self) -> None:
        plan = self._plan
        outline = describe_search(plan, self.study, self.scheduler)
        expected, model = None, 0.0
        if plan.spec.search.minutes is None and plan.method is not None and plan.method.scheduler == "pruner":
            expected = forecast.seconds(plan.trial_operations * plan.expected_trials, len(self._executor)) or None
            if expected and plan.stops_early:
                expected *= forecast.MIDDLE_SHARE_OF_EPOCHS / forecast.SHARE_OF_EPOCHS
            model = forecast.seconds(plan.retraining_operations, len(self._executor))
            outline = [*outline, *forecast.duration(plan.operations, len(self._executor))]
        self._observer.started(
            SweepInfo(
                name=plan.spec.name,
                method=plan.spec.search.method,
                total=plan.total + self._steering.count,
                workers=len(self._executor),
                max_epochs=plan.max_epochs,
                metric=plan.objective.key,
                direction=plan.objective.direction,
                seconds=None if plan.spec.search.minutes is None else 60.0 * plan.spec.search.minutes,
                expected_seconds=expected,
                model_seconds=model,
                epochs_total=plan.spec.search.epochs_total,
                messages=(*self._executor.messages, *plan.dataset.messages, *outline),
            )
        )
