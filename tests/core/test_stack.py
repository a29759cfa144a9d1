"""Alone or stacked, whole or cut: the same numbers, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, State, start, train
from tests.support.stacks import TRAINABLE, problems, same_bits, same_states


def assert_alone_equals_stacked(problem):
    group, networks, folds, cuts = problem
    score = "r2" if group.loss == "squared_error" else "zero_one"
    options = {"order_seed": 3, "gradient_norms": True}
    state, curves = start(group, networks), []
    for until in cuts:
        state, part = train(group, networks, folds, state, until, metrics=[score], **options)
        curves.append(part)
    stacked = {name: np.full((len(networks), 6), np.nan) for name in curves[0].values}
    for part in curves:
        for name, values in part.values.items():
            begin = part.first_epoch - 1
            stacked[name][:, begin : begin + values.shape[1]] = values
    for k, network in enumerate(networks):
        alone, alone_curves = train(group, [network], folds, start(group, [network]), 6, metrics=[score], **options)
        same_states(state.take([k]), alone)
        for name, values in alone_curves.values.items():
            trained = int(alone.epoch[0])
            same_bits(stacked[name][k, :trained], values[0, :trained])
            assert np.isnan(stacked[name][k, trained:]).all()


@settings(max_examples=40)
@given(problems())
def test_alone_or_stacked_whole_or_cut_the_same_bits(problem):
    assert_alone_equals_stacked(problem)


@pytest.mark.slow
@settings(max_examples=2000, suppress_health_check=list(HealthCheck))
@given(problems())
def test_alone_or_stacked_whole_or_cut_the_same_bits_at_length(problem):
    assert_alone_equals_stacked(problem)


def digits_like(n=300, d=64, classes=10):
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(classes, d))
    y = generator.integers(0, classes, n)
    X = centres[y] + generator.normal(size=(n, d))
    return Fold(X[50:], y[50:], None, X[:50], y[:50], None)


@pytest.mark.parametrize("activation", TRAINABLE)
def test_sizes_of_real_use_in_a_stack_that_is_trained_in_parts(activation, monkeypatch):
    fold = digits_like()
    networks = [
        Network(Hyperparameters(hidden=(64, 48), activation=activation, epochs=2, learning_rate=rate, dropout=p), seed)
        for seed, (rate, p) in enumerate([(1e-3, 0.0), (1e-2, 0.3), (1e-4, 0.0), (3e-2, 0.5), (1e-3, 0.1)])
    ]
    group = Structure.of(networks[0].hyperparameters, n_inputs=64, n_outputs=10, n_rows=250, loss="cross_entropy")
    whole, whole_curves = train(group, networks, [fold], start(group, networks), 2, order_seed=0)
    monkeypatch.setattr("mlptune.core.cost.CACHE_BYTES", 1)
    parts, parts_curves = train(group, networks, [fold], start(group, networks), 2, order_seed=0)
    same_states(whole, parts)
    for name, values in whole_curves.values.items():
        same_bits(values, parts_curves.values[name])


def test_networks_of_different_epochs_join_one_stack():
    fold = digits_like()
    networks = [Network(Hyperparameters(hidden=(8,), epochs=9, schedule="cosine"), seed) for seed in range(3)]
    group = Structure.of(networks[0].hyperparameters, n_inputs=64, n_outputs=10, n_rows=250, loss="cross_entropy")
    reference, expected = train(group, networks, [fold], start(group, networks), 6, order_seed=0)
    ahead, _ = train(group, networks[:2], [fold], start(group, networks[:2]), 4, order_seed=0)
    joined = State.concatenate([ahead.take([1]), start(group, networks[2:]), ahead.take([0])])
    state, curves = train(group, [networks[1], networks[2], networks[0]], [fold], joined, 6, order_seed=0)
    same_states(state.take([2, 0, 1]), reference)
    assert curves.first_epoch == 1
    same_bits(curves.values["val_loss"][1], expected.values["val_loss"][2])
    same_bits(curves.values["val_loss"][0, 4:], expected.values["val_loss"][1, 4:])
    assert np.isnan(curves.values["val_loss"][0, :4]).all()


def test_the_state_given_is_left_as_it_is():
    fold = digits_like()
    networks = [Network(Hyperparameters(hidden=(8,), epochs=9), 0)]
    group = Structure.of(networks[0].hyperparameters, n_inputs=64, n_outputs=10, n_rows=250, loss="cross_entropy")
    state = start(group, networks)
    train(group, networks, [fold], state, 2, order_seed=0)
    same_states(state, start(group, networks))
