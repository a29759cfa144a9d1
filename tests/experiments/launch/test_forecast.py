"""How much work a sweep is: counted as the engine counts it, and what fits a budget."""

from typing import Any

import pytest

from mlptune.core.cost import operations
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.launch import forecast
from mlptune.experiments.launch.plan import SweepPlan, make_plan
from tests.support.sweeps import small


def plan(**changes: Any) -> SweepPlan:
    spec, _ = load_spec(small(**changes))
    return make_plan(spec, Dataset.load(spec.data, spec.seed, spec.base))


def test_a_trial_costs_what_its_networks_cost() -> None:
    made = plan(data__folds=3, data__seeds=2, space={"dropout": [0.0, 0.2]}, model={"hidden": [8], "epochs": 5})
    hp = Hyperparameters(hidden=(8,), epochs=5)
    one = [
        Structure.of(hp, n_inputs=30, n_outputs=1, n_rows=len(fold.arrays.X), loss="log_loss")
        for fold in made.dataset.folds()
    ]
    expected = 2 * 5 * sum(operations(s) + s.steps * forecast.OPERATIONS_A_STEP for s in one)
    assert made.trial_operations == pytest.approx(expected)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [(1.0, (64, 1.0)), (2.0, (50, 1.0)), (4.0, (25, 1.0)), (10.0, (24, 0.42)), (1e9, (24, 0.01)), (0.0, (64, 1.0))],
)
def test_what_fits_is_fewer_trials_first_and_then_cheaper_ones(cost: float, expected: tuple[int, float]) -> None:
    assert forecast.affordable(cost, 64, budget=100.0) == expected


def test_only_a_sweep_of_which_nothing_was_said_is_cut_to_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    silent: dict[str, Any] = {"space": None, "model": {}, "search": {"method": "auto"}}
    cost = plan(**silent).trial_operations
    monkeypatch.setattr(forecast.affordable, "__defaults__", (30.5 * cost, 24))
    assert plan(**silent).total == 30
    assert plan(**{**silent, "search": {"method": "auto", "trials": 50}}).total == 50
    assert plan(search={"method": "auto"}).total == 64  # a space of its own
    monkeypatch.setattr(forecast.affordable, "__defaults__", (12.0 * cost, 24))
    cheap = plan(**silent)
    assert (cheap.total, cheap.fixed["subset"]) == (24, 0.5)
    assert any("50% of the rows" in note for note in cheap.notes)


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
