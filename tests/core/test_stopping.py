"""Ends by tolerance, rates that fall at plateaus, gradient norms: what is decided or noted after an epoch."""

import numpy as np
import pytest

from mlptune.core.estimators import MLPClassifier, MLPRegressor
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.schedules import multiplier
from mlptune.core.stopping import apply_stopping_rules
from mlptune.core.structure import Structure
from mlptune.core.training import FINISHED, RUNNING, Fold, Network, start, train

from .reference import load


def data(n=60, n_val=30, noise=1.0):
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, n + n_val)
    X = np.eye(3)[y] @ generator.normal(size=(3, 5)) + noise * generator.normal(size=(n + n_val, 5))
    return Fold(X[:n], y[:n], None, X[n:], y[n:], None)


def run(hps, fold, until=1000, **options):
    group = Structure.of(hps[0], n_inputs=5, n_outputs=3, n_rows=len(fold.X), loss="cross_entropy", dtype="float64")
    networks = [Network(hp, 0) for hp in hps]
    return group, *train(group, networks, [fold], start(group, networks), until, order_seed=0, **options)


def test_training_ends_when_its_loss_no_longer_falls():
    hps = [Hyperparameters(epochs=300, learning_rate=0.01, tolerance=t, tolerance_epochs=4) for t in (0.0, 1e-3, 1e-2)]
    _, state, curves = run(hps, data())
    assert state.status.tolist() == [FINISHED] * 3
    assert 300 == state.epoch[0] > state.epoch[1] > state.epoch[2] > 4
    assert (state.best_epoch == state.epoch).all()
    for k in (1, 2):
        losses = curves.values["train_loss"][k, : state.epoch[k]]
        before, since = losses[:-4], losses[-4:]
        assert since.min() >= before.min() - hps[k].tolerance
        # Any four epochs earlier had lowered it by more.
        lowest = np.minimum.accumulate(losses)
        assert (lowest[:-5] - lowest[4:-1] > 0).all()


def test_a_change_of_nothing_ends_after_the_patience_and_zero_never_ends():
    hps = [Hyperparameters(epochs=12, learning_rate=1e-30, tolerance=t, tolerance_epochs=3) for t in (1e-6, 0.0)]
    _, state, _ = run(hps, data())
    # The running mean sums in another order each epoch; the tolerance is far above that.
    assert state.epoch.tolist() == [4, 12]


def test_an_error_near_zero_ends_at_once():
    _, state, curves = run([Hyperparameters(epochs=200, learning_rate=0.02, tolerance=0.01)], data(noise=0.01))
    losses = curves.values["train_loss"][0]
    assert state.epoch[0] < 200
    assert losses[-1] <= 0.01
    assert (losses[:-1] > 0.01).all()


@pytest.mark.parametrize("decay", [None, 0.5])
def test_the_rate_falls_at_each_plateau(decay):
    hp = Hyperparameters(
        epochs=11, learning_rate=1e-30, optimizer="sgd", schedule="plateau", plateau_epochs=3, decay=decay
    )
    factor = 0.1 if decay is None else decay
    for until, falls in ((3, 0), (4, 1), (6, 1), (7, 2), (11, 3)):
        _, state, _ = run([hp], data(), until)
        assert state.rate_factor[0] == pytest.approx(factor**falls)


def test_the_fallen_rate_is_used():
    fold = data()
    hp = Hyperparameters(epochs=30, learning_rate=0.5, optimizer="sgd", schedule="plateau", plateau_epochs=2)
    group, state, _ = run([hp], fold, 29)
    assert state.status[0] == RUNNING
    factor = state.rate_factor[0]
    assert factor < 1
    after, _ = train(group, [Network(hp, 0)], [fold], state, 30, order_seed=0)
    plain = Hyperparameters(epochs=30, learning_rate=0.5 * factor, optimizer="sgd")
    group = Structure.of(plain, n_inputs=5, n_outputs=3, n_rows=60, loss="cross_entropy", dtype="float64")
    expected, _ = train(group, [Network(plain, 0)], [fold], state, 30, order_seed=0)
    np.testing.assert_allclose(after.theta, expected.theta, rtol=1e-8)


def test_the_plateau_schedule_equals_torch():
    reference = load("schedules")
    hp = Hyperparameters(epochs=1000, schedule="plateau", **reference["plateau_json"])
    group = Structure.of(hp, n_inputs=5, n_outputs=3, n_rows=60, loss="cross_entropy")
    networks = [Network(hp, 0)]
    state, no, yes = start(group, networks), np.array([False]), np.array([True])
    rates = []
    for loss in reference["plateau/losses"]:
        curves = {name: np.array([loss]) for name in ("train_loss", "val_loss", "train_score")}
        apply_stopping_rules(group, networks, state, curves, diverged=no, has_validation=yes)
        rates.append(state.rate_factor[0])
    assert 0 < rates[-1] < 0.1
    np.testing.assert_allclose(rates, reference["plateau/rates"], rtol=1e-12)


