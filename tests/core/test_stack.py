"""Alone or stacked, whole or cut: the same numbers, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlptune.core.activations import ACTIVATIONS
from mlptune.core.embeddings import EMBEDDINGS
from mlptune.core.hyperparameters import CHANGEABLE, Hyperparameters
from mlptune.core.initializers import INITIALIZERS
from mlptune.core.losses import LOSSES
from mlptune.core.optimizers import OPTIMIZERS
from mlptune.core.scaling import SCALINGS
from mlptune.core.schedules import SCHEDULES, SMOOTHING_SCHEDULES
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, State, start, train

TRAINABLE = sorted(set(ACTIVATIONS) - {"threshold"})


def rates(high):
    return st.one_of(st.just(0.0), st.floats(0.001, high))


def schedules(own, is_perceptron):
    """Changes of what may change, from two epochs or fewer on."""
    values = {
        "learning_rate": st.sampled_from([1e-3, 0.1, 1e6]),
        "momentum": rates(0.95) if own["momentum"] else st.just(0.0),
        "beta_1": rates(0.95),
        "beta_2": st.floats(0.1, 0.9999),
        "epsilon": st.floats(1e-8, 0.1),
        "decay": st.one_of(st.none(), rates(1.0)),
        "warmup": rates(0.5),
        "l1": rates(0.1),
        "l2": rates(0.1),
        "weight_decay": rates(0.1),
        "dropout": rates(0.9),
        "label_smoothing": st.just(0.0) if is_perceptron else rates(0.5),
        "clip_norm": st.one_of(st.none(), st.floats(0.01, 2.0)),
        "plateau_epochs": st.integers(1, 2),
        "early_stopping": st.integers(0, 2),
        "tolerance": rates(0.3),
        "tolerance_epochs": st.integers(1, 3),
    }
    assert set(values) == set(CHANGEABLE)
    epochs = st.lists(st.integers(2, 6), max_size=2, unique=True).map(sorted)
    return epochs.flatmap(
        lambda chosen: st.tuples(*(st.tuples(st.just(e), st.fixed_dictionaries({}, optional=values)) for e in chosen))
    )


@st.composite
def problems(draw):
    """A structure, networks that may share a stack, their folds, and epochs at which training is cut."""
    loss = draw(st.sampled_from(["cross_entropy", "log_loss", "squared_error"]))
    wanted = draw(st.sampled_from(["auto", *LOSSES])) if loss != "squared_error" else "auto"
    n_rows, n_inputs = draw(st.integers(1, 70)), draw(st.sampled_from([1, 2, 3, 7, 20]))
    n_outputs = {"cross_entropy": draw(st.integers(2, 5)), "log_loss": 1, "squared_error": draw(st.integers(1, 3))}[
        loss
    ]
    optimizer = draw(st.sampled_from(sorted(OPTIMIZERS)))
    hidden = tuple(draw(st.lists(st.sampled_from([1, 2, 5, 8, 17, 33]), max_size=3)))

    def by_layer(values):
        """One value for all hidden layers, or one for each."""
        return draw(st.one_of(values, st.lists(values, min_size=len(hidden), max_size=len(hidden))))

    norm = by_layer(st.sampled_from(["none", "batch", "layer"]))
    batch, layer = (
        [n == kind for n in norm] if isinstance(norm, list) else norm == kind for kind in ("batch", "layer")
    )
    has_momentum, has_ema = draw(st.booleans()), draw(st.booleans())
    shared = {
        "hidden": hidden,
        "activation": by_layer(st.sampled_from(TRAINABLE)),
        "loss": wanted,
        "optimizer": optimizer,
        "nesterov": draw(st.booleans()),
        "schedule": draw(st.sampled_from(sorted(SCHEDULES))),
        "batch_size": draw(st.sampled_from([1, 2, 7, 16, 32, 64])),
        "subset": draw(st.sampled_from([1.0, 1.0, 0.7, 0.1])),
        "batch_norm": batch,
        "layer_norm": layer,
        "skip": by_layer(st.booleans()),
        "scaling": draw(st.sampled_from(["none", *SCALINGS])),
        "target_scaling": draw(st.booleans()),
        "embedding": draw(st.sampled_from(["none", *EMBEDDINGS])),
        "embedding_bins": draw(st.sampled_from([8, 2, 13])),
        "feature_scale": draw(st.booleans()),
        "parametrization": draw(st.sampled_from(["standard", "ntk"])),
    }
    if wanted in ("auto", "perceptron") and loss != "squared_error" and draw(st.integers(0, 9)) == 0:
        shared |= {"hidden": (), "activation": "threshold", "batch_norm": False, "layer_norm": False, "skip": False}
    is_perceptron = "perceptron" in (wanted, Hyperparameters(**shared).default_loss)
    n_folds = draw(st.integers(1, 3))
    networks = []
    for _ in range(draw(st.integers(2, 5))):
        own = {
            "learning_rate": draw(st.sampled_from([1e-4, 1e-2, 0.3, 1e6, 1e25])),
            "momentum": draw(st.floats(0.1, 0.95)) if has_momentum else 0.0,
            "beta_1": draw(rates(0.95)),
            "warmup": draw(rates(0.5)),
            "decay": draw(st.one_of(st.none(), rates(1.0))),
            "l1": draw(rates(0.1)),
            "l2": draw(rates(0.1)),
            "weight_decay": draw(rates(0.1)),
            "dropout": draw(rates(0.9)),
            "label_smoothing": 0.0 if is_perceptron else draw(rates(0.5)),
            "label_smoothing_schedule": draw(st.sampled_from(sorted(SMOOTHING_SCHEDULES))),
            "clip_norm": draw(st.one_of(st.none(), st.floats(0.01, 2.0))),
            "early_stopping": draw(st.integers(0, 2)),
            "plateau_epochs": draw(st.integers(1, 2)),
            "tolerance": draw(rates(0.3)),
            "tolerance_epochs": draw(st.integers(1, 3)),
            "epochs": draw(st.integers(1, 6)),
            "fade": draw(st.booleans()),
            "ema": draw(st.floats(0.01, 0.999)) if has_ema else 0.0,
            "init": draw(st.sampled_from(["auto", *INITIALIZERS])),
        }
        hp = Hyperparameters(**shared, **own, changes=draw(schedules(own, is_perceptron)))
        networks.append(Network(hp, draw(st.integers(0, 5)), draw(st.integers(0, n_folds - 1))))
    generator = np.random.default_rng(draw(st.integers(0, 1000)))
    folds = []
    has_weights, n_val = draw(st.booleans()), draw(st.sampled_from([0, 1, 9, 60]))
    for _ in range(n_folds):
        parts = []
        for n in (n_rows, n_val):
            numbers, labels = generator.normal(size=(n, n_outputs)), generator.integers(0, max(2, n_outputs), n)
            y = numbers if loss == "squared_error" else labels
            weight = generator.uniform(0.5, 2.0, n) if has_weights and draw(st.booleans()) else None
            parts += [generator.normal(size=(n, n_inputs)), y, weight]
        folds.append(Fold(*parts))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    group = Structure.of(
        networks[0].hyperparameters, n_inputs=n_inputs, n_outputs=n_outputs, n_rows=n_rows, loss=loss, dtype=dtype
    )
    cuts = [*sorted(draw(st.lists(st.integers(0, 6), max_size=2))), 6]
    return group, networks, folds, cuts


def same_bits(a, b):
    """Equal to the bit, the sign of zero included; any NaN equals any other."""
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    a, b = (np.where(np.isnan(x), np.full_like(x, np.nan), x) if x.dtype.kind == "f" else x for x in (a, b))
    assert a.tobytes() == b.tobytes()


def same_states(a, b):
    for name, values in vars(a).items():
        same_bits(values, getattr(b, name))


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
