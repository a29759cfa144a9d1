"""How much a sweep searches: how many trials, to which epoch, and on which share of the rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ...core.hyperparameters import Hyperparameters
from ...search.samplers.grid import points_within
from ...search.searcher import Searcher
from ...search.spaces.dimensions import Range
from ...search.spaces.space import Space
from ..config import Spec
from ..config.defaults import DEFAULT_TRIALS
from ..config.schema import SearchConfig
from ..data.dataset import Dataset
from ..errors import UserError
from . import forecast
from .point_costs import PointCosts
from .race import share_of_networks

# More trials than any budget in minutes has time for.
TIMED_TRIALS = 10_000


@dataclass(frozen=True)
class Extent:
    """How much is searched.

    Attributes:
        max_epochs: Epochs of a trial that runs to its end, at most.
        total: How many trials.
        trial_operations: Multiply-adds of one trial, roughly (see `forecast`).
        subset: The share of the rows on which trials train, where it was chosen for the sweep to fit its time; else None.
        notes: What the user should know of that.
    """

    max_epochs: int
    total: int
    trial_operations: float
    subset: float | None = None
    notes: tuple[str, ...] = ()


def extent_of(
    spec: Spec,
    dataset: Dataset,
    searcher: Searcher,
    space: Space,
    fixed: Mapping[str, Any],
    loss: str,
    costs: PointCosts | None,
) -> Extent:
    """How much a sweep searches of `space`, which costs so much.

    A sweep of which nothing was said, neither its space nor its length, is cut to what it may take: it has fewer trials, or they
    train on a part of the rows.

    Raises:
        UserError: If a change of the hyperparameters comes after the last epoch, or a limit leaves nothing of a grid.
    """
    max_epochs = _max_epochs(fixed, space)
    _check_changes(fixed, max_epochs)
    total = _total(spec.search, searcher, space, costs)
    operations = forecast.trial_operations(dataset, space, fixed, loss, spec.data.seeds)
    if spec.search.race:
        operations *= share_of_networks(len(dataset.folds()))
    if spec.space is not None or searcher.own_scheduler or _has_length(spec.search):
        return Extent(max_epochs, total, operations)
    total, share = _affordable(spec, dataset, total, operations)
    if share == 1.0 or "subset" in fixed:
        return Extent(max_epochs, total, operations)
    return Extent(
        max_epochs, total, operations * share, share, (_cut_to(share, timed=spec.search.minutes is not None),)
    )


def refits_members(spec: Spec, dataset: Dataset) -> bool:
    """Whether the members of the model are trained on all rows too: with one validation part, where there is time."""
    wanted = spec.objective.refit and spec.objective.ensemble > 0 and spec.search.minutes is None
    return wanted and len(dataset.folds()) == 1


def rows_of_refit(dataset: Dataset) -> float:
    """How many times the rows of a trial a refit has."""
    arrays = dataset.folds()[0].arrays
    return 1.0 + (0 if arrays.X_val is None else len(arrays.X_val)) / len(arrays.X)


def _max_epochs(fixed: Mapping[str, Any], space: Space) -> int:
    if "epochs" in space:
        dimension = space.dimensions["epochs"]
        return int(dimension.last if isinstance(dimension, Range) else max(dimension.values))
    # A preset may give them.
    given: dict[str, Any] = {name: fixed[name] for name in ("epochs", "preset") if name in fixed}
    return Hyperparameters.from_config(given).epochs


def _check_changes(fixed: Mapping[str, Any], max_epochs: int) -> None:
    """Refuse a change after the last epoch, which no trial would ever see."""
    for epoch, _ in fixed.get("changes", ()):
        if epoch > max_epochs:
            raise UserError(f"[model] changes: epoch {epoch} is never trained, the last one is {max_epochs}")


def _has_length(search: SearchConfig) -> bool:
    """Whether the sweep file says in trials, seconds or epochs how long the search is."""
    return any(given is not None for given in (search.trials, search.timeout, search.epochs_total))


def _total(search: SearchConfig, searcher: Searcher, space: Space, costs: PointCosts | None) -> int:
    if not len(space):
        return 1
    if not searcher.enumerates:
        # Where their number is not needed, they are asked until the time is over.
        if searcher.needs_total:
            return search.trials or DEFAULT_TRIALS
        limits = [TIMED_TRIALS] if search.minutes is not None else []
        limits += [min(TIMED_TRIALS, search.epochs_total)] if search.epochs_total is not None else []
        return search.trials or min(limits, default=DEFAULT_TRIALS)
    size = space.grid_size()
    if costs is not None and costs.limit:
        n_points = len(list(islice(points_within(space, costs.known_costs), search.trials)))
        if not n_points:
            raise UserError("[objective] limit: no point of the grid is within it")
        return n_points
    return min(size, search.trials or size)


def _affordable(spec: Spec, dataset: Dataset, total: int, operations: float) -> tuple[int, float]:
    """How many trials of the default space there are, and on which share of the rows they train."""
    if spec.search.minutes is None:
        refit = rows_of_refit(dataset) if refits_members(spec, dataset) else 0.0
        return forecast.affordable(operations, total, refit=refit)
    budget = 60.0 * spec.search.minutes * 2 * forecast.OPERATIONS_A_SECOND
    # When the time is over, nothing is trained again.
    _, share = forecast.affordable(operations, forecast.FEWEST_IN_TIME, budget, forecast.FEWEST_IN_TIME, members=0)
    return total, share


def _cut_to(share: float, *, timed: bool) -> str:
    members = forecast.member_share(share)
    rest = f"{members:.0%}" if members < 1.0 else "all"
    of_model = "so do the members of the model" if timed else f"the model's members train on {rest}"
    return f"trials train on {share:.0%} of the rows, to fit the time; {of_model}"