@pytest.mark.parametrize("total", [5, 10, 33])
def test_one_cycle_equals_torch(total):
    rates = multiplier("one_cycle", np.arange(total), total, 4e-6, 0.0)
    np.testing.assert_allclose(rates, load("schedules")[f"one_cycle/{total}"], rtol=1e-6)


def test_without_a_validation_part_the_plateau_is_the_training_losses():
    fold = data()
    hp = Hyperparameters(epochs=8, learning_rate=1e-30, schedule="plateau", plateau_epochs=7, tolerance=0.0)
    _, state, curves = run([hp], Fold(fold.X, fold.y))
    assert np.isnan(curves.values["val_loss"]).all()
    assert state.plateau[0, 0] == curves.values["train_loss"][0].min()


def test_gradient_norms_are_the_lengths_of_the_steps_of_plain_descent():
    fold = data()
    hp = Hyperparameters(hidden=(7, 4), epochs=1, optimizer="sgd", learning_rate=1.0, batch_size=60, clip_norm=None)
    group, state, curves = run([hp], fold, gradient_norms=True)
    _, plain, _ = run([hp], fold)
    np.testing.assert_array_equal(state.theta, plain.theta)
    step = state.theta - start(group, [Network(hp, 0)]).theta
    for i, (begin, end) in enumerate(group.offsets):
        assert curves.values[f"grad_norm_{i + 1}"][0, 0] == pytest.approx(np.linalg.norm(step[0, begin:end]))
    assert "grad_norm_4" not in curves.values


def test_gradient_norms_are_means_over_the_batches_and_of_the_loss_alone():
    # Neither penalties nor clipping count; a network that stands still has the same gradient for the same rows.
    fold = data()
    sizes = {"hidden": (3,), "epochs": 1, "learning_rate": 1e-30, "optimizer": "sgd"}
    hps = [Hyperparameters(**sizes, batch_size=20), Hyperparameters(**sizes, batch_size=20, l2=9.0, clip_norm=1e-3)]
    _, _, curves = run(hps, fold, gradient_norms=True)
    order = np.random.default_rng(np.random.SeedSequence((0, 1))).permutation(60)
    for i in (1, 2):
        norms = []
        for rows in order.reshape(3, 20):
            alone = Hyperparameters(**sizes, batch_size=20)
            _, _, part = run([alone], Fold(fold.X[rows], fold.y[rows]), gradient_norms=True)
            norms.append(part.values[f"grad_norm_{i}"][0, 0])
        np.testing.assert_allclose(curves.values[f"grad_norm_{i}"][:, 0], np.mean(norms))


@pytest.mark.parametrize(("activation", "vanishes"), [("logistic", True), ("relu", False)])
def test_an_estimator_shows_vanishing_gradients(activation, vanishes):
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(200, 8)), generator.integers(0, 2, 200)
    model = MLPClassifier(hidden=(16,) * 6, activation=activation, epochs=3, gradient_norms=True, random_state=0).fit(
        X, y
    )
    assert [name for name in model.history_ if name.startswith("grad")] == [f"grad_norm_{i}" for i in range(1, 8)]
    first, last = np.array(model.history_["grad_norm_1"]), np.array(model.history_["grad_norm_7"])
    assert len(first) == 3
    # Six logistic units in a chain pass on at most 4^-6 of the slope (times the weights).
    assert ((first / last) < 1e-3).all() == vanishes


def test_an_estimator_sees_gradients_explode():
    X = np.random.default_rng(0).normal(size=(50, 4))
    model = MLPRegressor(
        hidden=(), optimizer="sgd", learning_rate=2.0, epochs=5, gradient_norms=True, random_state=0
    ).fit(X, X[:, 0])
    norms = model.history_["grad_norm_1"]
    assert norms == sorted(norms)
    assert norms[-1] > 10 * norms[0]


def test_a_stretch_of_no_epochs_changes_nothing():
    X = np.random.default_rng(0).normal(size=(20, 3))
    hp = Hyperparameters(hidden=(4,), epochs=3, scaling="standard", target_scaling=True, init="data")
    group = Structure.of(hp, n_inputs=3, n_outputs=1, n_rows=20, loss="squared_error")
    begun, fold = start(group, [Network(hp, 0)]), Fold(X, X[:, :1])
    state, curves = train(group, [Network(hp, 0)], [fold], begun, 0, order_seed=0)
    for name, values in vars(begun).items():
        np.testing.assert_array_equal(values, getattr(state, name))
    assert curves.values["train_loss"].shape == (1, 0)
