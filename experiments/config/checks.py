"""What types cannot say about a sweep file: hyperparameters exist and are possible, and no part contradicts another.

The knowledge is that of the other rooms: ranges of hyperparameters are core's, spaces and methods are search's.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._text import counted
from ..errors import UserError
from .text import nearest, show, show_key

if TYPE_CHECKING:
    from .schema import Spec
from .defaults import _resolve, default_space
from .names import _SHAPE, MAX_LAYERS, _choices_of_layers, hyperparameter_hint, hyperparameter_names


def widen_ranges(space: Any) -> None:
    """Make the bounds of a number's range floats where both were written as integers: `{low = 0, high = 1}` for l2.

    A range of two integers means integers only, which is what a person wants for `epochs` and never for `l2`.
    """
    from ...core.hyperparameters import PARAMETERS

    for name, entry in space.items() if isinstance(space, dict) else ():
        if name in PARAMETERS and PARAMETERS[name].kind == "float" and isinstance(entry, dict) and "step" not in entry:
            for key in ("low", "high"):
                if type(entry.get(key)) is int:
                    entry[key] = float(entry[key])


def check_meaning(spec: "Spec") -> None:
    """Check what needs the other rooms' knowledge. Raises UserError without the file's name."""
    _check_columns(spec)
    _check_names(spec)
    for name, value in spec.model.items():
        _check_value("model", name, value)
    sampler, *stops = _resolve(spec)
    _check_space(spec, grid=sampler == "grid")
    if sampler == "grid" and spec.search.start:
        raise UserError("[search] start: a grid tries its points in their own order; leave start out")
    if stops != ["none", "pruner"] and "epochs" in (spec.space or {}):
        told = f"method {spec.search.method}" if spec.search.pruner is None else "a pruner"
        raise UserError(f"[space] epochs: cannot be searched under {told}, whose budgets are epochs; fix it in [model]")
    _check_metric(spec)


def _check_columns(spec: "Spec") -> None:
    data = spec.data
    lists: dict[str, Iterable[str]] = {key: getattr(data, key) for key in ("ignore", "numeric", "categorical")}
    single = {key: [getattr(data, key)] for key in ("group", "time", "weight") if getattr(data, key) is not None}
    for key, columns in (lists | single).items():
        if data.target is not None and data.target in columns:
            raise UserError(f"[data] {key}: {show(data.target)} is the target")
    for key, other in (("numeric", "ignore"), ("categorical", "ignore"), ("categorical", "numeric")):
        for column in lists[key]:
            if column in lists[other]:
                raise UserError(f"[data] {key}: {show(column)} is also in {other}")


def _check_names(spec: "Spec") -> None:
    names = hyperparameter_names()
    for table in ("model", "space"):
        for key in getattr(spec, table) or {}:
            if key not in names:
                raise UserError(f"[{table}] {show_key(key)}: unknown hyperparameter{hyperparameter_hint(key)}")
    space = spec.space or {}
    for key in space:
        if key in spec.model:
            raise UserError(f"[space] {key}: is fixed in [model] too; leave one of them out")
    every = {**spec.model, **space}
    layered = [key for key in every if key in _SHAPE]
    if "hidden" in every and layered:
        table = "space" if layered[0] in space else "model"
        raise UserError(f"[{table}] {layered[0]}: cannot be combined with hidden; use layers with units_i, or hidden")
    choices = [key for key in every if key in _choices_of_layers()]
    if choices and "layers" not in every and "hidden" not in spec.model:
        table = "space" if choices[0] in space else "model"
        raise UserError(
            f"[{table}] {choices[0]}: needs layers with units_i, or hidden in [model], to say how many layers there are"
        )


def _check_value(table: str, name: str, value: Any) -> None:
    """Check one value, or one end of a range, against the rule of its hyperparameter."""
    from ...core.hyperparameters import PARAMETERS

    if name in _SHAPE:
        low, high = (0, MAX_LAYERS) if name == "layers" else (1, 100_000)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise UserError(f"[{table}] {name}: must be a whole number from {low} to {high}, not {show(value)}")
        return
    of_layer = _choices_of_layers().get(name)
    # A layer's own choice is one value, never a list.
    parameter = PARAMETERS[name] if of_layer is None else replace(PARAMETERS[of_layer], name=name, by_layer=False)
    try:
        parameter.check(value)
    except ValueError as error:
        if parameter.rule not in str(error):  # but that of a name inside the value
            raise UserError(f"[{table}] {error}") from None
        rule = parameter.rule.removesuffix(" or None")  # which TOML cannot say
        hint = nearest(value, parameter.choices) if isinstance(value, str) else ""
        raise UserError(f"[{table}] {name}: {rule}, not {show(value)}{hint}") from None


def _check_space(spec: "Spec", *, grid: bool) -> None:
    from ...search.spaces.layers import configuration
    from ...search.spaces.space import Space

    for name, entry in (spec.space or {}).items():
        for value in _ends(entry):
            _check_value("space", name, value)
    table = spec.space if spec.space is not None else default_space(spec, 1000, "classification")
    if not any(name == "hidden" or name in _SHAPE or name in _choices_of_layers() for name in table):
        try:
            configuration({}, spec.model)
        except ValueError as error:
            raise UserError(f"[model] {error}") from None
    try:
        space = Space.parse(table, "space", spec.model)
    except ValueError as error:
        raise UserError(_in_table(error)) from None
    _check_depth(spec.model, table)
    if not grid:
        return
    try:
        size = space.grid_size()
    except ValueError as error:
        if spec.space is None:
            raise UserError("[search] method: a grid needs a [space] table whose ranges have points or step") from None
        raise UserError(_in_table(error)) from None
    if spec.search.trials is not None and size > spec.search.trials and not spec.search.partial:
        raise UserError(
            f"[search] trials: the grid has {size} points, more than {counted(spec.search.trials, 'trial')}; "
            f"give it {size}, or set partial = true"
        )


def _check_depth(model: Mapping[str, Any], space: Mapping[str, Any]) -> None:
    """Refuse a value in [model] of a layer that no network will have; Space.parse does so for those in [space]."""
    from ...search.spaces.layers import layer_of

    if "layers" in space:
        deepest = max(_ends(space["layers"]))
        told = f"layers goes up to {deepest}"
    elif "layers" in model:
        deepest, told = model["layers"], f"layers = {model['layers']}"
    elif "hidden" in model:
        deepest = len(model["hidden"])
        told = f"hidden has {deepest}"
    else:
        return
    for name in model:
        layer = layer_of(name)
        if layer is not None and layer[1] > deepest:
            raise UserError(f"[model] {name}: never used, {told}")


def _ends(entry: Any) -> Iterator[Any]:
    """Yield the values of a [space] entry that must be possible: both ends of a range, every choice."""
    if isinstance(entry, Mapping):
        for key in ("low", "high"):
            if isinstance(entry.get(key), int | float) and not isinstance(entry[key], bool):
                yield entry[key]
        entry = entry.get("choices")
    if isinstance(entry, list):
        yield from entry


def _in_table(error: ValueError) -> str:
    """Return search's "space.name.key: rule" as this file writes places: "[space] name.key: rule"."""
    text = str(error)
    if not text.startswith("space"):
        text = f"space.{text}"
    return re.sub(r"^space\.([^:]*):", r"[space] \1:", text)


def _check_metric(spec: "Spec") -> None:
    from ...core.metrics import METRICS

    known = ("val_score", "val_loss", *METRICS)
    if spec.objective.metric not in known and spec.objective.metric.removeprefix("val_") not in METRICS:
        hint = nearest(spec.objective.metric.removeprefix("val_"), known) or f"; known: {', '.join(known)}"
        raise UserError(f"[objective] metric: unknown metric {show(spec.objective.metric)}{hint}")
