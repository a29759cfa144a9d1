"""A sweep file and its data, resolved into what the coordinator and the engine work with: the one place where they meet."""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..._text import counted
from ...core.cost import operations
from ...core.hyperparameters import BY_LAYER, CHANGEABLE, Hyperparameters
from ...core.metrics import METRICS
from ...core.structure import structure
from ...core.training import Fold
from ...search import METHODS, Space, ignores_history, pruner, resolve, sampler, scheduler, split_options
from ...search.schedulers import Scheduler
from ...search.spaces.dimensions import Choices, Range
from ...search.spaces.layers import configuration, layer_of
from ..config import Spec
from ..config.defaults import default_space
from ..data.dataset import Dataset, EncodedFold
from ..errors import UserError
from ..execution.engine import Task
from .coordinator import Budget
from .warm_start import check_points, fitting

if TYPE_CHECKING:
    import optuna

DEFAULT_TRIALS = 64
# Small enough that a searcher learns often, large enough that trials of one structure meet in a stack (see docs/batch-size.md).
DEFAULT_BATCH = 8
# Optuna's Hyperband finds a trial's bracket by a hash of this and the trial's number; a sweep under another name is the same sweep.
STUDY_NAME = "mlptune"
# A sampler that ignores history has no reason to wait for results; this only bounds the memory.
WINDOW = 256


