"""What the model may be made of: the same trials in whatever order they come, and predictions that survive being stored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlptune.experiments.execution.evaluation import Outcome
from mlptune.experiments.launch import library
from mlptune.experiments.launch.library import Library, from_bytes, to_bytes
from mlptune.tracking.records import TrialRecord


def ended(number: int, value: float | None, state: str = "complete") -> tuple[TrialRecord, Outcome]:
    part = np.full((4, 1), 0.25 + number, dtype=np.float32)
    return TrialRecord(number, state, value), Outcome(
        number, 1, ended="finished", value=value, predictions=(part,), crossfit=(part,)
    )


@given(st.permutations(range(8)), st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=8, max_size=8))
def test_the_best_are_in_it_in_whatever_order_they_came(order: list[int], values: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "SIZE", 3)
        found = Library("maximize")
        taken = {n: found.add(*ended(n, values[n])) for n in order}
    best = sorted(range(8), key=lambda n: (-values[n], n))[:3]
    assert [entry.record.number for entry in found.entries()] == sorted(best)
    # Whoever is in it at the end was told so when it came, and was therefore stored.
    assert all(taken[n] for n in best)


def test_what_is_not_complete_or_predicts_no_numbers_stays_out() -> None:
    found = Library("minimize")
    assert not found.add(*ended(0, 0.5, "pruned"))
    record, outcome = ended(1, 0.5)
    outcome.predictions[0][2] = np.nan
    assert not found.add(record, outcome)
    assert found.missing([record]) == [record]
    assert found.add(*ended(2, 0.7))
    assert 2 in found
    assert found.missing([record, ended(2, 0.7)[0]]) == [record]


def test_stored_predictions_come_back_bit_for_bit_and_damaged_ones_not_at_all() -> None:
    parts = (np.random.default_rng(0).random((5, 3), dtype=np.float32), np.ones((2, 3), dtype=np.float32))
    data = to_bytes(parts)
    assert data == to_bytes(parts)
    shapes = [(5, 3), (2, 3)]
    for part, again in zip(parts, from_bytes(data, shapes), strict=True):
        np.testing.assert_array_equal(part, again, strict=True)
    assert from_bytes(data, [(5, 3), (3, 3)]) == ()
    assert from_bytes(data, [*shapes, (1, 3)]) == ()
    assert from_bytes(to_bytes((parts[0], parts[1] * np.inf)), shapes) == ()
    for end in range(0, len(data), 7):
        assert from_bytes(data[:end], shapes) == ()
