"""One searched hyperparameter: a range of numbers or a list of choices, checked when it is parsed."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..._text import hint, nearest

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

_RANGE_KEYS = ("low", "high", "log", "step", "points", "prior")


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; integers if both bounds are.

    `step` counts from `low`: the last value is the largest that a whole number of steps reaches. `points` is the
    number of values of a grid (evenly spaced, on a log scale if `log`); other samplers ignore it. `prior` is the value near
    which good ones are expected.
    """

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None
    points: int | None = None
    prior: int | float | None = None

    @property
    def integer(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    @cached_property
    def _steps(self) -> int:
        """The number of whole steps between the bounds, in decimal arithmetic: 0.3 is three steps of 0.1."""
        assert self.step is not None
        return int((Decimal(str(self.high)) - Decimal(str(self.low))) // Decimal(str(self.step)))

    @cached_property
    def last(self) -> int | float:
        """The largest value that can be sampled: `high`, unless `step` does not divide the range."""
        return self.high if self.step is None else self._at(self._steps)

    def _at(self, steps: int) -> int | float:
        value = Decimal(str(self.low)) + steps * Decimal(str(self.step))
        return int(value) if self.integer else float(value)

    def short(self, bound: float) -> float:
        """A bound near this one, with as few digits as a thousandth of the range's length leaves it."""
        if self.log:
            length = math.log(self.high / self.low)
            return float(f"{bound:.{3 + max(0, -math.floor(math.log10(length)))}g}")
        return round(bound, 3 - math.floor(math.log10(self.high - self.low)))

    def stepped(self, end: str, steps: int) -> int | float:
        """A bound, so many whole steps further out."""
        assert self.step is not None
        out = steps * Decimal(str(self.step))
        value = Decimal(str(self.low)) - out if end == "low" else Decimal(str(self.high)) + out
        return int(value) if self.integer else float(value)

    def table(self) -> dict[str, Any]:
        table: dict[str, Any] = {"low": self.low, "high": self.high}
        if self.log:
            table["log"] = True
        for key, value in (("step", self.step), ("points", self.points), ("prior", self.prior)):
            if value is not None:
                table[key] = value
        return table

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.integer:
            return IntDistribution(int(self.low), int(self.last), log=self.log, step=int(self.step or 1))
        with self._quietly():
            return FloatDistribution(float(self.low), float(self.last), log=self.log, step=self.step)

    def suggest(self, trial: BaseTrial, name: str) -> int | float:
        if self.integer:
            return trial.suggest_int(name, int(self.low), int(self.last), log=self.log, step=int(self.step or 1))
        with self._quietly():
            return trial.suggest_float(name, float(self.low), float(self.last), log=self.log, step=self.step)

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Silence Optuna's warning of a step that does not divide the range where that is only rounding of the last digit."""
        if self.step is None or Decimal(str(self.last)) == Decimal(str(self.low)) + self._steps * Decimal(
            str(self.step)
        ):
            yield
            return
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*the range is not divisible by `step`")
            yield

    def decode(self, value: Any) -> int | float:
        if self.step is not None:  # 0.3 and not 0.30000000000000004
            return self._at(round((value - self.low) / self.step))
        return int(value) if self.integer else float(value)

    def encode(self, value: Any, name: str) -> int | float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not self.low <= value <= self.last:
            raise ValueError(f"{name}: {value!r} is not in the range {self.low} to {self.last}")
        if self.integer and value != int(value):
            raise ValueError(f"{name}: {value!r} is not an integer")
        return int(value) if self.integer else float(value)

    def grid(self, name: str) -> list[int | float]:
        """The values of the grid, ascending, each once."""
        if self.low == self.high:
            return [self.low]
        if self.points is not None:
            return self._cut(self.points)
        if self.step is not None:
            return [self._at(i) for i in range(self._steps + 1)]
        if self.integer:
            return list(range(int(self.low), int(self.high) + 1))
        raise ValueError(
            f"space.{name}: a grid needs points = 3 (or a step) to cut the range {self.low} to {self.high}"
        )

    def _cut(self, points: int) -> list[int | float]:
        cuts = []
        for i in range(points):
            share = i / (points - 1)
            if self.log:
                cut = math.exp((1 - share) * math.log(self.low) + share * math.log(self.high))
            else:
                cut = (1 - share) * self.low + share * self.high
            cut = float(f"{cut:.12g}")  # 0.001 and not 0.0009999999999999998, which is what users see
            cuts.append(min(max(round(cut) if self.integer else cut, self.low), self.high))
        cuts[0], cuts[-1] = self.low, self.high
        return list(dict.fromkeys(cuts))


@dataclass(frozen=True)
class Choices:
    """Values to choose from, of any JSON type; lists and tables are JSON strings inside Optuna.

    `favourite` is the index of the value that a prior names.
    """

    values: tuple[Any, ...]
    favourite: int | None = None

    @cached_property
    def encoded(self) -> tuple[Any, ...]:
        return tuple(_encode(value) for value in self.values)

    def table(self) -> list[Any] | dict[str, Any]:
        values = copy.deepcopy(list(self.values))
        return values if self.favourite is None else {"choices": values, "prior": copy.deepcopy(values[self.favourite])}

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.encoded)

    def suggest(self, trial: BaseTrial, name: str) -> Any:
        return trial.suggest_categorical(name, self.encoded)

    def decode(self, value: Any) -> Any:
        for encoded, own in zip(self.encoded, self.values, strict=True):
            if encoded == value:
                return copy.deepcopy(own)
        raise ValueError(f"{value!r} is not one of the choices {_json(list(self.values))}")

    def encode(self, value: Any, name: str) -> Any:
        wanted = _encode(value)
        for encoded in self.encoded:
            if encoded == wanted:
                return encoded
        raise ValueError(f"{name}: {value!r} is not one of the choices {_json(list(self.values))}")

    def grid(self, name: str) -> list[Any]:
        return list(self.values)


Dimension = Range | Choices


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _encode(value: Any) -> str | int | float | bool | None:
    return _json(value) if isinstance(value, (list, tuple, dict)) else value


def parse_dimension(entry: Any, where: str) -> Dimension:
    """One entry of the [space] table; `where` is its full name. Raises ValueError (one line)."""
    if isinstance(entry, (list, tuple)):
        return _parse_choices(entry, where)
    if not isinstance(entry, Mapping):
        raise ValueError(f"{where}: {entry!r} is neither a range (low, high) nor a list of choices; fixed: see [model]")
    if "choices" in entry:
        extra = next((key for key in entry if key not in ("choices", "prior")), None)
        if extra is not None:
            raise ValueError(f"{where}.{extra}: does not go together with choices")
        if not isinstance(entry["choices"], (list, tuple)):
            raise ValueError(f"{where}.choices: expected a list, got {entry['choices']!r}")
        choices = _parse_choices(entry["choices"], where)
        return _with_favourite(choices, entry["prior"], where) if "prior" in entry else choices
    for key in entry:
        if key not in _RANGE_KEYS:
            raise ValueError(f"{where}.{key}: unknown key{hint(key, [*_RANGE_KEYS, 'choices'])}")
    return _parse_range(entry, where)


def _parse_choices(values: list[Any] | tuple[Any, ...], where: str) -> Choices:
    if not values:
        raise ValueError(f"{where}: the list of choices is empty")
    seen: list[Any] = []
    for value in values:
        try:
            encoded = _encode(value)
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(f"{where}: the choice {value!r} is not a finite JSON value") from None
        # Optuna finds a choice by ==, under which 1, 1.0 and True are equal.
        if encoded in seen:
            raise ValueError(f"{where}: the choice {_json(value)} is given twice")
        seen.append(encoded)
    return Choices(tuple(copy.deepcopy(list(v) if isinstance(v, tuple) else v) for v in values))


def _with_favourite(choices: Choices, prior: Any, where: str) -> Choices:
    try:
        return replace(choices, favourite=choices.encoded.index(choices.encode(prior, f"{where}.prior")))
    except ValueError as error:
        near = nearest(prior, [v for v in choices.values if isinstance(v, str)]) if isinstance(prior, str) else ""
        raise ValueError(f"{error}{near}") from None


def _number(entry: Mapping[str, Any], key: str, where: str) -> int | float:
    if key not in entry:
        raise ValueError(f"{where}.{key}: missing; a range needs low and high")
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{where}.{key}: {value!r} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{where}.{key}: {value!r} is not finite")
    return value


def _parse_range(entry: Mapping[str, Any], where: str) -> Range:
    low, high = _number(entry, "low", where), _number(entry, "high", where)
    log = entry.get("log", False)
    if low > high:
        raise ValueError(f"{where}: low = {low} is above high = {high}")
    if not math.isfinite(high - low):
        raise ValueError(f"{where}: the range from low = {low} to high = {high} is too wide")
    if not isinstance(log, bool):
        raise ValueError(f"{where}.log: {log!r} is neither true nor false")
    if log and low <= 0:
        raise ValueError(f"{where}: low = {low} must be above 0 on a log scale")
    integer = isinstance(low, int) and isinstance(high, int)
    if not integer:
        low, high = float(low), float(high)
    step = _parse_step(entry, where, integer, Decimal(str(high)) - Decimal(str(low))) if "step" in entry else None
    points = entry.get("points")
    if step is not None and (log or points is not None):
        raise ValueError(f"{where}.step: does not go together with {'log' if log else 'points'}")
    if "points" in entry and (isinstance(points, bool) or not isinstance(points, int) or points < 2):
        raise ValueError(f"{where}.points: {points!r} is not an integer of at least 2")
    found = Range(low, high, log, step, points)
    return replace(found, prior=_parse_prior(entry, found, where)) if "prior" in entry else found


def _parse_prior(entry: Mapping[str, Any], of: Range, where: str) -> int | float:
    prior = of.encode(_number(entry, "prior", where), f"{where}.prior")
    return of.encode(of.decode(prior), f"{where}.prior")  # the nearest of a range of steps


def _parse_step(entry: Mapping[str, Any], where: str, integer: bool, width: Decimal) -> int | float:
    step = _number(entry, "step", where)
    if integer and not isinstance(step, int):
        raise ValueError(f"{where}.step: {step} is not an integer, but both bounds are")
    if step <= 0:
        raise ValueError(f"{where}.step: {step} must be above 0")
    if 0 < width < Decimal(str(step)):  # as `_steps` counts them: from 0.1 to 0.3 there is room for a step of 0.2
        raise ValueError(f"{where}.step: {step} is wider than the range itself")
    return step if integer else float(step)
