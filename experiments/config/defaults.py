"""What a sweep file leaves out and the data decide: the default space, the default budget, and how many trials."""

from collections.abc import Mapping
from typing import Any

from .names import MAX_LAYERS, SHAPE_NAMES

DEFAULT_TRIALS = 64
# Small enough that a searcher learns often, large enough that trials of one structure meet in a stack (see docs/batch-size.md).
DEFAULT_BATCH = 8


def default_model(n_rows: int) -> dict[str, Any]:
    """Return the budget of a sweep whose [model] gives no epochs: long enough for `n_rows` training rows, ended when it stalls.

    A budget that the user has chosen is left as it is: nothing ends it early, and no schedule is added.
    """
    epochs = 100 if n_rows < 5000 else 50 if n_rows < 20000 else 30
    return {"epochs": epochs, "early_stopping": epochs // 5, "schedule": "cosine"}


def default_space_table(model: Mapping[str, Any], sampler: str, n_rows: int, task: str) -> dict[str, Any]:
    """Return the [space] table that stands in for an absent one: search's default without what [model] fixes.

    Args:
        model: The table [model].
        sampler: The sampler's name; architecture search has a default space of its own.
        n_rows: Training rows.
        task: classification or regression.
    """
    from ...search.spaces.defaults import architecture_space, default_space
    from ...search.spaces.layers import layer_of

    if sampler != "nas":
        has_shape = any(name == "hidden" or name in SHAPE_NAMES for name in model)
        table = default_space(n_rows, task)
        return {name: v for name, v in table.items() if name not in model and not (has_shape and name == "hidden")}
    hidden = model.get("hidden")
    depth = len(hidden) if isinstance(hidden, list) else model.get("layers", MAX_LAYERS)
    fixed = {*model, *(("layers", "units") if "hidden" in model else ())}
    if any(name.startswith("layer_norm") for name in model):
        fixed.add("batch_norm")  # a layer has one of the two
    table = {}
    for name, entry in architecture_space(n_rows, task).items():
        family, index = layer_of(name) or (name, 1)
        if name not in fixed and family not in fixed and index <= depth:
            table[name] = entry
    return table
