"""A configuration that the user wants tried: made complete, and refused where the sweep cannot try it.

What it leaves open is as in the best trial so far, since to try something is to change one thing; before there is a best trial the
sampler adds it.
"""

from collections.abc import Mapping
from typing import Any

from ...search.spaces.layers import layer_of
from ...search.spaces.space import Space
from ...tracking import reader
from ...tracking.records import LaunchRecord
from ..errors import UserError
from ..ranking import best_trial
from ..space_changes import loads
from .plan import SweepPlan
from .point_costs import PointCosts
from .space_history import SpaceHistory
from .warm_start import Point, encode_start_point, is_complete


def as_tried(point: Point, plan: SweepPlan, launch: LaunchRecord, uri: str) -> dict[str, Any]:
    """The complete configuration of a trial by hand in a launch.

    Raises UserError for one that is not in the space, and where the method takes none.
    """
    if not takes_by_hand(plan):
        raise UserError(
            f"method {plan.spec.search.method} plans all its trials itself; none can be tried by hand, "
            "but [search] start gives a new sweep its first ones"
        )
    space = SpaceHistory(plan.space, loads(launch.space_changes)).latest
    given = _by_layer(point, space)
    _check(given, space)
    best = best_trial(reader.trials(uri, launch.run_id, rebuild=False), plan.objective.direction)
    complete = {**(best.params if best is not None else {}), **given}
    complete = {name: value for name, value in complete.items() if space.active(name, complete)}
    _check(complete, space)
    beyond = _beyond(complete, space, plan.point_costs)
    if beyond is not None:
        raise UserError(f"[objective] limit: {beyond}")
    return {name: complete[name] for name in space if name in complete}


def takes_by_hand(plan: SweepPlan) -> bool:
    """Whether a trial can join that the searcher has not proposed: under a scheduler of its own, and in a grid, it cannot."""
    return not plan.searcher.own_scheduler and not plan.searcher.enumerates and len(plan.space) > 0


def fits(point: Point, space: Space, costs: PointCosts | None = None) -> bool:
    """Whether a configuration is in the space, and within the limits that `costs` knows."""
    try:
        encode_start_point(point, space)
    except (ValueError, TypeError):
        return False
    return _beyond(point, space, costs) is None


def _beyond(point: Point, space: Space, costs: PointCosts | None) -> str | None:
    """What of a configuration is over a limit; of one that is not complete the sampler adds what fits."""
    return costs.over(point) if costs is not None and is_complete(point, space) else None


def _check(point: Point, space: Space) -> None:
    try:
        encode_start_point(point, space)
    except ValueError as error:
        raise UserError(str(error)) from None


def _by_layer(point: Point, space: Space) -> Mapping[str, Any]:
    """`hidden = [64, 32]` as layers and units, where the space has those."""
    hidden = point.get("hidden")
    if "hidden" in space or not isinstance(hidden, list) or not any(layer_of(name) for name in space):
        return point
    units = {f"units_{i}": size for i, size in enumerate(hidden, 1)}
    rest = {name: value for name, value in point.items() if name != "hidden"}
    return {**({"layers": len(hidden)} if "layers" in space else {}), **units, **rest}
