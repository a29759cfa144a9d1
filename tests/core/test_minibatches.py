"""Mini-batches: each network meets its own fold's rows, and weights and label smoothing are in the targets."""

import numpy as np
import pytest

from mlptune.core.data import PreparedFold
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.minibatches import Minibatches
from mlptune.core.training import Fold
from mlptune.core.workspace import outputs
from tests.support.classes import group_of, run, three_classes


def test_label_smoothing_pulls_probabilities_from_the_corners():
    fold = three_classes(noise=0.05)
    highest = []
    for smoothing in (0.0, 0.3):
        hp = Hyperparameters(epochs=60, learning_rate=0.02, label_smoothing=smoothing)
        group, state, _ = run([hp], fold)
        highest.append(outputs(group, state.theta, state.buffers, fold.X)[0].max(axis=1).mean())
    assert highest[0] > 0.99
    assert highest[1] == pytest.approx(1 - 0.3 * 2 / 3, abs=0.03)


def test_integer_weights_equal_repeated_rows_in_a_full_batch():
    fold = three_classes(n=30)
    times = np.random.default_rng(0).integers(0, 4, 30)
    results = []
    for X, y, weight in ((fold.X, fold.y, times), (np.repeat(fold.X, times, axis=0), np.repeat(fold.y, times), None)):
        hp = Hyperparameters(epochs=20, learning_rate=0.01, batch_size=1000)
        _, state, curves = run([hp], Fold(X, y, weight), dtype="float64")
        results.append((state.theta[0], curves.values["train_loss"][0], curves.values["train_score"][0]))
    for weighted, repeated in zip(*results, strict=True):
        np.testing.assert_allclose(weighted, repeated, rtol=1e-9, atol=1e-12)


def loaded(folds, fold_of, indices, rows=4):
    group = group_of(Hyperparameters(), folds[0], dtype="float64")
    prepared = [PreparedFold(group, fold, np.empty(0)) for fold in folds]
    batches = Minibatches(group, prepared, np.array(fold_of), rows, len(indices) // rows)
    batches.load(indices)
    return batches


@pytest.mark.parametrize("fold_of", [[0, 0], [1, 0, 1]])
def test_each_network_meets_the_rows_of_its_own_fold(fold_of):
    folds = [three_classes(seed=seed) for seed in range(max(fold_of) + 1)]
    indices = np.random.default_rng(0).permutation(80)[:12]
    batches = loaded(folds, fold_of, indices)
    for j, rows in enumerate(indices.reshape(3, 4)):
        x = np.broadcast_to(batches.inputs(j), (len(fold_of), 6, 4))
        labels = np.broadcast_to(batches.labels[:, j], (len(fold_of), 4))
        for k, f in enumerate(fold_of):
            np.testing.assert_array_equal(x[k, :-1].T, folds[f].X[rows])
            np.testing.assert_array_equal(x[k, -1], 1)
            np.testing.assert_array_equal(labels[k], folds[f].y[rows])


def test_a_rows_share_of_its_batch_is_by_weight_and_a_batch_of_no_weight_counts_nothing():
    fold = three_classes()
    weight = np.r_[np.zeros(4), 1.0, 3.0, 0.0, 4.0, np.ones(72)]
    batches = loaded([Fold(fold.X, fold.y, weight)], [0], np.arange(12))
    np.testing.assert_allclose(batches.scale[0, :, 0], [[0] * 4, [0.125, 0.375, 0, 0.5], [0.25] * 4])
    np.testing.assert_allclose(batches.target.sum(axis=2), batches.scale[:, :, 0])
