"""A configuration whose `changes`, `[[epoch, values], ...]`, make it a schedule: values that hold from an epoch on.

The engine has its own reading of it, `core.hyperparameters.Hyperparameters.at`, on checked values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def values_at(configuration: Mapping[str, Any], epoch: int) -> dict[str, Any]:
    """The values that hold in that epoch, counted from 1; they change no more."""
    changes = configuration.get("changes", ())
    values = {name: value for first, change in changes if first <= epoch for name, value in change.items()}
    return {**{name: value for name, value in configuration.items() if name != "changes"}, **values}


def with_change(configuration: Mapping[str, Any], epoch: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration that has `values` from this epoch on (counted from 1) and is the same before it."""
    if not values:
        return dict(configuration)
    return {**configuration, "changes": [*configuration.get("changes", []), [epoch, dict(values)]]}