def default_model(n_rows: int) -> dict[str, Any]:
    """The budget of a sweep whose [model] names no epochs: long enough for `n_rows` training rows, stopped when it no longer pays.

    A budget that a person has chosen is left as it is: nothing stops it early, and no schedule is added.
    """
    epochs = 100 if n_rows < 5000 else 50 if n_rows < 20000 else 30
    return {"epochs": epochs, "early_stopping": epochs // 5, "schedule": "cosine"}


@dataclass(frozen=True)
class Objective:
    """What a trial is judged by: the curve it is read from, its direction, and the engine's extra metric, if it is one."""

    key: str
    direction: Literal["maximize", "minimize"]
    metric: str | None

    @property
    def maximize(self) -> bool:
        return self.direction == "maximize"


class Problem:
    """Everything that follows from a sweep file and its data."""

    def __init__(self, spec: Spec, dataset: Dataset) -> None:
        self.spec = spec
        self.dataset = dataset
        n_rows = len(dataset.folds()[0].X)
        table = default_space(spec, n_rows, dataset.task) if spec.space is None else spec.space
        given = {**table, **spec.model}
        budget = {} if "epochs" in given or "preset" in given else default_model(n_rows)
        self.fixed = {**{name: value for name, value in budget.items() if name not in given}, **spec.model}
        self.space = _user_error(Space.parse, table, fixed=spec.model)
        self.objective = _objective(spec, dataset.task)
        self.searcher = _user_error(resolve, spec.search.method, spec.search.pruner)
        self.method = METHODS.get(spec.search.method)
        self._options = _user_error(split_options, self.searcher, spec.search.options)
        self._notes = self._keep_in_step() if self.method and self.method.in_step else []
        self._check_fixed()
        self.max_epochs = self._max_epochs()
        self._check_changes()
        self.total = self._total()
        if isinstance(spec.search.start, list):
            check_points(spec.search.start, self.space, self.total)

    def study(self, start: Sequence[Mapping[str, Any]] = ()) -> "optuna.Study":
        """A new study in memory, with the sampler and the pruner of the sweep; its first trials are those of `start`."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        proposer = _user_error(
            sampler,
            self.searcher.sampler,
            seed=self.spec.seed,
            space=self.space,
            trials=self.total,
            batch=self.spec.search.batch or DEFAULT_BATCH,
            cost=self.operations,
            **self._options[2],
        )
        stopper = _user_error(pruner, self.searcher.pruner, max_epochs=self.max_epochs, **self._options[1])
        study = optuna.create_study(
            study_name=STUDY_NAME, sampler=proposer, pruner=stopper, direction=self.objective.direction
        )
        for point in start:
            study.enqueue_trial(fitting(point, self.space))
        return study

    def scheduler(self, study: "optuna.Study") -> Scheduler:
        """The rule by which epochs are given to the trials of `study`."""
        made: Scheduler = _user_error(
            scheduler,
            self.searcher.scheduler,
            study,
            self.max_epochs,
            seed=self.spec.seed,
            space=self.space,
            changeable=self._changeable(),
            trials=self.total,
            **self._options[0],
        )
        return made

    def outline(self, study: "optuna.Study", rule: Scheduler) -> list[str]:
        """What a person is told of the search before it starts."""
        own = getattr(study.sampler, "outline", None)
        return [*self._notes, *(own(self.total) if own else []), *rule.outline(self.total)]

    def budget(self, study: "optuna.Study") -> Budget:
        """How much is asked at a time.

        Without a pruner, a sampler that ignores history needs no barrier: it is asked in windows, which a timeout keeps small.
        """
        batch = self.spec.search.batch or DEFAULT_BATCH
        if self.searcher[1:] == ("none", "pruner") and ignores_history(study.sampler):
            batch = WINDOW if self.spec.search.timeout is None else max(batch, 32)
        return Budget(self.total, batch, self.max_epochs, self.spec.search.timeout)

    def operations(self, params: Mapping[str, Any]) -> float:
        """Multiply-adds of training one network with these searched values for all its epochs; infinite where it cannot be."""
        fold = self.dataset.folds()[0]
        try:
            hp = Hyperparameters.from_config(configuration(params, self.fixed))
        except ValueError:
            return math.inf
        sizes = {"n_inputs": fold.X.shape[1], "n_outputs": fold.target.n_outputs, "n_rows": len(fold.X)}
        return float(hp.epochs * operations(structure(hp, loss=self.loss, **sizes)))

    def task(self) -> Task:
        """The folds in the engine's arrays, and how they are scored."""
        folds = self.dataset.folds()
        return Task(
            folds=tuple(as_fold(fold) for fold in folds),
            fingerprint=self.dataset.fingerprint,
            loss=self.loss,
            n_outputs=folds[0].target.n_outputs,
            seeds=self.seeds,
            order_seed=self.spec.seed,
            objective=self.objective.key,
            metrics=(self.objective.metric,) if self.objective.metric else (),
            scale=tuple(fold.target.scale for fold in folds),
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """The same for every trial, so that trials differ by their configuration alone."""
        return tuple(self.spec.seed + i for i in range(self.spec.data.seeds))

    @property
    def loss(self) -> str:
        if self.dataset.classes is None:
            return "squared_error"
        return "log_loss" if len(self.dataset.classes) == 2 else "cross_entropy"

    def _check_fixed(self) -> None:
        """Refuse a [model] whose values contradict each other, whatever is searched besides."""
        fixed = self.fixed
        if any(name in ("hidden", "layers") or layer_of(name) for name in self.space):
            # How the layers look is searched, so lists of choices by layer fit or not trial by trial.
            fixed = {
                name: value
                for name, value in fixed.items()
                if name != "layers" and not layer_of(name) and not (name in BY_LAYER and isinstance(value, list))
            }
        try:
            Hyperparameters.from_config(configuration({}, fixed))
        except ValueError as error:
            # A contradiction with a default that the search replaces is none; such trials fail one by one, if they do.
            if not any(name in str(error) for name in (*self.space, "layers")):
                raise UserError(f"[model] {error}") from error

    def _check_changes(self) -> None:
        """Refuse a change after the last epoch, which no trial would ever see."""
        for epoch, _ in self.fixed.get("changes", ()):
            if epoch > self.max_epochs:
                raise UserError(f"[model] changes: epoch {epoch} is never trained, the last one is {self.max_epochs}")

    def _keep_in_step(self) -> list[str]:
        """Have every trial train to its last epoch; the answer says what of the sweep file that puts out of force."""
        method, told = self.spec.search.method, []
        if self.spec.search.timeout is not None:
            told.append("timeout acts between populations, never inside one")
        if self.spec.search.batch is not None:
            told.append(
                f"batch = {self.spec.search.batch} is not used: search.options.population says who trains together"
            )
        if "changes" in self.fixed:
            raise UserError(f"[model] changes: method {method} makes the changes itself; leave them out")
        for name in ("early_stopping", "tolerance"):
            if name in self.space:
                raise UserError(f"[space] {name}: cannot be searched by {method}, which trains all to the last epoch")
            if self.fixed.get(name):
                self.fixed[name] = 0
                if name in self.spec.model:
                    told.append(f"{name} is off: under method {method} all trials train to the last epoch")
        return told

    def _changeable(self) -> tuple[str, ...]:
        """The hyperparameters that may change during training, whatever values a trial begins with."""
        momentum = self.space.dimensions.get("momentum")
        if isinstance(momentum, Choices):
            stays = 0 in momentum.values
        else:
            stays = momentum is not None and momentum.low == 0 and momentum.step is not None
        # Without a momentum from the start there is no slot for one.
        return tuple(name for name in CHANGEABLE if name != "momentum" or not stays)

    def _max_epochs(self) -> int:
        if "epochs" not in self.space:
            # A preset may name them.
            named: dict[str, Any] = {name: self.fixed[name] for name in ("epochs", "preset") if name in self.fixed}
            return Hyperparameters.from_config(named).epochs
        if self.searcher[1:] != ("none", "pruner"):
            raise UserError("[space] epochs: cannot be searched together with a pruner, whose budget is [model] epochs")
        dimension = self.space.dimensions["epochs"]
        return int(dimension.last if isinstance(dimension, Range) else max(dimension.values))

    def _total(self) -> int:
        trials = self.spec.search.trials
        if not len(self.space):
            return 1
        if self.searcher.sampler != "grid":
            return trials or DEFAULT_TRIALS
        size = _user_error(self.space.grid_size)
        if trials is not None and size > trials and not self.spec.search.partial:
            raise UserError(
                f"[search] trials: the grid has {size} points, more than {counted(trials, 'trial')}; "
                f"allow them with trials = {size}, or set partial = true for the first {trials}"
            )
        return min(size, trials or size)


def as_fold(fold: EncodedFold) -> Fold:
    return Fold(fold.X, fold.y, fold.weight, fold.X_val, fold.y_val, fold.weight_val)


def _objective(spec: Spec, task: str) -> Objective:
    name, direction = spec.objective.metric, spec.objective.direction
    metric = None
    natural: Literal["maximize", "minimize"]
    if name == "val_score":
        natural = "maximize"
    elif name == "val_loss":
        natural = "minimize"
    else:
        plain = name.removeprefix("val_")
        fitting = [key for key, entry in METRICS.items() if task in entry.tasks]
        if plain not in fitting:
            close = difflib.get_close_matches(plain, fitting, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are val_score, val_loss, {', '.join(fitting)}"
            raise UserError(f"[objective] metric: {name!r} is no metric for {task}; {hint}")
        natural, metric, name = METRICS[plain].direction, plain, f"val_{plain}"
    return Objective(name, natural if direction == "auto" else direction, metric)


def _user_error(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function of another room; what it refuses is the person's sweep file."""
    try:
        return function(*args, **kwargs)
    except ValueError as error:
        raise UserError(str(error)) from error
