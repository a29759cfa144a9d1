"""Averages of the parameters: an exponential moving one, and that of schedule-free training, in validation and models."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from mlptune.core.estimators import MLPClassifier
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import outputs
from tests.support.stacks import same_bits, same_states

N, D = 30, 4


def fold_of(task="regression"):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(2 * N, D))
    y = X @ [[1.0], [-2.0], [0.5], [0.0]] + 0.3 * generator.normal(size=(2 * N, 1)) + 1.0
    if task == "classification":
        y = (y[:, 0] > 1.0).astype(np.int64)
    return Fold(X[:N], y[:N], None, X[N:], y[N:])


def group_of(hp, loss="squared_error", dtype="float64"):
    return Structure.of(hp, n_inputs=D, n_outputs=1, n_rows=N, loss=loss, dtype=dtype)


def path_of(hp, steps, group=None):
    """The states after each of the steps, one a segment: a batch is all rows."""
    group, networks = group or group_of(hp), [Network(hp, 0)]
    states, curves = [start(group, networks)], []
    for epoch in range(1, steps + 1):
        state, part = train(group, networks, [fold_of()], states[-1], epoch, order_seed=0)
        states.append(state)
        curves.append(part.values["val_loss"][0, 0])
    return group, states, curves


@pytest.mark.parametrize("ema", [0.05, 0.5, 0.9, 0.999])
def test_the_average_is_that_of_the_path(ema):
    hp = Hyperparameters(hidden=(5,), epochs=30, batch_size=N, learning_rate=0.02, ema=ema)
    group, states, val_losses = path_of(hp, 30)
    average = states[0].theta[0]
    fold = fold_of()
    for t, (state, val_loss) in enumerate(zip(states[1:], val_losses, strict=True)):
        decay = min(ema, (1 + t) / (10 + t))
        average = decay * average + (1 - decay) * state.theta[0]
        np.testing.assert_allclose(state.slots[0, -1], average, rtol=1e-12)
        np.testing.assert_array_equal(state.best_theta[0], state.slots[0, -1])
        predicted = outputs(group, average[None], state.buffers, fold.X_val)[0]
        assert val_loss == pytest.approx(np.mean((predicted - fold.y_val) ** 2), rel=1e-9)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_goes_on_as_without_it(optimizer):
    settings = {
        "hidden": (5,),
        "epochs": 4,
        "batch_size": 7,
        "optimizer": optimizer,
        "dropout": 0.2,
        "weight_decay": 0.1,
    }
    plain, averaged = Hyperparameters(**settings), Hyperparameters(**settings, ema=0.9)
    states, curves = zip(
        *(
            train(group, [Network(hp, 0)], [fold_of()], start(group, [Network(hp, 0)]), 4, order_seed=0)
            for hp in (plain, averaged)
            for group in [group_of(hp)]
        ),
        strict=True,
    )
    same_bits(states[0].theta, states[1].theta)
    same_bits(states[0].slots, states[1].slots[:, :-1])
    same_bits(curves[0].values["train_loss"], curves[1].values["train_loss"])
    assert (curves[0].values["val_loss"] != curves[1].values["val_loss"]).all()


def test_early_stopping_keeps_the_average_that_validated_best():
    hp = Hyperparameters(hidden=(20,), epochs=200, learning_rate=0.05, early_stopping=5, ema=0.8)
    group, fold = group_of(hp), fold_of()
    networks = [Network(hp, 0)]
    state, curves = train(group, networks, [fold], start(group, networks), 200, order_seed=0)
    losses = curves.values["val_loss"][0]
    assert len(losses) < 200
    assert state.best_epoch[0] == np.argmin(losses) + 1
    predicted = outputs(group, state.best_theta, state.best_buffers, fold.X_val)[0]
    assert np.mean((predicted - fold.y_val) ** 2) == pytest.approx(losses.min(), rel=1e-9)


def test_an_estimator_predicts_with_the_average():
    X, y = load_iris(return_X_y=True)
    settings = {"hidden": (8,), "epochs": 5, "learning_rate": 0.05, "scaling": "standard", "random_state": 0}
    model = MLPClassifier(**settings, ema=0.9).fit(X, y)
    np.testing.assert_array_equal(model._state.best_theta, model._state.slots[:, -1])
    plain = MLPClassifier(**settings).fit(X, y)
    assert np.abs(model.predict_proba(X) - plain.predict_proba(X)).max() > 0.01
    stepwise = MLPClassifier(**settings, ema=0.9)
    for _ in range(5):
        stepwise.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(model.predict_proba(X), stepwise.predict_proba(X))
    with pytest.raises(ValueError, match="whether ema is 0 must stay"):
        stepwise.set_params(ema=0.0).partial_fit(X, y)


def test_whether_there_is_an_average_is_structure_and_its_decay_is_not():
    off, low, high = (group_of(Hyperparameters(ema=ema)) for ema in (0.0, 0.5, 0.9))
    assert off != low == high
    free, both = (group_of(Hyperparameters(optimizer="schedule_free", ema=ema)) for ema in (0.0, 0.5))
    assert free == both
    assert free.average_slot == 2


def paper(hp, theta, X, y, steps):
    """Defazio et al. 2024, algorithm 1, for least squares with the weights w and a bias, which does not decay."""
    x, z = theta.copy(), theta.copy()
    v, total = np.zeros_like(theta), 0.0
    rows = np.column_stack([X, np.ones(len(X))])
    decays = np.append(np.ones(X.shape[1]), 0.0) * hp.effective_weight_decay
    points = []
    for t in range(1, steps + 1):
        y_t = (1 - hp.beta_1) * z + hp.beta_1 * x
        g = 2 * rows.T @ (rows @ y_t - y[:, 0]) / len(rows)
        v = hp.effective_beta_2 * v + (1 - hp.effective_beta_2) * g * g
        corrected = v / (1 - hp.effective_beta_2**t)
        warm = int(hp.warmup * hp.epochs)
        rate = hp.effective_learning_rate * (min(1.0, t / warm) if warm else 1.0)
        z = z - rate * g / (np.sqrt(corrected) + hp.epsilon) - rate * decays * y_t
        total += rate * rate
        x = (1 - rate * rate / total) * x + rate * rate / total * z
        points.append((x, z))
    return points


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"weight_decay": 0.3},
        {"warmup": 0.25, "beta_1": 0.8, "beta_2": 0.95},
        {"beta_1": 0.0, "warmup": 0.5, "weight_decay": 0.1},
        {"epsilon": 0.1},
    ],
)
def test_schedule_free_follows_the_paper(change):
    hp = Hyperparameters(
        **{"hidden": (), "epochs": 40, "batch_size": N, "optimizer": "schedule_free", "learning_rate": 0.05} | change
    )
    _, states, _ = path_of(hp, 40)
    fold = fold_of()
    for state, (x, z) in zip(states[1:], paper(hp, states[0].theta[0], fold.X, fold.y, 40), strict=True):
        np.testing.assert_allclose(state.best_theta[0], x, rtol=1e-10)
        np.testing.assert_allclose(state.slots[0, 1], z, rtol=1e-10)
        np.testing.assert_allclose(state.theta[0], (1 - hp.beta_1) * z + hp.beta_1 * x, rtol=1e-10)


@pytest.mark.parametrize("change", [{}, {"hidden": (6,), "init": "data"}, {"parametrization": "ntk"}])
def test_the_average_is_what_is_validated(change):
    hp = Hyperparameters(**{"epochs": 3, "batch_size": 8, "optimizer": "schedule_free", "learning_rate": 0.05} | change)
    group, networks, fold = group_of(hp), [Network(hp, 0)], fold_of()
    state, curves = train(group, networks, [fold], start(group, networks), 3, order_seed=0)
    np.testing.assert_array_equal(state.best_theta, state.slots[:, 2])
    predicted = outputs(group, state.best_theta, state.buffers, fold.X_val)[0]
    assert curves.values["val_loss"][0, -1] == pytest.approx(np.mean((predicted - fold.y_val) ** 2), rel=1e-9)
    assert not np.array_equal(state.theta, state.best_theta)


def test_a_schedule_that_begins_at_rate_0_begins_all_the_same():
    hp = Hyperparameters(hidden=(), epochs=10, batch_size=N, optimizer="schedule_free", schedule="coslog4")
    _, states, losses = path_of(hp, 10)
    np.testing.assert_array_equal(states[1].best_theta, states[0].theta)
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < losses[0]


def test_schedule_free_learns_and_ends_nearer_than_its_iterate():
    hp = Hyperparameters(hidden=(), epochs=300, batch_size=3, optimizer="schedule_free", learning_rate=0.2)
    group, networks, fold = group_of(hp), [Network(hp, 0)], fold_of()
    state, _ = train(group, networks, [fold], start(group, networks), 300, order_seed=0)
    rows = np.column_stack([fold.X, np.ones(N)])
    best = np.linalg.lstsq(rows, fold.y[:, 0], rcond=None)[0]
    distance = {
        name: np.abs(theta - best).max() for name, theta in (("z", state.slots[0, 1]), ("x", state.slots[0, 2]))
    }
    assert distance["x"] < 0.02
    assert distance["x"] < distance["z"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("averaging", [{"optimizer": "schedule_free"}, {"ema": 0.9}, {"optimizer": "sgd", "ema": 0.5}])
def test_alone_or_stacked_whole_or_cut_the_same_bits(averaging, dtype):
    fold = fold_of("classification")
    shared = {"hidden": (6,), "epochs": 6, "batch_size": 7, "batch_norm": True, **averaging}
    own = [
        {},
        {"weight_decay": 0.1, "warmup": 0.3, "l1": 0.01},
        {"learning_rate": 1e25, "dropout": 0.4},
        {"changes": [[3, {"beta_1": 0.5, "beta_2": 0.9, "weight_decay": 0.2, "learning_rate": 0.01}]]},
        {"early_stopping": 1},
    ]
    networks = [Network(Hyperparameters(**shared, **change), seed) for seed, change in enumerate(own)]
    group = group_of(networks[0].hyperparameters, "log_loss", dtype)
    stacked = start(group, networks)
    for until in (1, 4, 6):
        stacked, _ = train(group, networks, [fold], stacked, until, order_seed=0)
    for k, network in enumerate(networks):
        alone, _ = train(group, [network], [fold], start(group, [network]), 6, order_seed=0)
        same_states(stacked.take([k]), alone)


def test_the_weights_alone_decay():
    for decay in (0.0, 0.5):
        hp = Hyperparameters(hidden=(3,), epochs=1, batch_size=N, optimizer="schedule_free", weight_decay=decay)
        group, states, _ = path_of(hp, 1)
        blocks = [block[0] for block in weight_blocks(group, states[1].slots[:, 1])]
        if decay == 0.0:
            plain = blocks
    before = [block[0] for block in weight_blocks(group, states[0].theta)]
    for block, without, initial in zip(blocks, plain, before, strict=True):
        np.testing.assert_array_equal(block[-1], without[-1])
        np.testing.assert_allclose(without[:-1] - block[:-1], 0.5 * 0.0025 * initial[:-1], rtol=1e-6)
