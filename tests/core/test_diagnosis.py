"""What the learning curves of the lectures show: overfitting and what helps, underfitting, rates, restarts, batches."""

import numpy as np
import pytest

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import DIVERGED, FINISHED, Fold, Network, start, train


def noisy(n=60, n_val=400):
    """Two inputs of twenty say something about the class, through a product that no single layer can form."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(n + n_val, 20))
    y = (X[:, 0] * X[:, 1] + 0.5 * X[:, 0] + 0.7 * generator.normal(size=len(X)) > 0).astype(int)
    return Fold(X[:n], y[:n], None, X[n:], y[n:], None)


def run(fold, seeds=(0, 1, 2), **settings):
    """State, and curves as the mean over the seeds."""
    hp = Hyperparameters(**settings)
    n_rows, n_inputs = fold.X.shape
    group = Structure.of(hp, n_inputs=n_inputs, n_outputs=1, n_rows=n_rows, loss="log_loss")
    networks = [Network(hp, seed) for seed in seeds]
    state, curves = train(group, networks, [fold], start(group, networks), hp.epochs, order_seed=0)
    return state, {name: values.mean(axis=0) for name, values in curves.values.items()}


OVERFITTING = {"hidden": (64,), "learning_rate": 0.01, "epochs": 60}


def test_a_gap_between_training_and_validation_shows_overfitting():
    _, curves = run(noisy(), **OVERFITTING)
    assert curves["train_score"][-1] > 0.99
    assert curves["val_score"][-1] < 0.8
    best = curves["val_loss"].argmin()
    assert 0 < best < 20, "the validation loss turns while the training loss goes on falling"
    assert curves["val_loss"][-1] > 2 * curves["val_loss"][best]


@pytest.mark.parametrize(
    "remedy",
    [{"l2": 0.1}, {"l1": 0.02}, {"dropout": 0.8}, {"optimizer": "adamw", "weight_decay": 3.0}, {"hidden": (2,)}],
    ids=str,
)
def test_regularisation_and_fewer_units_narrow_the_gap(remedy):
    gaps = []
    for settings in (OVERFITTING, {**OVERFITTING, **remedy}):
        _, curves = run(noisy(), **settings)
        gaps.append(curves["val_loss"][-1] - curves["train_loss"][-1])
    assert gaps[1] < 0.7 * gaps[0]


def test_early_stopping_keeps_what_validates_best():
    fold = noisy()
    _, plain = run(fold, **OVERFITTING)
    state, _ = run(fold, **OVERFITTING, early_stopping=5)
    assert state.best_loss.mean() < 0.6 * plain["val_loss"][-1]


def test_underfitting_is_poor_on_training_data_and_more_capacity_or_time_helps():
    fold = noisy(n=400)
    small = {"hidden": (1,), "learning_rate": 0.003, "epochs": 5}
    loss = {
        name: run(fold, **{**small, **change})[1]["train_loss"][-1]
        for name, change in {"small": {}, "longer": {"epochs": 40}, "larger": {"hidden": (64,), "epochs": 40}}.items()
    }
    assert loss["larger"] < loss["longer"] < loss["small"]


def test_a_large_rate_diverges_and_a_small_one_is_slow():
    fold = noisy()
    settings = {"hidden": (16,), "optimizer": "sgd", "epochs": 10, "activation": "leaky_relu", "loss": "auto"}
    state, _ = run(fold, **settings, learning_rate=1e6)
    assert (state.status == DIVERGED).any()
    slow, good = (run(fold, **settings, learning_rate=rate)[1]["train_loss"][-1] for rate in (1e-4, 1e-1))
    assert good < 0.8 * slow


def test_restarts_from_different_seeds_end_differently():
    # Two hidden units suffice for XOR, but from many starts plain descent ends in a local minimum.
    fold = Fold(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0]))
    hp = Hyperparameters(hidden=(2,), activation="tanh", learning_rate=0.05, epochs=300)
    group = Structure.of(hp, n_inputs=2, n_outputs=1, n_rows=4, loss="log_loss")
    networks = [Network(hp, seed) for seed in range(30)]
    state, curves = train(group, networks, [fold], start(group, networks), 300, order_seed=0)
    assert (state.status == FINISHED).all()
    scores = curves.values["train_score"][:, -1]
    assert scores.max() == 1 > scores.min()


@pytest.mark.parametrize("batch_size", [1, 7, 60, 1000])
def test_one_step_a_batch_from_single_examples_to_the_full_batch(batch_size):
    fold = noisy()
    state, curves = run(fold, hidden=(4,), batch_size=batch_size, epochs=3, learning_rate=0.01)
    assert (state.step == 3 * -(-60 // min(batch_size, 60))).all()
    assert curves["train_loss"][-1] < curves["train_loss"][0]


def test_sensible_defaults():
    assert [Hyperparameters(optimizer=name).effective_learning_rate for name in ("adam", "rmsprop", "sgd")] == [
        0.001,
        0.001,
        0.01,
    ]
    hp = Hyperparameters()
    assert hp.batch_size in (32, 64)
    assert 1 <= len(hp.hidden) <= 3
