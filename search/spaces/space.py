"""The search space: the [space] table of a sweep file, in the order in which it was written.

It makes define-by-run suggestions for Optuna, enumerates a grid, and translates between Optuna's values and the user's: lists
among the choices (`hidden = [[64], [64, 64]]`) are compact JSON strings inside Optuna. Optuna is imported only for
distributions, so that a sweep file is checked without it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..._text import hint
from .dimensions import Dimension, Range, parse_dimension

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial
from .layers import BY_LAYER, layer_of


class Space:
    """An ordered search space; see `parse` for the table it comes from.

    `names` are in the order of the table, except that `layers` is moved before the first `units_i`, because it decides
    which of them exist. `units_i` is part of a point only if `i <= layers`; the same holds for `activation_i`,
    `batch_norm_i`, `layer_norm_i` and `skip_i`.
    """

    def __init__(self, dimensions: Mapping[str, Dimension]) -> None:
        self.dimensions: dict[str, Dimension] = dict(dimensions)

    @classmethod
    def parse(cls, mapping: Mapping[str, Any], where: str = "space", fixed: Mapping[str, Any] | None = None) -> Space:
        """A space from `{name: {low, high, log?, step?, points?, prior?} | {choices, prior?} | [choices]}`.

        Two integer bounds make a range of integers. `fixed` are the values of [model]: a `layers` or `units_i` that is
        given there need not be in the space, and an `activation` there is that of the layers without an
        `activation_i`.

        Raises:
            ValueError: (one line, with the key's full name) for an impossible table.
        """
        if not isinstance(mapping, Mapping):
            raise ValueError(f"{where}: expected a table of names, got {mapping!r}")
        dimensions = {name: parse_dimension(entry, f"{where}.{name}") for name, entry in mapping.items()}
        _check_layers(dimensions, where, fixed or {})
        order = list(dimensions)
        first = next((i for i, name in enumerate(order) if layer_of(name)), None)
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

    def with_ranges(self, tables: Mapping[str, Mapping[str, Any]]) -> Space:
        """The same space with other ranges for these names. Raises ValueError for an impossible one."""
        ranges = {name: parse_dimension(table, f"space.{name}") for name, table in tables.items()}
        return Space({name: ranges.get(name, dimension) for name, dimension in self.dimensions.items()})

    def table(self) -> dict[str, Any]:
        """The table that `parse` turns into this space again."""
        return {name: dimension.table() for name, dimension in self.dimensions.items()}

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions by name, including those of all layers."""
        return {name: dimension.distribution() for name, dimension in self.dimensions.items()}

    @cached_property
    def guess(self) -> dict[str, Any]:
        """What the priors name, by hyperparameter, as Optuna stores it; those without a prior are left out."""
        found = {}
        for name, dimension in self.dimensions.items():
            if isinstance(dimension, Range):
                if dimension.prior is not None:
                    found[name] = dimension.prior
            elif dimension.favourite is not None:
                found[name] = dimension.encoded[dimension.favourite]
        return found

    def active(self, name: str, params: Mapping[str, Any]) -> bool:
        """Whether `name` is part of a point with these values (`layers` among them, if the space has it)."""
        layer = layer_of(name)
        return layer is None or "layers" not in self.dimensions or layer[1] <= params["layers"]

    def suggest(self, trial: BaseTrial) -> dict[str, Any]:
        """A point suggested by a trial, define-by-run, as the user's values; those of inactive layers are left out."""
        params: dict[str, Any] = {}
        for name, dimension in self.dimensions.items():
            if self.active(name, params):
                params[name] = dimension.decode(dimension.suggest(trial, name))
        return params

    def decode(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Optuna's stored values -> the user's (JSON strings back to lists). Unknown names raise ValueError."""
        return {name: self._dimension(name).decode(value) for name, value in params.items()}

    def point(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """What `suggest` would give for these of Optuna's values; a name that has a single value may be missing."""
        params: dict[str, Any] = {}
        for name, dimension in self.dimensions.items():
            if self.active(name, params):
                value = stored[name] if name in stored else single_value(self.distributions[name])
                params[name] = dimension.decode(value)
        return params

    def encode(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The user's values -> what Optuna stores. A value outside its range or choices raises ValueError."""
        return {name: self._dimension(name).encode(value, name) for name, value in params.items()}

    def _dimension(self, name: str) -> Dimension:
        if name not in self.dimensions:
            raise ValueError(f"{name!r} is not in the search space{hint(name, self.dimensions)}")
        return self.dimensions[name]

    # The grid: nested loops in the order of the names, the last one fastest; inactive names have no loop.

    @cached_property
    def _axes(self) -> dict[str, list[Any]]:
        return {name: dimension.grid(name) for name, dimension in self.dimensions.items()}

    @cached_property
    def _blocks(self) -> list[tuple[dict[str, Any], list[str], int]]:
        """The inner loops for each value of `layers`: (the values fixed in the block, the names that vary in it, its size)."""
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
        """Points of the grid. A range of floats without `points` or `step` raises ValueError."""
        return math.prod(len(self._axes[name]) for name in self._outer) * sum(size for *_, size in self._blocks)

    def grid_point(self, index: int) -> dict[str, Any]:
        """Point `index` (from 0) of the grid, as the user's values. Raises IndexError outside it."""
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
        """The mixed-radix digits of `index`, the last name being the lowest digit."""
        values = {}
        for name in reversed(names):
            index, digit = divmod(index, len(self._axes[name]))
            values[name] = self._axes[name][digit]
        return values

    def grid(self) -> Iterator[dict[str, Any]]:
        """Every point of the grid once, in order."""
        return (self.grid_point(index) for index in range(self.grid_size()))


def single_value(distribution: BaseDistribution) -> Any:
    """The value of a distribution that has only one, as Optuna stores it."""
    first = 0.0 if hasattr(distribution, "choices") else float(distribution.low)  # type: ignore[attr-defined]
    return distribution.to_external_repr(first)


def _check_layers(dimensions: Mapping[str, Dimension], where: str, fixed: Mapping[str, Any]) -> None:
    """Check that `layers` and the names of single layers go together and exclude `hidden`; [model] may give some of them."""
    indexed = {name: layer for name in dimensions if (layer := layer_of(name))}
    if "hidden" in dimensions:
        for name in ["layers", *indexed]:
            if name in dimensions:
                raise ValueError(
                    f"{where}.{name}: cannot be searched together with {where}.hidden; choose one of the two"
                )
    has_units = any(family == "units" for family, _ in indexed.values())
    if "layers" in dimensions:
        deepest = _deepest(dimensions["layers"], f"{where}.layers")
        limit = f"layers goes up to {deepest}"
    elif "layers" in fixed:
        deepest, limit = fixed["layers"], f"layers goes up to {fixed['layers']}"
    elif indexed and not has_units and isinstance(fixed.get("hidden"), (list, tuple)):
        deepest, limit = len(fixed["hidden"]), f"hidden has {len(fixed['hidden'])}"
    elif indexed:
        name = next((name for name, (family, _) in indexed.items() if family == "units"), next(iter(indexed)))
        raise ValueError(f"{where}.{name}: needs {where}.layers, which says how many layers there are")
    else:
        return
    for name, (_, index) in indexed.items():
        if index > deepest:
            raise ValueError(f"{where}.{name}: never used, {limit}")
    every = [layer for name in (*dimensions, *fixed) if (layer := layer_of(name))]
    for family in ("units", *BY_LAYER):
        given = {index for kind, index in every if kind == family}
        if family == "units":
            needed = "layers" in dimensions or has_units
        else:
            needed = bool(given) and family not in dimensions and family not in fixed
            if given and isinstance(fixed.get(family), (list, tuple)):
                name = f"{family}_{min(given)}"
                raise ValueError(
                    f"{where}.{name}: cannot be combined with the list {family} in [model]; make it one value"
                )
        for index in range(1, deepest + 1):
            if needed and index not in given:
                rest = "" if family == "units" else f"; [model] {family} would do for the layers without"
                raise ValueError(f"{where}.{family}_{index}: missing, but {limit}{rest}")


def _deepest(layers: Dimension, where: str) -> int:
    values = [layers.low, layers.high] if isinstance(layers, Range) else list(layers.values)
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{where}: {value!r} is not a number of layers (an integer, at least 0)")
    return int(max(values))
