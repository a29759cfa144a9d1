"""What `mlptune best --where` asks of a trial: comparisons of its metrics with numbers, and nothing that is ever evaluated as code.

The grammar: NAME OP NUMBER, several of them joined by `and`; OP is <, <=, >, >= or ==.
"""

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from .._text import hint
from .errors import UserError

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
_COMPARISON = re.compile(r"\s*([A-Za-z_]\w*)\s*(<=|>=|==|<|>)\s*(\S+)\s*")


@dataclass(frozen=True)
class Condition:
    """One comparison."""

    name: str
    sign: str
    number: float

    def holds(self, values: Mapping[str, float]) -> bool:
        """Whether it is true of these values; not of a trial that has none of this name."""
        return self.name in values and _OPERATORS[self.sign](values[self.name], self.number)


def parse(text: str, names: Collection[str]) -> list[Condition]:
    """The conditions of a text such as `operations < 1e5 and val_score >= 0.9`, all of which must hold.

    Raises:
        UserError: For anything that is not in the grammar, and for a name that is not among `names`.
    """
    found = []
    for part in re.split(r"\band\b", text):
        match = _COMPARISON.fullmatch(part)
        if match is None:
            raise UserError(
                f'where: {part.strip()[:60]!r} is not NAME < NUMBER, as in "operations < 1e5 and bytes <= 4000"'
            )
        name, sign, number = match.groups()
        if name not in names:
            raise UserError(f"where: {name!r} is not a metric here{hint(name, names)}")
        found.append(Condition(name, sign, _number(number)))
    return found


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise UserError(f"where: {text[:60]!r} is not a number")
    return number
