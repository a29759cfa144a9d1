"""`--around best`: a new launch of a sweep whose ranges are narrowed around the best configuration that there is.

Half of each range's length is kept, on its own scale, with the best value in the middle, or against the end near which it stands.
A prior gives way to the best value. Choices stay, and so does `layers`, on which the names of units are built. What comes out are
ordinary changes of the sweep file, so the new launch has the narrow space in its stored file.
"""

import math
from collections.abc import Mapping
from typing import Any

from ..search.spaces.dimensions import Range
from ..tracking import reader
from .config import Spec
from .errors import UserError
from .launches import choose
from .ranking import best_of_launch

KEPT = 0.5
"""How much of a range's length is kept."""

_FIXED = ("layers",)


def narrowed(spec: Spec, around: str, uri: str) -> dict[str, Any]:
    """The changes of a sweep file, by dotted keys, that narrow its space around the best trial of its newest finished launch.

    Raises UserError where there is no such launch, and for a sweep without ranges of its own.
    """
    if around != "best":
        raise UserError(f"--around: must be best, not {around[:40]!r}")
    space = spec.parsed_space
    ranges = (
        {} if space is None else {n: d for n, d in space.dimensions.items() if isinstance(d, Range) and n not in _FIXED}
    )
    if not ranges:
        raise UserError("--around: the sweep file has no [space] with ranges to narrow; `mlptune init` writes one out")
    best = _best(spec.name, uri)
    changes: dict[str, Any] = {}
    for name, dimension in ranges.items():
        value = best.get(name)
        if isinstance(value, int | float) and dimension.low <= value <= dimension.last:
            low, high = near(dimension, value)
            changes |= {f"space.{name}.low": low, f"space.{name}.high": high}
            if dimension.prior is not None:
                changes[f"space.{name}.prior"] = min(max(value, low), high)
    if not changes:
        raise UserError(f"--around: the best of {spec.name} lies outside of every range of [space]")
    return changes


def near(dimension: Range, value: float) -> tuple[int | float, int | float]:
    """The bounds of the part of a range that lies around one of its values."""
    log, low, high = dimension.log, float(dimension.low), float(dimension.last)
    if high <= low:
        return dimension.low, dimension.high
    start, end = (math.log(low), math.log(high)) if log else (low, high)
    length = KEPT * (end - start)
    middle = math.log(value) if log else float(value)
    first = min(max(middle - length / 2, start), end - length)
    bounds = (math.exp(first), math.exp(first + length)) if log else (first, first + length)
    return _rounded(dimension, bounds[0], up=False), _rounded(dimension, bounds[1], up=True)


def _rounded(dimension: Range, bound: float, *, up: bool) -> int | float:
    """A bound that the range can have: outwards to a whole number or a whole step, else to a few digits; never outside."""
    if dimension.step is not None:
        steps = (bound - dimension.low) / dimension.step
        whole = math.ceil(steps - 1e-9) if up else math.floor(steps + 1e-9)
        return min(dimension.decode(dimension.low + whole * dimension.step), dimension.last)
    if dimension.integer:
        return min(max(math.ceil(bound - 1e-9) if up else math.floor(bound + 1e-9), dimension.low), dimension.high)
    bound = dimension.short(bound)
    return min(max(bound, dimension.low), dimension.high)


def _best(name: str, uri: str) -> Mapping[str, Any]:
    """What the best trial of the newest finished launch was searched with."""
    try:
        launch = choose(uri, name).launch
    except reader.NotFound as error:
        raise UserError(f"--around: {error}") from error
    if launch.state != "finished":
        raise UserError(f"--around: no launch of {name} is finished; `mlptune continue {name}` goes on with it")
    trials = reader.trials(uri, launch.run_id, rebuild=False)
    best = best_of_launch(launch, trials)
    if best is None:
        raise UserError(f"--around: {name} has no best trial")
    return {**best.params, **(best.configuration or {})}
