"""The training loop: ends of networks, what is kept, curves."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, f1_score, log_loss, r2_score

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.training import DIVERGED, FINISHED, Fold, Network, start, train
from mlptune.core.workspace import outputs
from tests.support.classes import group_of, run, three_classes


def test_digits_are_learned():
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order] / 16, y[order]
    fold = Fold(X[:1400], y[:1400], None, X[1400:], y[1400:], None)
    _, state, curves = run([Hyperparameters(epochs=15, learning_rate=0.003)], fold, n_outputs=10)
    assert curves.values["val_score"][0, -1] > 0.96
    assert state.status.tolist() == [FINISHED]


def test_validation_curves_and_metrics_equal_scikit_learn():
    fold = three_classes()
    fold = Fold(fold.X, fold.y, None, fold.X_val, fold.y_val, np.random.default_rng(1).uniform(0.1, 2, 40))
    hp = Hyperparameters(epochs=4, learning_rate=0.01)
    group, state, curves = run([hp], fold, metrics=["f1_macro", "accuracy"])
    p = outputs(group, state.theta, state.buffers, fold.X_val)[0].astype(np.float64)
    p /= p.sum(axis=1, keepdims=True)
    last = {name: values[0, -1] for name, values in curves.values.items()}
    weight = fold.weight_val
    assert last["val_loss"] == pytest.approx(log_loss(fold.y_val, p, sample_weight=weight), rel=1e-5)
    assert last["val_score"] == pytest.approx(accuracy_score(fold.y_val, p.argmax(1), sample_weight=weight))
    assert last["val_accuracy"] == last["val_score"]
    expected = f1_score(fold.y_val, p.argmax(1), sample_weight=weight, average="macro")
    assert last["val_f1_macro"] == pytest.approx(expected)


def test_training_curves_are_running_means_over_the_batches():
    # With a vanishing rate the network stands still, so the running mean is the mean at the start.
    generator = np.random.default_rng(0)
    X, y, weight = generator.normal(size=(45, 4)), generator.normal(size=(45, 2)), generator.uniform(0.1, 2, 45)
    hp = Hyperparameters(epochs=1, learning_rate=1e-30, l2=1.0, batch_size=10)
    kinds = {"loss": "squared_error", "n_outputs": 2, "dtype": "float64"}
    group, state, curves = run([hp], Fold(X, y, weight), **kinds)
    predicted = outputs(group, state.theta, state.buffers, X)[0]
    expected = np.average(((predicted - y) ** 2).mean(axis=1), weights=weight)
    assert curves.values["train_loss"][0, 0] == pytest.approx(expected)
    assert curves.values["train_score"][0, 0] == pytest.approx(r2_score(y, predicted, sample_weight=weight))
    assert np.isnan(curves.values["val_loss"]).all()


def test_divergence_ends_one_network_without_a_warning():
    fold = three_classes()
    hps = [Hyperparameters(learning_rate=rate, epochs=6, optimizer="sgd") for rate in (0.1, 1e30, 0.01)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, state, curves = run(hps, fold)
    assert state.status.tolist() == [FINISHED, DIVERGED, FINISHED]
    assert state.epoch.tolist() == [6, 1, 6]
    assert np.isnan(curves.values["train_loss"][1, 1:]).all()
    assert np.isfinite(curves.values["val_loss"][[0, 2]]).all()


def test_early_stopping_keeps_the_best_weights_and_its_patience():
    fold = three_classes(n=40, noise=2.0)
    hps = [
        Hyperparameters(hidden=(32,), learning_rate=0.03, epochs=60, early_stopping=patience)
        for patience in (0, 1, 4, 60)
    ]
    group, state, curves = run(hps, fold)
    losses = curves.values["val_loss"]
    assert state.epoch[0] == state.best_epoch[0] == 60
    for k, patience in ((1, 1), (2, 4)):
        trained = int(state.epoch[k])
        assert trained < 60
        assert state.best_epoch[k] == np.nanargmin(losses[k]) + 1 == trained - patience
        kept = outputs(group, state.best_theta[[k]], state.best_buffers[[k]], fold.X_val)[0]
        again = -np.log(kept[np.arange(len(kept)), fold.y_val]).mean()
        assert again == pytest.approx(losses[k, state.best_epoch[k] - 1], rel=1e-4)
        assert state.best_loss[k] == losses[k, state.best_epoch[k] - 1]
    assert state.epoch[3] == 60
    assert state.best_epoch[3] == np.argmin(losses[3]) + 1


def test_a_tie_keeps_the_earlier_epoch():
    # A network that cannot move has the same loss in every epoch.
    fold = three_classes()
    _, state, curves = run([Hyperparameters(learning_rate=1e-30, epochs=20, early_stopping=3)], fold)
    assert len(set(curves.values["val_loss"][0, :4])) == 1
    assert (state.best_epoch[0], state.epoch[0], state.status[0]) == (1, 4, FINISHED)


def test_without_a_validation_part_early_stopping_has_nothing_to_watch():
    fold = three_classes()
    _, state, _ = run([Hyperparameters(epochs=5, early_stopping=1)], Fold(fold.X, fold.y))
    assert state.epoch[0] == state.best_epoch[0] == 5


def test_epochs_order_rows_by_order_seed_and_differ():
    fold = three_classes()
    hp = Hyperparameters(epochs=1, optimizer="sgd", learning_rate=0.1, batch_size=8)
    group, networks = group_of(hp, fold), [Network(hp, 0)]
    results = [
        train(group, networks, [fold], start(group, networks), 1, order_seed=seed)[0].theta for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_a_metric_of_the_other_task_is_refused():
    with pytest.raises(ValueError, match=r"metric must be one of accuracy, .* got 'rmse'"):
        run([Hyperparameters()], three_classes(), metrics=["rmse"])


def test_a_metric_of_two_classes_is_refused_for_three():
    with pytest.raises(ValueError, match="'f1' is of two classes, not of 3; take 'f1_macro'"):
        run([Hyperparameters()], three_classes(), metrics=["f1"])
