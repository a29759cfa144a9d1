"""Data as the engine takes it: refused where it contradicts the structure, reduced, and brought into its units and back."""

from dataclasses import replace

import numpy as np
import pytest

from mlptune.core.data import PreparedFold, take_subset
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.scaling import fit_targets
from mlptune.core.training import Fold, Network, start, train
from tests.support import tables
from tests.support.classes import group_of, three_classes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.zeros((80, 4))}, r"X must have shape \(n, 5\), got \(80, 4\)"),
        ({"X": np.zeros((7, 5)), "y": np.zeros(7, int)}, "80 rows of the structure, got 7"),
        ({"y": np.zeros(79, int)}, "X: X and y must have the same number of rows, got 80 and 79"),
        ({"weight": np.ones(79)}, "X: X, y and weight must have the same number of rows, got 80, 80 and 79"),
        ({"weight_val": np.ones(3)}, "X_val: X, y and weight must have the same number of rows, got 40, 40 and 3"),
        ({"y": np.full(80, 3)}, "class indices from 0 to 2, got 3 to 3"),
        ({"y_val": np.full(40, -1)}, "X_val: y must hold class indices"),
        ({"weight": np.zeros(80)}, "not all 0"),
    ],
)
def test_data_that_contradicts_the_structure_is_refused(change, message):
    fold, hp = three_classes(), Hyperparameters()
    group = group_of(hp, fold)
    wrong = Fold(**{**vars(fold), **change})
    with pytest.raises(ValueError, match=message):
        train(group, [Network(hp, 0)], [wrong], start(group, [Network(hp, 0)]), 1, order_seed=0)


def test_a_share_is_taken_of_the_training_rows_and_keeps_each_rows_label_and_weight():
    fold = replace(three_classes(), weight=np.arange(80.0))
    taken = take_subset(group_of(Hyperparameters(subset=0.25), fold), fold, order_seed=0)
    rows = taken.weight.astype(int)
    assert len(set(rows)) == 20
    np.testing.assert_array_equal(taken.X, fold.X[rows])
    np.testing.assert_array_equal(taken.y, fold.y[rows])
    np.testing.assert_array_equal(taken.X_val, fold.X_val)
    np.testing.assert_array_equal(taken.y_val, fold.y_val)


def test_targets_of_classes_have_a_one_where_the_class_is():
    fold = three_classes()
    group = group_of(Hyperparameters(), fold)
    part = PreparedFold(group, fold, np.empty(0)).train
    labels = fold.y[:6].reshape(2, 3)
    targets = part.targets(group, labels)
    assert targets.shape == (2, 3, 3)
    np.testing.assert_array_equal(targets.argmax(axis=1), labels)
    np.testing.assert_array_equal(np.sort(targets, axis=1)[:, :2], 0)
    np.testing.assert_array_equal(targets.sum(axis=1), 1)
    one = group_of(Hyperparameters(), fold, n_outputs=1, loss="log_loss")
    np.testing.assert_array_equal(part.targets(one, labels > 0)[:, 0], [[*row] for row in labels > 0])


def test_scaled_targets_have_mean_0_and_deviation_1_and_are_brought_back():
    X, y = tables.table()
    y = 1e4 + [300.0, 0.02] * y
    group = tables.group_of(Hyperparameters(target_scaling=True))
    fold = PreparedFold(group, Fold(X, y), fit_targets(y))
    np.testing.assert_allclose(fold.train.y.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(fold.train.y.std(axis=0), 1)
    np.testing.assert_allclose(fold.to_target_units(fold.train.y), y)
    # Predictions beyond the training targets are cut to the nearest of these.
    np.testing.assert_allclose(fold.to_target_units(fold.clip(np.full((2, 1), 1e9)).T)[0], y.max(axis=0))
    np.testing.assert_allclose(fold.to_target_units(fold.clip(np.full((2, 1), -1e9)).T)[0], y.min(axis=0))
