"""Training again: on all rows the same networks as the engine makes by itself, and none of those that diverge."""

import numpy as np
import pytest

from mlptune.core.data import Fold
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.network import Network
from mlptune.core.structure import Structure
from mlptune.core.training import start, train
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.errors import SweepFailed
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from mlptune.experiments.launch.retraining import refit, train_again
from mlptune.tracking.records import TrialRecord
from tests.support.sweeps import iris


@pytest.fixture(scope="module")
def plan() -> SweepPlan:
    spec, _ = load_spec(iris(space={}, data__seeds=2, model={"epochs": 9, "early_stopping": 2}))
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))


def test_they_are_those_of_the_engine_at_the_median_of_the_best_epochs(plan: SweepPlan) -> None:
    trials = [finished(3, (2, 5), hidden=[6]), finished(8, (7, 7), hidden=[4])]
    development, found = refit(plan, trials, Inline())
    assert len(development.arrays.X) == sum(len(part) for part in (plan.dataset.folds()[0].arrays.X, _validation(plan)))
    assert list(found) == [3, 8]
    for trial, epochs in zip(trials, (3, 7), strict=True):
        hp = Hyperparameters.from_config({**plan.fixed, **trial.params, "early_stopping": 0})
        n_rows, n_inputs = development.arrays.X.shape
        structure = Structure.of(hp, n_inputs=n_inputs, n_outputs=3, n_rows=n_rows, loss="cross_entropy")
        networks = [Network(hp, seed) for seed in plan.seeds]
        rows = Fold(development.arrays.X, development.arrays.y)
        state, _ = train(structure, networks, [rows], start(structure, networks), epochs, order_seed=plan.spec.seed)
        assert np.array_equal([network.theta for network in found[trial.number]], state.theta)
        assert {network.structure for network in found[trial.number]} == {structure}


def test_one_that_diverges_is_left_out(plan: SweepPlan) -> None:
    diverging = finished(0, (4, 4), optimizer="sgd", learning_rate=1e25)
    _, found = refit(plan, [diverging, finished(1, (4, 4))], Inline())
    assert list(found) == [1]
    assert len(found[1]) == len(plan.seeds)
    with pytest.raises(SweepFailed, match="training trial 0 again did not give the recorded result"):
        train_again(plan, [diverging], Inline())


def finished(number: int, best_epochs: tuple[int, ...], **params: object) -> TrialRecord:
    return TrialRecord(number, "complete", 0.9, params, best_epochs=best_epochs)


def _validation(plan: SweepPlan) -> np.ndarray:
    rows = plan.dataset.folds()[0].arrays.X_val
    assert rows is not None
    return rows
