"""The rule of one hyperparameter: which values it may take, what it means, and the check that a value follows it."""

import dataclasses
import math
import numbers
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from .._text import nearest

Kind = Literal["int", "float", "bool", "choice", "sizes", "changes"]


@dataclass(frozen=True)
class Parameter:
    """A row of the table of hyperparameters.

    `about` describes it in a sentence or two. Ranges include `low` unless `above`, and `high` unless `below`.
    `structural`: it belongs to the key by which networks share a stack (it changes shapes or code); the others only
    scale numbers and may differ inside a stack. `by_layer`: a list with one value for each hidden layer is allowed
    too. `changeable`: it acts in each step or epoch, so that it may change during training. A choice is a name in
    `table`, which may grow, or one of `also`. `parse` reads values of the kind "changes".
    """

    name: str
    kind: Kind
    default: Any
    about: str = ""
    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False
    optional: bool = False
    table: Collection[str] = ()
    also: tuple[str, ...] = ()
    structural: bool = False
    by_layer: bool = False
    changeable: bool = False
    parse: Callable[[Any], Any] | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """The names that a choice may be."""
        return (*self.also, *self.table)

    @property
    def rule(self) -> str:
        """The rule in words, as error messages give it."""
        listed = ", or a list with one for each hidden layer" if self.by_layer else ""
        if self.kind == "choice":
            return "must be one of " + ", ".join(self.choices) + listed
        if self.kind == "bool":
            return "must be true or false" + listed
        if self.kind == "sizes":
            return "must be a list of whole numbers, each at least 1"
        if self.kind == "changes":
            return "must be a list of [epoch, {name: value}], with epochs that ascend from at least 2"
        bounds = []
        if self.low is not None:
            bounds.append(f"{'above' if self.above else 'at least'} {self.low:g}")
        if self.high is not None:
            bounds.append(f"{'below' if self.below else 'at most'} {self.high:g}")
        noun = "a whole number" if self.kind == "int" else "a number"
        return f"must be {noun} {' and '.join(bounds)}".rstrip() + (" or None" if self.optional else "")

    def check(self, value: Any) -> Any:
        """The value as a plain Python object of the parameter's type; ValueError if it breaks the rule."""
        if value is None and self.optional:
            return None
        if self.by_layer and isinstance(value, (list, tuple)):
            single = replace(self, by_layer=False)
            return tuple(single.check(item) for item in value)
        plain = self._plain(value)
        if plain is None:
            raise ValueError(f"{self.name} {self.rule}, got {value!r}{self._nearest(value)}")
        return plain

    def _plain(self, value: Any) -> Any:
        """The value as a plain Python object, or None if it breaks the rule."""
        if self.kind == "bool":
            return bool(value) if type(value).__name__ in ("bool", "bool_") else None
        if self.kind == "choice":
            return str(value) if isinstance(value, str) and value in self.choices else None
        if self.kind == "sizes":
            return _as_sizes(value)
        if self.kind == "changes":
            return None if self.parse is None else self.parse(value)
        if self.kind == "int":
            return int(value) if is_integer(value) and self._is_inside(int(value)) else None
        if isinstance(value, numbers.Real) and not isinstance(value, bool):
            number = float(value)
            return number if math.isfinite(number) and self._is_inside(number) else None
        return None

    def _is_inside(self, number: float) -> bool:
        low_holds = self.low is None or number > self.low or (number == self.low and not self.above)
        high_holds = self.high is None or number < self.high or (number == self.high and not self.below)
        return low_holds and high_holds

    def _nearest(self, value: Any) -> str:
        if self.kind != "choice" or not isinstance(value, str):
            return ""
        return nearest(value, self.choices)


def parameter(default: Any, kind: Kind, **rule: Any) -> Any:
    """A dataclass field with this default that is a row of the table: its metadata holds the rule."""
    row = Parameter(name="", kind=kind, default=default, **rule)
    return dataclasses.field(default=default, metadata={"parameter": row})


def rows(table: type) -> dict[str, Parameter]:
    """The rows of a dataclass whose fields are made by `parameter`, by name."""
    return {field.name: replace(field.metadata["parameter"], name=field.name) for field in dataclasses.fields(table)}


def is_integer(value: Any) -> bool:
    """Whether it is a whole number of any type, Python's or NumPy's; true and false are not."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _as_sizes(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes, Mapping)):
        return None
    sizes = tuple(value)
    if not all(is_integer(size) and size >= 1 for size in sizes):
        return None
    return tuple(int(size) for size in sizes)
