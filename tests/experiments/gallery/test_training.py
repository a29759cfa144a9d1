"""The stacks of the pictures: one structure, looked at on the way without a change."""

import numpy as np
import pytest

from mlptune.experiments.gallery.training import digits, moons, plane, train_stack

X, Y = moons(40, 0.1, 0)
BASE = {"hidden": [4], "batch_size": 10}


def test_looking_on_the_way_changes_nothing() -> None:
    rates = [{**BASE, "learning_rate": rate} for rate in (0.01, 0.1)]
    whole = train_stack(rates, X, Y, loss="log_loss", epochs=6)
    looked = train_stack(rates, X, Y, loss="log_loss", epochs=6, looks=(1, 4))
    np.testing.assert_array_equal(whole.curves["train_loss"], looked.curves["train_loss"])
    np.testing.assert_array_equal(whole.predict(X), looked.predict(X))
    assert sorted(looked.states) == [0, 1, 4, 6]
    assert not np.array_equal(looked.predict(X, 1), looked.predict(X, 6))


def test_networks_of_several_structures_are_no_stack() -> None:
    with pytest.raises(ValueError, match="one structure, got 2"):
        train_stack([BASE, {**BASE, "hidden": [5]}], X, Y, loss="log_loss", epochs=1)


def test_the_plane_runs_from_the_top_left_row_by_row() -> None:
    grid = plane(3, 1.0)
    assert grid.tolist() == [[-1, 1], [0, 1], [1, 1], [-1, 0], [0, 0], [1, 0], [-1, -1], [0, -1], [1, -1]]


def test_digits_are_parted_without_overlap() -> None:
    X, y, (X_val, y_val) = digits(100)
    assert len(X) == len(y) == 100
    assert len(X_val) == len(y_val) == 1697
    assert (X.min(), X.max()) == (-1, 1)
