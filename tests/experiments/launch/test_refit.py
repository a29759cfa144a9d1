"""Training again on all rows: the same networks as the engine makes by itself, and none of those that diverge."""

import numpy as np
import pytest

from mlptune.core.data import Fold
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.network import Network
from mlptune.core.structure import Structure
from mlptune.core.training import start, train
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from mlptune.experiments.launch.refit import refit
from tests.support.sweeps import iris


@pytest.fixture(scope="module")
def plan() -> SweepPlan:
    spec, _ = load_spec(iris(space={}, data__seeds=2, model={"epochs": 9, "early_stopping": 2}))
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))


def test_they_are_those_of_the_engine_at_the_median_of_the_best_epochs(plan: SweepPlan) -> None:
    configurations = {3: ({**plan.fixed, "hidden": [6]}, (2, 5)), 8: ({**plan.fixed, "hidden": [4]}, (7, 7))}
    development, found = refit(plan, configurations, Inline())
    assert len(development.arrays.X) == sum(len(part) for part in (plan.dataset.folds()[0].arrays.X, _validation(plan)))
    assert list(found) == [3, 8]
    for number, epochs in ((3, 3), (8, 7)):
        hp = Hyperparameters.from_config({**configurations[number][0], "early_stopping": 0})
        n_rows, n_inputs = development.arrays.X.shape
        structure = Structure.of(hp, n_inputs=n_inputs, n_outputs=3, n_rows=n_rows, loss="cross_entropy")
        networks = [Network(hp, seed) for seed in plan.seeds]
        rows = Fold(development.arrays.X, development.arrays.y)
        state, _ = train(structure, networks, [rows], start(structure, networks), epochs, order_seed=plan.spec.seed)
        assert np.array_equal([network.theta for network in found[number]], state.theta)
        assert {network.structure for network in found[number]} == {structure}


def test_one_that_diverges_is_left_out(plan: SweepPlan) -> None:
    fast = {**plan.fixed, "optimizer": "sgd", "learning_rate": 1e25}
    _, found = refit(plan, {0: (fast, (4, 4)), 1: (plan.fixed, (4, 4))}, Inline())
    assert list(found) == [1]
    assert len(found[1]) == len(plan.seeds)


def _validation(plan: SweepPlan) -> np.ndarray:
    rows = plan.dataset.folds()[0].arrays.X_val
    assert rows is not None
    return rows
