"""How much better one launch is than another, and whether that is more than noise."""

import math
from dataclasses import dataclass

from ..tracking import schema
from ..tracking.records import LaunchRecord
from .ranking import sign_of


@dataclass(frozen=True)
class Difference:
    """By how much one launch is better than another.

    Attributes:
        value: Above 0 where the first one is the better one, in the metric's own unit.
        of: What was compared: `expected` scores of the models, or the `best` trials' values.
        beyond_noise: Whether the intervals of the two expected scores allow for it; None without intervals.
    """

    value: float
    of: str
    beyond_noise: bool | None


def same_question(one: LaunchRecord, other: LaunchRecord) -> bool:
    """Whether the scores of two launches mean the same: the same rows, split alike, and the same metric."""
    keys = (schema.DATA, schema.METRIC, schema.DIRECTION)
    return all(one.tags.get(key) == other.tags.get(key) for key in keys)


def difference(one: LaunchRecord, other: LaunchRecord) -> Difference | None:
    """By how much `one` is better; None where the two cannot be compared.

    It is beyond noise where it is larger than sqrt(a^2 + b^2), with a and b the halves of the two 95 % intervals that point to the
    other score: the interval of a difference of independent errors. Both are measured on the same rows, so their errors go
    together, and the truth is rather more certain than this says.
    """
    if not same_question(one, other):
        return None
    sign = sign_of(one.direction)
    if one.expected is not None and other.expected is not None:
        gap = one.expected["score"] - other.expected["score"]
        down, up = ("low", "high") if gap > 0 else ("high", "low")
        noise = math.hypot(one.expected["score"] - one.expected[down], other.expected[up] - other.expected["score"])
        return Difference(sign * gap, "expected", abs(gap) > noise)
    if one.best is None or other.best is None or one.best.value is None or other.best.value is None:
        return None
    return Difference(sign * (one.best.value - other.best.value), "best", None)
