"""What the trials of a stored launch cost: counted from the sizes in its tag, or of older launches from those of its model."""

from typing import TYPE_CHECKING

from ..tracking import reader, schema
from ..tracking.records import LaunchRecord, TrialRecord
from .front import ByTrial, LaunchCosts, on_front, trial_costs

if TYPE_CHECKING:
    from .costs import Costs


def launch_costs(uri: str | None, launch: LaunchRecord, trials: list[TrialRecord]) -> LaunchCosts:
    """The costs of these trials, where the sweep has several metrics; else none, which takes no time."""
    counted = tuple(reader.launch_data(uri, launch, schema.COUNTED) or ())
    if not counted:
        return LaunchCosts()
    return on_front(trials, costs_of_trials(uri, launch, trials), counted, launch.direction)


def costs_of_trials(uri: str | None, launch: LaunchRecord, trials: list[TrialRecord]) -> ByTrial:
    """By number all costs of each trial. Raises NotFound for an unfinished launch that did not count any."""
    from .costs import Costs

    stored = reader.launch_data(uri, launch, schema.COSTS)
    costs = _costs_of_model(uri, launch) if stored is None else Costs.loads(stored)
    return trial_costs(trials, costs, reader.launch_data(uri, launch, schema.FIXED) or {})


def _costs_of_model(uri: str | None, launch: LaunchRecord) -> "Costs":
    """The costs of one network, of a launch that did not care for them: its model's networks have the sizes."""
    from .costs import Costs
    from .model import TunedModel

    if launch.state != "finished":
        raise reader.NotFound(
            f"the sweep {launch.name!r} counts no costs, and has no model yet by which they could be counted"
        )
    return Costs.of_structure(TunedModel.load(reader.model_folder(uri, launch.run_id)).parts[0].structure)
