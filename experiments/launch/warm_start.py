"""Warm start: the configurations that a sweep tries first: given in its file, the best of another sweep, or the default space's.

They become the first trials, in the order given; what a configuration leaves open, the sampler adds. What the sweep file does not
give itself is written down with the launch, so that a resume tries the same ones, whatever has become of that other sweep, and
with whatever version of mlptune.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..._text import counted, hint
from ...search.spaces.space import Space
from ...tracking import reader, schema
from ...tracking.records import LaunchRecord
from ..errors import UserError
from ..launches import choose
from ..ranking import ranked
from .point_costs import PointCosts

MOST = 5
"""How many of another sweep's best are tried."""

Point = Mapping[str, Any]


def start_points(
    start: str | Sequence[Point] | None,
    space: Space,
    total: int,
    uri: str,
    earlier: LaunchRecord | None,
    costs: PointCosts | None = None,
    default: Sequence[Point] = (),
) -> list[Point]:
    """The configurations to try first, as they are searched.

    Args:
        start: `[search] start` of the sweep file, which holds them or names a sweep whose best are taken.
        space: What is searched.
        total: The number of trials.
        uri: The store's address.
        earlier: The launch that is resumed, whose own record of the configurations then counts.
        costs: What is over its limits is not taken from another sweep.
        default: Those of a new sweep whose file says nothing of them.

    Raises:
        UserError: If the other sweep does not exist or none of its trials fits into the space.
    """
    if start is not None and not isinstance(start, str):
        return list(start)
    if earlier is not None and schema.START in earlier.tags:
        taken: list[Point] = reader.launch_data(uri, earlier, schema.START)
        return taken
    if start is not None:
        return best_of(start, space, uri, costs)[:total]
    return list(default) if earlier is None else []


def start_tag(start: str | Sequence[Point] | None, points: Sequence[Point]) -> dict[str, str]:
    """The tag that records the `points` to try first, where there are some that the sweep file does not give itself."""
    return {schema.START: json.dumps(points)} if points and (start is None or isinstance(start, str)) else {}


def check_points(
    points: Sequence[Point], space: Space, total: int, over: Callable[[Point], str | None] | None = None
) -> None:
    """Raise UserError for a configuration that is not in the space, or for more than there are trials.

    `over` says what of a complete configuration is over a limit; what is left open the sampler adds, within it.
    """
    for i, point in enumerate(points, 1):
        try:
            encode_start_point(point, space)
        except ValueError as error:
            raise UserError(f"[search] start: configuration {i}: {error}") from None
        beyond = over(point) if over is not None and is_complete(point, space) else None
        if beyond is not None:
            raise UserError(f"[search] start: configuration {i}: {beyond}")
    if len(points) > total:
        raise UserError(f"[search] start: {len(points)} configurations, but trials = {total}")


def is_complete(point: Point, space: Space) -> bool:
    """Whether a configuration leaves nothing open."""
    if "layers" in space and "layers" not in point:
        return False
    return all(name in point for name in space if space.active(name, point))


def encode_start_point(point: Point, space: Space) -> dict[str, Any]:
    """A configuration as Optuna stores it. Raises ValueError for what the space does not have."""
    for name in point:
        if name not in space:
            raise ValueError(f"{name!r} is not searched{hint(name, space)}")
    stored = space.encode(point)
    if "layers" in point:
        idle = next((name for name in point if not space.active(name, point)), None)
        if idle is not None:
            raise ValueError(f"{idle}: is not part of a network of {counted(point['layers'], 'layer')}")
    return stored


def fits(point: Point, space: Space, costs: PointCosts | None) -> bool:
    """Whether a configuration is in the space and, as far as it is known, within its limits."""
    try:
        encode_start_point(point, space)
    except ValueError:
        return False
    return costs is None or not is_complete(point, space) or costs.over(point) is None


def best_of(name: str, space: Space, uri: str, costs: PointCosts | None = None) -> list[Point]:
    """The best complete trials of the launch that `name` means, without what is not searched here, each once."""
    try:
        launch = choose(uri, name).launch
    except reader.NotFound as error:
        raise UserError(f"[search] start: {error}") from error
    trials = reader.trials(uri, launch.run_id, rebuild=False)
    found: list[Point] = []
    for trial in ranked(trials, launch.direction):
        # A trial that has copied another one's network owes its value to that one's configuration.
        values = {**trial.params, **(trial.configuration or {})} if trial.copied else trial.params
        point = {key: value for key, value in values.items() if key in space}
        if point and point not in found and fits(point, space, costs):
            found.append(point)
    if not found:
        raise UserError(f"[search] start: no complete trial of {name!r} fits the search space")
    return found[:MOST]
