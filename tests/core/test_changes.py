"""Configurations that are schedules: the values in force, and training that is found piece by piece and replayed whole."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.base import clone
from sklearn.datasets import load_iris

from mlptune.core.estimators import MLPClassifier
from mlptune.core.hyperparameters import CHANGEABLE, PARAMETERS, Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from tests.support.stacks import problems, same_bits, same_states

CHANGES = [[3, {"learning_rate": 0.02, "l2": 1e-4}], [5, {"l2": 0.0, "dropout": 0.3}]]


def test_values_in_force_accumulate():
    hp = Hyperparameters(learning_rate=0.5, changes=CHANGES)
    in_force = [(hp.at(e).learning_rate, hp.at(e).l2, hp.at(e).dropout) for e in range(1, 7)]
    first, second, third = (0.5, 0.0, 0.0), (0.02, 1e-4, 0.0), (0.02, 0.0, 0.3)
    assert in_force == [first, first, second, second, third, third]
    assert hp.at(5) == Hyperparameters(learning_rate=0.02, dropout=0.3)


def test_only_numbers_that_act_during_training_may_change():
    assert {"learning_rate", "momentum", "l1", "l2", "weight_decay", "dropout", "beta_1"} <= set(CHANGEABLE)
    assert not {name for name in CHANGEABLE if PARAMETERS[name].structural}
    assert not {"epochs", "init", "preset", "embedding_sigma", "fade", "changes", "hidden"} & set(CHANGEABLE)


def test_a_schedule_goes_round_through_json_and_hashes():
    hp = Hyperparameters(changes=CHANGES)
    config = json.loads(json.dumps(hp.as_config()))
    assert config["changes"] == CHANGES
    assert hp.as_config()["changes"] == CHANGES
    assert Hyperparameters.from_config(config) == hp == replace(hp, epochs=50) == pickle.loads(pickle.dumps(hp))
    turned = [[epoch, dict(reversed(values.items()))] for epoch, values in CHANGES]
    assert hash(Hyperparameters(changes=turned)) == hash(hp)
    assert Hyperparameters(changes=turned) == hp != Hyperparameters()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ("no", "changes must be a list of"),
        ([3, {"l2": 0.1}], "changes must be a list of"),
        ([[3, 4]], "changes must be a list of"),
        ([[1, {"l2": 0.1}]], "epochs that ascend from at least 2, got [[1,"),
        ([[3, {"l2": 0.1}], [3, {"l1": 0.1}]], "epochs that ascend"),
        ([[3.0, {"l2": 0.1}]], "epochs that ascend"),
        ([[3, {"l2": -1.0}]], "changes in epoch 3: l2 must be a number at least 0, got -1.0"),
        ([[3, {"learning_rat": 1.0}]], "did you mean 'learning_rate'?"),
        ([[3, {"hidden": [3]}]], "hidden acts before training or on all of it; what may change is learning_rate, "),
        ([[3, {"epochs": 9}]], "changes in epoch 3: epochs acts"),
        ([[3, {"init": "he"}]], "changes in epoch 3: init acts"),
    ],
)
def test_impossible_changes_are_refused_in_one_line(changes, words):
    with pytest.raises(ValueError, match=r"^changes[^\n]*$") as error:
        Hyperparameters(changes=changes)
    assert words in str(error.value)


def test_changes_that_contradict_the_rest_are_refused():
    with pytest.raises(ValueError, match=r"^changes in epoch 4: label_smoothing must be 0 with the perceptron rule"):
        Hyperparameters(loss="perceptron", changes=[[4, {"label_smoothing": 0.1}]])
    with pytest.raises(ValueError, match=r"^changes in epoch 4: momentum must be above 0 from the start"):
        Hyperparameters(optimizer="sgd", changes=[[4, {"momentum": 0.9}]])
    Hyperparameters(optimizer="sgd", momentum=0.5, changes=[[4, {"momentum": 0.0}]])


def alone(hp, fold, until, state=None, dtype="float64"):
    group = Structure.of(hp, n_inputs=4, n_outputs=3, n_rows=len(fold.X), loss="cross_entropy", dtype=dtype)
    state = start(group, [Network(hp, 0)]) if state is None else state
    return train(group, [Network(hp, 0)], [fold], state, until, order_seed=0)


def iris():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = (X[order] - X.mean(axis=0)) / X.std(axis=0), y[order]
    return Fold(X[:100], y[:100], None, X[100:], y[100:], None)


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "sgd", "momentum": 0.9}])
def test_a_change_is_what_a_person_does_by_hand_between_two_calls(optimizer):
    before = {**optimizer, "hidden": (8,), "epochs": 9, "schedule": "cosine", "learning_rate": 0.02}
    after = {"learning_rate": 0.1, "l2": 0.01, "dropout": 0.2, "label_smoothing": 0.1, "clip_norm": 0.5}
    whole, curves = alone(Hyperparameters(**before, changes=[[5, after]]), iris(), 9)
    half, first = alone(Hyperparameters(**before), iris(), 4)
    rest, second = alone(Hyperparameters(**{**before, **after}), iris(), 9, half)
    same_states(whole, rest)
    for name, values in curves.values.items():
        same_bits(values, np.concatenate([first.values[name], second.values[name]], axis=1))


def adam(hp, w, n_steps):
    """Kingma & Ba 2015 for the objective (w - 3)^2, with the values in force in each step."""
    m = v = 0.0
    for t in range(1, n_steps + 1):
        now, g = hp.at(t), 2 * (w - 3)
        m, v = (b * z + (1 - b) * x for b, z, x in ((now.beta_1, m, g), (now.effective_beta_2, v, g * g)))
        w -= (
            now.effective_learning_rate
            * (m / (1 - now.beta_1**t))
            / ((v / (1 - now.effective_beta_2**t)) ** 0.5 + now.epsilon)
        )
    return w


def rmsprop(hp, w, n_steps):
    """Hinton 2012 with momentum, for the same objective."""
    b = v = 0.0
    for t in range(1, n_steps + 1):
        now, g = hp.at(t), 2 * (w - 3)
        v = now.effective_beta_2 * v + (1 - now.effective_beta_2) * g * g
        b = now.momentum * b + g / (v**0.5 + now.epsilon)
        w -= now.effective_learning_rate * b
    return w


@pytest.mark.parametrize(
    ("reference", "settings"),
    [
        (adam, {"optimizer": "adam"}),
        (rmsprop, {"optimizer": "rmsprop", "momentum": 0.8}),
        (rmsprop, {"optimizer": "rmsprop"}),
    ],
)
def test_moments_stay_what_they_are_when_their_decays_change(reference, settings):
    changes = [[4, {"beta_1": 0.5, "beta_2": 0.9}], [9, {"learning_rate": 0.2, "beta_2": 0.99, "epsilon": 0.01}]]
    hp = Hyperparameters(hidden=(), batch_size=2, epochs=20, learning_rate=0.1, changes=changes, **settings)
    group = Structure.of(hp, n_inputs=1, n_outputs=1, n_rows=2, loss="squared_error", dtype="float64")
    state = start(group, [Network(hp, 0)])
    w = float(state.theta[0, 0])
    # Inputs of both signs and targets that need no bias: the slope is 2 (w - 3).
    fold = Fold(np.array([[1.0], [-1.0]]), np.array([3.0, -3.0]))
    after, _ = train(group, [Network(hp, 0)], [fold], state, 20, order_seed=0)
    np.testing.assert_allclose(after.theta[0, 0], reference(hp, w, 20), rtol=1e-10)


@settings(max_examples=25)
@given(problems())
def test_a_schedule_found_piece_by_piece_trains_again_whole(problem):
    group, networks, folds, _ = problem
    whole, curves = train(group, networks, folds, start(group, networks), 6, order_seed=3)
    ends = sorted({epoch - 1 for network in networks for epoch, _ in network.hyperparameters.changes})
    state, pieces = start(group, networks), []
    for until in [*ends, 6]:
        # What was decided up to here: the changes that begin after this stretch are not known yet.
        known = [
            replace(n, hyperparameters=replace(n.hyperparameters, changes=tuple(c for c in own if c[0] <= until)))
            for n in networks
            for own in [n.hyperparameters.changes]
        ]
        state, piece = train(group, known, folds, state, until, order_seed=3)
        pieces.append(piece)
    same_states(whole, state)
    for name, values in curves.values.items():
        same_bits(values, np.concatenate([piece.values[name] for piece in pieces], axis=1)[:, : values.shape[1]])


def test_estimators_take_a_schedule():
    X, y = load_iris(return_X_y=True)
    model = MLPClassifier(hidden=(8,), epochs=6, changes=CHANGES, random_state=0)
    assert model.get_params()["changes"] is CHANGES
    again, plain = clone(model), clone(model).set_params(changes=())
    assert again.get_params()["changes"] == CHANGES
    stepwise = clone(model)
    for _ in range(6):
        stepwise.partial_fit(X, y, classes=[0, 1, 2])
    for each in (model, again, plain):
        each.fit(X, y)
    for each in (again, stepwise, pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(model.predict_proba(X), each.predict_proba(X))
    assert plain.history_["train_loss"][:2] == model.history_["train_loss"][:2]
    assert plain.history_["train_loss"][2:] != model.history_["train_loss"][2:]


def test_early_stopping_that_begins_later_has_rows_to_watch():
    X, y = load_iris(return_X_y=True)
    model = MLPClassifier(epochs=9, learning_rate=1e-30, changes=[[5, {"early_stopping": 2}]], random_state=0)
    assert model.fit(X, y).n_epochs_ == 6
    assert model.best_epoch_ == 4
    with pytest.raises(ValueError, match="changes in epoch 3"):
        MLPClassifier(changes=[[3, {"l2": -1.0}]]).fit(X, y)
