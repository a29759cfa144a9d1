"""The least and the greatest that something is over a search space, such as the size of a network."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...search.spaces.dimensions import Choices, Range
from ...search.spaces.space import Space
from . import forecast

Measure = Callable[[Mapping[str, Any]], float | None]


def extreme(space: Space, measure: Measure, sign: int) -> dict[str, Any] | None:
    """The point with the least (`sign` -1) or the greatest (1) measure; None where no values that were tried go together.

    One hyperparameter after the other takes the best of its values, twice: each of them makes a network larger or smaller whatever
    the others are, but for those that need another one (embedding_sigma, units_2), which are settled in the second round.

    Args:
        space: What is searched.
        measure: Of a point; None where there is none.
        sign: Which way.
    """
    point = {name: forecast.middle(dimension, -1) for name, dimension in space.dimensions.items()}
    best = measure(point)
    for name in [*space, *space]:
        for value in _ends(space.dimensions[name]):
            found = measure({**point, name: value})
            if found is not None and (best is None or sign * found > sign * best):
                best, point[name] = found, value
    return None if best is None else point


def _ends(dimension: Range | Choices) -> Iterator[Any]:
    if isinstance(dimension, Choices):
        yield from dimension.values
    else:
        yield dimension.low
        yield dimension.last
