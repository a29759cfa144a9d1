"""Plans of sweeps."""

from typing import Any

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from tests.support.sweeps import small


def plan(**changes: Any) -> SweepPlan:
    """That of `small` with these changes."""
    spec, _ = load_spec(small(**changes))
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))


def planned(source: str = "sklearn:iris", **tables: Any) -> SweepPlan:
    """That of a file with these tables, of which [data] has its source."""
    spec, _ = load_spec({"name": "s", "data": {"source": source, **tables.pop("data", {})}, **tables})
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))
