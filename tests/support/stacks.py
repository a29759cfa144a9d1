"""Networks that may share a stack, drawn at random, and whether two results of training are the same to the bit."""

import numpy as np
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
from mlptune.core.training import Fold, Network

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
