"""How much work a sweep is: counted as the engine counts it, and what fits a budget."""

import pytest

from mlptune.core.cost import OPERATIONS_A_STEP, operations
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.experiments.launch import forecast
from tests.support.plans import plan


def test_a_trial_costs_what_its_networks_cost() -> None:
    made = plan(data__folds=3, data__seeds=2, space={"dropout": [0.0, 0.2]}, model={"hidden": [8], "epochs": 5})
    hp = Hyperparameters(hidden=(8,), epochs=5)
    one = [
        Structure.of(hp, n_inputs=30, n_outputs=1, n_rows=len(fold.arrays.X), loss="log_loss")
        for fold in made.dataset.folds()
    ]
    expected = 2 * 5 * sum(operations(s) + s.steps * OPERATIONS_A_STEP for s in one)
    assert made.trial_operations == pytest.approx(expected)


def test_trials_stop_early_where_that_is_on() -> None:
    assert plan().stops_early
    assert not plan(model={"epochs": 5, "early_stopping": 0}).stops_early


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (1.0, (64, 1.0)),
        (2.0, (50, 1.0)),
        (4.0, (25, 1.0)),
        (5.0, (24, 0.58)),
        (10.0, (24, 0.21)),
        (20.0, (24, 0.1)),
        (1e9, (24, 0.01)),
        (0.0, (64, 1.0)),
    ],
)
def test_what_fits_is_fewer_trials_first_and_then_cheaper_ones(cost: float, expected: tuple[int, float]) -> None:
    assert forecast.affordable(cost, 64, budget=100.0) == expected


@pytest.mark.parametrize("cost", [4.2, 5.0, 8.0, 10.0, 15.0, 40.0])
def test_trials_and_members_take_the_budget_together(cost: float) -> None:
    trials, share = forecast.affordable(cost, 64, budget=100.0)
    members = forecast.MEMBERS * cost * forecast.member_share(share)
    assert trials * cost * share + members == pytest.approx(100.0, rel=0.05)
    assert forecast.affordable(cost, 64, 100.0, members=0)[1] == pytest.approx(100.0 / (24 * cost), abs=0.006)


def test_where_members_are_trained_on_all_rows_too_trials_leave_them_room() -> None:
    trials, share = forecast.affordable(3.0, 64, budget=100.0, refit=1.25)
    assert (trials, share) == (25, 1.0)
    assert (trials + 6 * 1.25) * 3.0 == pytest.approx(100.0, abs=3.0)


def test_a_trial_costs_the_mean_of_its_choices() -> None:
    """Each choice counts as often as any other, whatever its place in the list."""
    embeddings, shapes = ["none", "periodic", "cosine"], [[8], [16, 16]]
    alone = [
        plan(space={"dropout": [0.0]}, model={"hidden": hidden, "embedding": embedding, "epochs": 5}).trial_operations
        for embedding in embeddings
        for hidden in shapes
    ]
    for names in (embeddings, embeddings[::-1]):
        made = plan(space={"embedding": names, "hidden": shapes}, model={"epochs": 5})
        assert made.trial_operations == pytest.approx(sum(alone) / len(alone))
