"""The search space of a sweep file that has none."""

from typing import TYPE_CHECKING, Any

from ..errors import UserError

if TYPE_CHECKING:
    from ...search.searcher import Searcher
    from .schema import Spec
from .names import _SHAPE, MAX_LAYERS


def default_space(spec: "Spec", n_rows: int, task: str) -> dict[str, Any]:
    """Return the [space] table that stands in for an absent one: search's default without what [model] fixes."""
    from ...search.spaces.defaults import architecture_space, default_space
    from ...search.spaces.layers import layer_of

    fixed = spec.model
    if _resolve(spec).sampler != "nas":
        shaped = any(name == "hidden" or name in _SHAPE for name in fixed)
        space = default_space(n_rows, task)
        return {name: v for name, v in space.items() if name not in fixed and not (shaped and name == "hidden")}
    hidden = fixed.get("hidden")
    depth = len(hidden) if isinstance(hidden, list) else fixed.get("layers", MAX_LAYERS)
    taken = {*fixed, *(("layers", "units") if "hidden" in fixed else ())}
    if any(name.startswith("layer_norm") for name in fixed):
        taken.add("batch_norm")  # a layer has one of the two
    kept = {}
    for name, entry in architecture_space(n_rows, task).items():
        family, index = layer_of(name) or (name, 1)
        if name not in taken and family not in taken and index <= depth:
            kept[name] = entry
    return kept


def _resolve(spec: "Spec") -> "Searcher":
    from ...search.searcher import resolve

    try:
        return resolve(spec.search.method, spec.search.pruner)
    except ValueError as error:
        raise UserError(f"[search] {error}") from None
