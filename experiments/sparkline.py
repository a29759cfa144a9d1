"""A curve as a few characters of one line, for a terminal and for what a notebook shows while a sweep runs."""

import itertools
import math
from collections.abc import Sequence

BLOCKS, ASCII = "▁▂▃▄▅▆▇█", "_.-~=+*#"


def levels_for(encoding: str | None) -> str:
    """The characters from low to high that a stream of this encoding can show."""
    try:
        BLOCKS.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS


def sparkline(values: Sequence[float], width: int, levels: str = BLOCKS) -> str:
    """The values in `width` characters at most, each the mean of those that it stands for; a space where none is finite."""
    count = min(max(width, 0), len(values))
    ends = [round(i * len(values) / count) for i in range(count + 1)] if count else []
    means = [_mean(values[first:last]) for first, last in itertools.pairwise(ends)]
    known = [mean for mean in means if mean is not None]
    if not known:
        return ""
    if math.isinf(max(known) - min(known)):  # their distance is no float
        means = [None if mean is None else mean / 4 for mean in means]
        known = [mean for mean in means if mean is not None]
    low, span = min(known), max(known) - min(known)
    top = len(levels) - 1
    places = [None if mean is None else (mean - low) / span if span else 0.5 for mean in means]
    return "".join(" " if place is None else levels[round(place * top)] for place in places)


def _mean(values: Sequence[float]) -> float | None:
    """The mean of what is finite; by the halves of the values, whose sum need not be."""
    finite = [value for value in values if math.isfinite(value)]
    return math.fsum(value / len(finite) for value in finite) if finite else None
