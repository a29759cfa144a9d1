"""What Hyperband and successive halving share: any budget ends with a result."""

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlptune.search import scheduler

from .loop import curve, quality, run


@pytest.mark.parametrize("name", ["asha", "hyperband"])
@given(
    epochs=st.integers(1, 100),
    total=st.integers(1, 40),
    batch=st.integers(1, 12),
    eta=st.sampled_from([2, 2.5, 3, 4]),
    seed=st.integers(0, 5),
)
@settings(max_examples=40)
def test_any_budget_ends_with_a_result(name, epochs, total, batch, eta, seed):
    trained = run(name, epochs, total, batch, eta=eta, curve=lambda n, e: curve(n, e, seed))
    rungs = {1, *(max(1, round(epochs / eta**i)) for i in range(10))}
    assert set(trained) <= rungs
    assert max(trained) == epochs


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_losses_are_ranked_the_other_way_round(name):
    rising = run(name, 27, 30, 5)
    falling = run(name, 27, 30, 5, direction="minimize", curve=lambda n, e: -curve(n, e))
    assert rising == falling


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_trials_that_end_by_themselves_make_room(name):
    """The best by far diverges at its second rung; somebody else comes to the end."""
    best = max(range(27), key=quality)
    trained = run(name, 27, 27, 9, ends={best: 3})
    assert trained[best] == 3
    assert 27 in trained


def test_what_a_person_is_told():
    study = optuna.create_study()
    assert scheduler("hyperband", study, 27).describe(60) == [
        "Hyperband: 60 begun, most of them stopped early; in turn these brackets, 49 trials together",
        "  bracket 3: 27 to epoch 1, 9 to epoch 3, 3 to epoch 9, 1 to epoch 27",
        "  bracket 2: 12 to epoch 3, 4 to epoch 9, 1 to epoch 27",
        "  bracket 1: 6 to epoch 9, 2 to epoch 27",
        "  bracket 0: 4 to epoch 27",
        "  60 is not a multiple of 49: the last bracket has fewer trials",
    ]
    assert scheduler("asha", study, 50).describe(60) == [
        "successive halving: 60 begun, most of them stopped early; rungs at epochs 2, 6, 17, 50",
        "  of all that reached a rung the best 1 in 3 continue to the next",
    ]
