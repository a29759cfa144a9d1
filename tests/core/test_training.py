"""The training loop: ends of networks, what is kept, curves, weights, dropout."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, f1_score, log_loss, r2_score

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import DIVERGED, FINISHED, RUNNING, Fold, Network, start, train
from mlptune.core.workspace import outputs


def group_of(hp, fold, loss="cross_entropy", n_outputs=3, dtype="float32"):
    n_rows, n_inputs = fold.X.shape
    return Structure.of(hp, n_inputs=n_inputs, n_outputs=n_outputs, n_rows=n_rows, loss=loss, dtype=dtype)


def three_classes(n=80, n_val=40, noise=1.0, seed=0):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, n + n_val)
    X = np.eye(3)[y] @ generator.normal(size=(3, 5)) + noise * generator.normal(size=(n + n_val, 5))
    return Fold(X[:n], y[:n], None, X[n:], y[n:], None)


def run(hps, fold, until=1000, state=None, seeds=None, **kwargs):
    group = group_of(hps[0], fold, **{k: kwargs.pop(k) for k in ("loss", "n_outputs", "dtype") if k in kwargs})
    networks = [Network(hp, seeds[i] if seeds else 0) for i, hp in enumerate(hps)]
    state = start(group, networks) if state is None else state
    return group, *train(group, networks, [fold], state, until, order_seed=0, **kwargs)


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


def test_a_pickled_state_goes_on_as_if_never_interrupted():
    fold = three_classes()
    hps = [Hyperparameters(epochs=9, dropout=p, schedule="cosine", early_stopping=4) for p in (0.0, 0.4)]
    _, whole, curves = run(hps, fold)
    _, half, first = run(hps, fold, until=4)
    assert half.status.tolist() == [RUNNING, RUNNING]
    _, rest, second = run(hps, fold, state=pickle.loads(pickle.dumps(half)))
    for name, values in vars(whole).items():
        np.testing.assert_array_equal(values, getattr(rest, name))
    assert second.first_epoch == 5
    for name, values in curves.values.items():
        joined = np.concatenate([first.values[name], second.values[name]], axis=1)
        np.testing.assert_array_equal(values[:, : joined.shape[1]], joined[:, : values.shape[1]])


def test_epochs_order_rows_by_order_seed_and_differ():
    fold = three_classes()
    hp = Hyperparameters(epochs=1, optimizer="sgd", learning_rate=0.1, batch_size=8)
    group, networks = group_of(hp, fold), [Network(hp, 0)]
    results = [
        train(group, networks, [fold], start(group, networks), 1, order_seed=seed)[0].theta for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


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


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_dropout_silences_its_share_and_keeps_the_mean(p, monkeypatch):
    from mlptune.core.layers import dropout as layers

    seen = []
    forward = layers.BoundDropout.forward
    monkeypatch.setattr(
        layers.BoundDropout, "forward", lambda self: (forward(self), seen.append(self.out[0, :-1] / self.x[0, :-1]))
    )
    fold = three_classes(n=96)
    hp = Hyperparameters(hidden=(50, 40), activation="logistic", dropout=p, epochs=6, learning_rate=1e-30)
    run([hp], fold)
    factors = np.concatenate([np.ravel(s) for s in seen])
    kept = factors != 0
    assert kept.mean() == pytest.approx(1 - p, abs=5 * np.sqrt(p * (1 - p) / len(factors)))
    np.testing.assert_allclose(factors[kept], 1 / (1 - p), rtol=1e-4)
    by_unit = np.stack([s.mean(axis=1) for s in seen if s.shape[0] == 50])
    assert len(np.unique(by_unit, axis=0)) == len(by_unit)


def test_dropout_is_off_in_validation():
    fold = three_classes()
    losses = []
    for p in (0.0, 0.7):
        _, _, curves = run([Hyperparameters(dropout=p, learning_rate=1e-30, epochs=1)], fold)
        losses.append((curves.values["val_loss"][0, 0], curves.values["train_loss"][0, 0]))
    assert losses[0][0] == losses[1][0]
    assert losses[0][1] != losses[1][1]


def test_label_smoothing_pulls_probabilities_from_the_corners():
    fold = three_classes(noise=0.05)
    highest = []
    for smoothing in (0.0, 0.3):
        hp = Hyperparameters(epochs=60, learning_rate=0.02, label_smoothing=smoothing)
        group, state, _ = run([hp], fold)
        highest.append(outputs(group, state.theta, state.buffers, fold.X)[0].max(axis=1).mean())
    assert highest[0] > 0.99
    assert highest[1] == pytest.approx(1 - 0.3 * 2 / 3, abs=0.03)


def test_both_initialisations_reach_both_precisions():
    fold = three_classes()
    hp = Hyperparameters(hidden=(20,), init="glorot")
    narrow, wide = (start(group_of(hp, fold, dtype=dtype), [Network(hp, 7)]).theta for dtype in ("float32", "float64"))
    np.testing.assert_array_equal(narrow, wide.astype(np.float32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.zeros((80, 4))}, r"X must have shape \(n, 5\), got \(80, 4\)"),
        ({"X": np.zeros((7, 5)), "y": np.zeros(7, int)}, "80 rows of the structure, got 7"),
        ({"y": np.zeros(79, int)}, "the same number of rows"),
        ({"y": np.full(80, 3)}, "class indices from 0 to 2, got 3 to 3"),
        ({"y_val": np.full(40, -1)}, "X_val: y must hold class indices"),
        ({"weight": np.zeros(80)}, "not all 0"),
    ],
)
def test_data_that_contradicts_the_structure_is_refused(change, message):
    fold = three_classes()
    hp = Hyperparameters()
    group = group_of(hp, fold)
    wrong = Fold(**{**vars(fold), **change})
    with pytest.raises(ValueError, match=message):
        train(group, [Network(hp, 0)], [wrong], start(group, [Network(hp, 0)]), 1, order_seed=0)


def test_a_metric_of_the_other_task_is_refused():
    with pytest.raises(ValueError, match=r"metric must be one of accuracy, .* got 'rmse'"):
        run([Hyperparameters()], three_classes(), metrics=["rmse"])


def test_a_metric_of_two_classes_is_refused_for_three():
    with pytest.raises(ValueError, match="'f1' is of two classes, not of 3; take 'f1_macro'"):
        run([Hyperparameters()], three_classes(), metrics=["f1"])
