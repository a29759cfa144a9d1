"""What the model of a configuration costs: counted from its networks' structure on the sweep's inputs, so known before it trains.

The count is a function of the configuration and of a few sizes, which a launch's tag has: what a stored trial costs needs no table.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..core.counted import COUNTED
from ..core.hyperparameters import PARAMETERS, Hyperparameters
from ..core.structure import Structure
from ..search.spaces.layers import layer_of
from .config.names import CLASS_WEIGHT


@dataclass(frozen=True)
class Costs:
    """The costs of configurations on one table.

    Attributes:
        n_inputs: The width of the encoded rows.
        n_outputs: The output units.
        n_plain: Inputs that are zeros and ones.
        levels: How many codes each category has that is embedded.
        loss: The data's own.
        networks: How many networks of one configuration a model is made of.
    """

    n_inputs: int
    n_outputs: int
    n_plain: int
    levels: tuple[int, ...]
    loss: str
    networks: int = 1

    @classmethod
    def of_structure(cls, structure: Structure) -> Self:
        """The costs of one network on the inputs of another one."""
        return cls(structure.n_inputs, structure.n_outputs, structure.n_plain, structure.levels, structure.loss)

    @classmethod
    def loads(cls, stored: Mapping[str, Any]) -> Self:
        """From what `dumps` has made, as JSON data."""
        return cls(**{**stored, "levels": tuple(stored["levels"])})

    def dumps(self) -> str:
        """As a launch's tag has it."""
        return json.dumps(vars(self))

    def of(self, configuration: Mapping[str, Any]) -> dict[str, int]:
        """Each cost of the model of a complete configuration. Raises ValueError where there is no such network."""
        own = {name: value for name, value in configuration.items() if name != CLASS_WEIGHT}
        structure = Structure.of(
            Hyperparameters.from_config(own),
            n_inputs=self.n_inputs,
            n_outputs=self.n_outputs,
            n_rows=1,  # no cost of a prediction depends on it
            loss=self.loss,
            n_plain=self.n_plain,
            levels=self.levels,
        )
        return {name: self.networks * cost.count(structure) for name, cost in COUNTED.items()}


def costing(names: Mapping[str, Any] | list[str]) -> frozenset[str]:
    """Those of these hyperparameters on which a cost may depend: what changes the structure, and what stands for such a name."""
    shaped = {"layers", "units", "preset", *(name for name, row in PARAMETERS.items() if row.structural)}
    return frozenset(name for name in names if (layer_of(name) or (name,))[0] in shaped)


def over(costs: Mapping[str, float], limit: Mapping[str, float]) -> str | None:
    """What of these costs is over its limit, in words; None if all are within."""
    for name, most in limit.items():
        if costs[name] > most:
            return f"{name} {costs[name]:,} over the limit of {most:,.10g}"
    return None
