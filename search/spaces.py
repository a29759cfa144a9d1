"""A search space is the [space] table of a sweep file: what may vary, in the order in which it was stated.

Three faces of one table: define-by-run suggestions for Optuna, an enumerated grid, and the user's own values. Lists
among the choices (``hidden = [[64], [64, 64]]``) travel through Optuna as compact JSON strings and come back as lists.
Optuna is imported only when a distribution is asked for, so that a sweep file is checked without it.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .dimensions import Dimension, Range, parse_dimension
from .names import hint

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

_UNITS = re.compile(r"units_([1-9][0-9]*)")


def units_index(name: str) -> int | None:
    """3 for ``units_3``; None for names that are not of this kind."""
    match = _UNITS.fullmatch(name)
    return int(match[1]) if match else None


class Space:
    """An ordered search space; see :meth:`parse` for the table it comes from.

    ``names`` are in the stated order, with one exception: ``layers`` is moved before the first ``units_i``, because
    it decides which of them exist. ``units_i`` is part of a point only where ``i <= layers``.
    """

    def __init__(self, dimensions: Mapping[str, Dimension]) -> None:
        self.dimensions: dict[str, Dimension] = dict(dimensions)

    @classmethod
    def parse(cls, mapping: Mapping[str, Any], where: str = "space", fixed: Mapping[str, Any] | None = None) -> Space:
        """A space from ``{name: {low, high, log?, step?, points?} | {choices} | [choices]}``.

        Two integer bounds make a range of integers. ``fixed`` are the values of [model]: a ``layers`` or ``units_i``
        that is given there need not be in the space. Raises ValueError (one line, with the key's full name).
        """
        if not isinstance(mapping, Mapping):
            raise ValueError(f"{where}: expected a table of names, got {mapping!r}")
        dimensions = {name: parse_dimension(entry, f"{where}.{name}") for name, entry in mapping.items()}
        _check_layers(dimensions, where, fixed or {})
        order = list(dimensions)
        first = next((i for i, name in enumerate(order) if units_index(name)), None)
        if first is not None and "layers" in dimensions and order.index("layers") > first:
            order.remove("layers")
            order.insert(first, "layers")
        return cls({name: dimensions[name] for name in order})

    @property
    def names(self) -> list[str]:
        return list(self.dimensions)

    def __len__(self) -> int:
        return len(self.dimensions)

    def __contains__(self, name: object) -> bool:
        return name in self.dimensions

    def __iter__(self) -> Iterator[str]:
        return iter(self.dimensions)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Space):
            return NotImplemented
        return list(self.dimensions.items()) == list(other.dimensions.items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Space({self.table()!r})"

    def table(self) -> dict[str, Any]:
        """The table that :meth:`parse` turns into this space again."""
        return {name: dimension.table() for name, dimension in self.dimensions.items()}

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions by name, all ``units_i`` included."""
        return {name: dimension.distribution() for name, dimension in self.dimensions.items()}

    def active(self, name: str, params: Mapping[str, Any]) -> bool:
        """Whether ``name`` is part of a point with these values (``layers`` among them, if the space has it)."""
        index = units_index(name)
        return index is None or "layers" not in self.dimensions or index <= params["layers"]

    def suggest(self, trial: Trial) -> dict[str, Any]:
        """Ask a trial for a point, define-by-run; the user's values, inactive ``units_i`` left out."""
        params: dict[str, Any] = {}
        for name, dimension in self.dimensions.items():
            if self.active(name, params):
                params[name] = dimension.decode(dimension.suggest(trial, name))
        return params

    def decode(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Optuna's stored values -> the user's (JSON strings back to lists). Unknown names raise ValueError."""
        return {name: self._dimension(name).decode(value) for name, value in params.items()}

    def encode(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The user's values -> what Optuna stores. A value outside its range or choices raises ValueError."""
        return {name: self._dimension(name).encode(value, name) for name, value in params.items()}

    def _dimension(self, name: str) -> Dimension:
        if name not in self.dimensions:
            raise ValueError(f"{name!r} is not in the search space{hint(name, self.dimensions)}")
        return self.dimensions[name]

    # The grid: nested loops in stated order, the last name fastest; a loop over an inactive units_i has one pass.

    @cached_property
    def _axes(self) -> dict[str, list[Any]]:
        return {name: dimension.grid(name) for name, dimension in self.dimensions.items()}

    @cached_property
    def _blocks(self) -> list[tuple[dict[str, Any], list[str], int]]:
        """What follows the outer loops: (values fixed by the block, the names that vary in it, its size)."""
        if "layers" not in self._axes:
            return [({}, self.names, math.prod(len(axis) for axis in self._axes.values()))]
        after = self.names[self.names.index("layers") + 1 :]
        blocks = []
        for layers in self._axes["layers"]:
            inside = [name for name in after if self.active(name, {"layers": layers})]
            blocks.append(({"layers": layers}, inside, math.prod(len(self._axes[name]) for name in inside)))
        return blocks

    @property
    def _outer(self) -> list[str]:
        return self.names[: self.names.index("layers")] if "layers" in self.dimensions else []

    def grid_size(self) -> int:
        """Points of the grid. A range of floats without ``points`` or ``step`` raises ValueError."""
        return math.prod(len(self._axes[name]) for name in self._outer) * sum(size for *_, size in self._blocks)

    def grid_point(self, index: int) -> dict[str, Any]:
        """Point ``index`` (from 0) of the grid, as the user's values. Raises IndexError outside it."""
        size = self.grid_size()
        if not 0 <= index < size:
            raise IndexError(f"grid point {index} does not exist: the grid has {size} points, numbered from 0")
        outer, rest = divmod(index, sum(n for *_, n in self._blocks))
        block = 0
        while rest >= self._blocks[block][2]:
            rest -= self._blocks[block][2]
            block += 1
        values, inside, _ = self._blocks[block]
        point = {**self._digits(self._outer, outer), **values, **self._digits(inside, rest)}
        return {name: copy.deepcopy(point[name]) for name in self.names if name in point}

    def _digits(self, names: list[str], index: int) -> dict[str, Any]:
        """The mixed-radix digits of ``index``, the last name being the lowest digit."""
        values = {}
        for name in reversed(names):
            index, digit = divmod(index, len(self._axes[name]))
            values[name] = self._axes[name][digit]
        return values

    def grid(self) -> Iterator[dict[str, Any]]:
        """Every point of the grid once, in order."""
        return (self.grid_point(index) for index in range(self.grid_size()))


def _check_layers(dimensions: Mapping[str, Dimension], where: str, fixed: Mapping[str, Any]) -> None:
    """``layers`` and ``units_i`` belong together, and exclude ``hidden``."""
    units = {index: name for name in dimensions if (index := units_index(name))}
    for name in ["layers", *units.values()]:
        if "hidden" in dimensions and name in dimensions:
            raise ValueError(f"{where}.{name}: cannot be searched together with {where}.hidden; choose one of the two")
    if "layers" in dimensions:
        deepest = _deepest(dimensions["layers"], f"{where}.layers")
    elif "layers" in fixed:
        deepest = fixed["layers"]
    elif units:
        name = next(iter(units.values()))
        raise ValueError(f"{where}.{name}: needs {where}.layers, which says how many layers there are")
    else:
        return
    for index in range(1, deepest + 1):
        if index not in units and f"units_{index}" not in fixed and ("layers" in dimensions or units):
            raise ValueError(f"{where}.units_{index}: missing, but layers goes up to {deepest}")
    for index, name in units.items():
        if index > deepest:
            raise ValueError(f"{where}.{name}: never used, layers goes up to {deepest}")


def _deepest(layers: Dimension, where: str) -> int:
    values = [layers.low, layers.high] if isinstance(layers, Range) else list(layers.values)
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{where}: {value!r} is not a number of layers (an integer, at least 0)")
    return int(max(values))


def configuration(params: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters of a trial: [model]'s values, overridden by the searched ones; layers/units_i become hidden.

    ``params`` are the user's values (as :meth:`Space.suggest` returns them). Where the space says how the hidden
    layers look, what [model] says about them is dropped. Raises ValueError where a ``units_i`` is missing.
    """

    def shape(name: str) -> bool:
        return name in ("hidden", "layers") or units_index(name) is not None

    merged = {**fixed, **params}
    if "hidden" in params:
        merged = {name: value for name, value in merged.items() if not shape(name) or name == "hidden"}
    elif "layers" in params:
        merged.pop("hidden", None)
    if "layers" not in merged:
        stray = next((name for name in merged if units_index(name)), None)
        if stray:
            raise ValueError(f"{stray}: needs layers, which says how many layers there are")
        return merged
    if "hidden" in merged:
        raise ValueError("layers: cannot be given together with hidden; choose one of the two")
    layers = merged["layers"]
    missing = next((f"units_{i}" for i in range(1, layers + 1) if f"units_{i}" not in merged), None)
    if missing:
        raise ValueError(f"{missing}: missing, but layers = {layers}")
    hidden = [merged[f"units_{i}"] for i in range(1, layers + 1)]
    return {**{name: value for name, value in merged.items() if not shape(name)}, "hidden": hidden}


def default_space(n_rows: int, task: str) -> dict[str, Any]:
    """The [space] table of a sweep file that has none: what pays most for MLPs on tables.

    Learning rate, width and regularisation are searched; the structure has few choices (four shapes, two batch
    sizes), because only trials of one structure train in one stack. Batches grow with ``n_rows`` (training rows).

    Raises ValueError for a task other than classification and regression.
    """
    if task not in ("classification", "regression"):
        raise ValueError(f"task: {task!r} is not a task{hint(task, ['classification', 'regression'])}")
    sizes = next(
        (pair for rows, pair in [(1000, [16, 32]), (5000, [32, 64]), (20000, [128, 256])] if n_rows < rows), [256, 512]
    )
    shapes = [[64], [128], [64, 64], [128, 128]] if n_rows < 10000 else [[128], [256], [128, 128], [256, 256]]
    return {
        "learning_rate": {"low": 3e-4, "high": 3e-2, "log": True},
        "hidden": shapes,
        "batch_size": sizes,
        "dropout": {"low": 0.0, "high": 0.5},
        "l2": {"low": 1e-6, "high": 1e-2, "log": True},
    }
