"""Hyperparameters of single layers (units_2, activation_1), and the configuration that they are folded into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# What each hidden layer may have of its own besides its width; a list in the configuration, one value a layer.
BY_LAYER = ("activation", "batch_norm", "layer_norm", "skip")


_INDEXED = re.compile(rf"(units|{'|'.join(BY_LAYER)})_([1-9][0-9]*)")


def layer_of(name: str) -> tuple[str, int] | None:
    """("units", 3) for `units_3`, ("skip", 1) for `skip_1`; None for other names."""
    match = _INDEXED.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def configuration(params: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters of a trial: [model]'s values, overridden by the searched ones, with the layers folded.

    `layers` and `units_i` become `hidden`; `activation_i`, `skip_i` and the other families of `BY_LAYER` become lists, in
    which a single `activation` or `skip` stands for the layers without their own. `params` are the user's values (as
    `Space.suggest` returns them). If the hidden layers are searched, those of [model] are dropped.

    Raises:
        ValueError: if a layer lacks its value.
    """
    merged = {**fixed, **params}
    if "hidden" in params:
        merged = {name: value for name, value in merged.items() if name != "layers" and not _is_units(name)}
    elif "layers" in params:
        merged.pop("hidden", None)
    if "layers" in merged:
        if "hidden" in merged:
            raise ValueError("layers: cannot be given together with hidden; choose one of the two")
        merged["hidden"] = [_at_layer(merged, "units", i, merged["layers"]) for i in range(1, merged["layers"] + 1)]
    indexed: dict[str, str] = {layer[0]: name for name in reversed(merged) if (layer := layer_of(name))}
    if "units" in indexed and "layers" not in merged:
        raise ValueError(f"{indexed['units']}: needs layers, which says how many layers there are")
    for family in BY_LAYER:
        if family not in indexed:
            continue
        if "hidden" not in merged:
            raise ValueError(f"{indexed[family]}: needs layers or hidden, which say how many layers there are")
        if isinstance(merged.get(family), (list, tuple)):
            raise ValueError(f"{family}: a list cannot be given together with {indexed[family]}; choose one of the two")
        depth = len(merged["hidden"])
        merged[family] = [_at_layer(merged, family, i, depth) for i in range(1, depth + 1)]
    return {name: value for name, value in merged.items() if name != "layers" and not layer_of(name)}


def _is_units(name: str) -> bool:
    layer = layer_of(name)
    return layer is not None and layer[0] == "units"


def _at_layer(merged: Mapping[str, Any], family: str, index: int, depth: int) -> Any:
    """A layer's own value, or the one for all layers."""
    name = f"{family}_{index}" if f"{family}_{index}" in merged else family
    if name not in merged:
        raise ValueError(f"{family}_{index}: missing, but layers = {depth}")
    return merged[name]
