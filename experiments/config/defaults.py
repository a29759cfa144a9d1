"""What a sweep file leaves out and the data decide: the default space, the default budget, and how many trials."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from .names import MAX_LAYERS, SHAPE_NAMES

if TYPE_CHECKING:
    from ...search.searcher import Searcher

DEFAULT_TRIALS = 64
# Small enough that a searcher learns often, large enough that trials of one structure meet in a stack (see docs/batch-size.md).
DEFAULT_BATCH = 8


def default_model(model: Mapping[str, Any], n_rows: int, *, with_space: bool) -> dict[str, Any]:
    """Return what a sweep's [model] leaves open and the data decide.

    The budget, unless epochs or a preset that has them are given: long enough for the rows, ended when it stalls; one that the
    user has chosen is left as it is, nothing ends it early and no schedule is added. Beside the default space also the recipe
    that its ranges are made for.

    Args:
        model: The table [model].
        n_rows: Training rows.
        with_space: Whether the sweep file has a [space] of its own, whose ranges may be made for other optimizers.
    """
    preset = model.get("preset", "none")
    found: dict[str, Any] = {}
    if preset == "plain" or with_space:
        if "epochs" not in model and preset in ("none", "plain"):
            epochs = 100 if n_rows < 5000 else 50 if n_rows < 20000 else 30
            found = {"epochs": epochs, "early_stopping": epochs // 5, "schedule": "cosine"}
    elif preset == "none":
        found = {"optimizer": "adamw", "batch_size": batch_size(n_rows), "scaling": "quantile"}
        if "epochs" not in model:
            epochs = 64 if n_rows < 5000 else 48 if n_rows < 20000 else 32
            found |= {"epochs": epochs, "early_stopping": epochs // 4, "schedule": "cosine"}
    return {name: value for name, value in found.items() if name not in model}


def batch_size(n_rows: int) -> int:
    """Rows a step in the default space: some hundred steps an epoch at most."""
    return 32 if n_rows < 2000 else 64 if n_rows < 5000 else 128 if n_rows < 20000 else 256


def default_starts(model: Mapping[str, Any], method: str, n_rows: int, space: Collection[str]) -> list[dict[str, Any]]:
    """Return what is tried first of the default space, without what is not searched; for `auto`, which would begin at random.

    Args:
        model: The table [model]; with a preset the space is another one.
        method: The method's name.
        n_rows: Training rows.
        space: The hyperparameters that are searched.
    """
    from ...search.spaces.defaults import portfolio

    if method != "auto" or model.get("preset", "none") != "none":
        return []
    points: list[dict[str, Any]] = []
    for point in portfolio(n_rows):
        searched = {name: value for name, value in point.items() if name in space}
        if searched and searched not in points:
            points.append(searched)
    return points


def default_space_table(
    model: Mapping[str, Any], searcher: "Searcher", n_rows: int, task: str, n_numeric: int = 1
) -> dict[str, Any]:
    """Return the [space] table that stands in for an absent one: search's default without what [model] fixes.

    Args:
        model: The table [model]; its preset "plain" asks for plain networks.
        searcher: Architecture search has a default space of its own.
        n_rows: Training rows.
        task: classification or regression.
        n_numeric: How many of the network's inputs are numbers.
    """
    from ...core.embeddings import EMBEDDINGS
    from ...search.spaces.defaults import architecture_space, default_space, plain_space
    from ...search.spaces.layers import layer_of

    if not searcher.searches_layers:
        has_shape = any(name == "hidden" or name in SHAPE_NAMES for name in model)
        is_plain = model.get("preset") == "plain"
        table = plain_space(n_rows, task) if is_plain else default_space(n_rows, task, n_numeric)
        left_out = {*model, *(("hidden",) if has_shape else ())}
        if model.get("preset") == "strong":  # which has a shape and an embedding, and rates of its own parametrisation
            left_out |= {"hidden", "embedding"}
            table["learning_rate"] = {"low": 1e-2, "high": 1e-1, "log": True}
        if "embedding" in model and not EMBEDDINGS[model["embedding"]].uses_sigma:
            left_out.add("embedding_sigma")
        if "l2" in model and not is_plain:
            left_out.add("weight_decay")  # one of the two is enough
        return {name: entry for name, entry in table.items() if name not in left_out}
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
