"""What the points of a sweep's space cost, and a limit below all of them."""

from typing import Any

import pytest

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import UserError
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from tests.support.sweeps import iris

SMALLEST = (4 + 1) * 8 + (8 + 1) * 3  # of hidden = [8]
LARGER = (4 + 1) * 8 + (8 + 1) * 4 + (4 + 1) * 3  # of hidden = [8, 4]


def planned(**changes: Any) -> SweepPlan:
    spec, _ = load_spec(iris(**changes))
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))


def test_sweeps_without_counted_costs_know_nothing_of_them() -> None:
    assert planned().point_costs is None


def test_points_cost_what_their_networks_do() -> None:
    known = planned(objective__metrics=["val_score", "bytes"], objective__limit={"parameters": LARGER - 1}).point_costs
    assert known is not None
    small, large = {"hidden": [8], "learning_rate": 0.1}, {"hidden": [8, 4], "learning_rate": 0.2}
    assert known.known_costs.of(small) == (4.0 * SMALLEST,)
    assert [known.known_costs.admits(point) for point in (small, large)] == [True, False]
    assert known.over(large) == f"parameters {LARGER} over the limit of {LARGER - 1}"
    assert known.recorded(small) == {"bytes": 4 * SMALLEST, "parameters": SMALLEST}
    assert known.known_costs.names == {"hidden"}
    impossible = {"hidden": [0]}
    assert known.known_costs.of(impossible) == (float("inf"),)
    assert known.known_costs.admits(impossible), "it fails by itself, as it does without limits"


@pytest.mark.parametrize("method", ["auto", "grid", "pbt"])
def test_a_limit_that_nothing_meets_is_refused_before_anything_trains(method: str) -> None:
    rule = f"no configuration has parameters of {SMALLEST - 1} or less; the smallest that was found has {SMALLEST}"
    with pytest.raises(UserError, match=rule):
        planned(search={"method": method, "trials": 12}, objective__limit={"parameters": SMALLEST - 1})
    planned(search={"method": method, "trials": 12}, objective__limit={"parameters": SMALLEST})


def test_a_grid_counts_the_points_that_fit() -> None:
    changes = {"search": {"method": "grid"}, "objective__limit": {"parameters": SMALLEST}}
    assert planned(search={"method": "grid"}).total == 12
    assert planned(**changes).total == 6


def test_a_start_over_the_limit_is_refused() -> None:
    start = [{"hidden": [8]}, {"hidden": [8, 4], "learning_rate": 0.01, "dropout": 0.1}]
    with pytest.raises(UserError, match=r"start: configuration 2: parameters 91 over the limit of 80"):
        planned(search__start=start, objective__limit={"parameters": 80})
