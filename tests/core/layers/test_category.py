"""The embedding of categories: a one-hot input times a matrix, its gradient, a code that no row has, and stacks."""

from typing import Any

import numpy as np
import pytest

from mlptune.core.array import Array
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.layers.category import WIDTH, CategoryEmbedding
from mlptune.core.parameters import learning_rate_groups, weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import outputs
from tests.support.slopes import assert_gradients_follow_the_slope

N, NUMERIC, PLAIN, LEVELS = 60, 3, 2, (4, 9)
CASES: list[dict[str, Any]] = [
    {},
    {"embedding": "cosine", "scaling": "quantile"},
    {"embedding": "ple", "embedding_bins": 4},
    {"scaling": "standard", "feature_scale": True, "batch_norm": True},
    {"parametrization": "ntk", "embedding": "periodic"},
    {"skip": True, "dropout": 0.2},
]


def structure(hp: Hyperparameters, n_numeric: int = NUMERIC, n_plain: int = PLAIN, dtype: str = "float64") -> Structure:
    n_inputs = n_numeric + n_plain + len(LEVELS)
    sizes = {"n_inputs": n_inputs, "n_outputs": 2, "n_rows": N, "n_plain": n_plain, "levels": LEVELS}
    return Structure.of(hp, **sizes, loss="squared_error", dtype=dtype)


def codes(random: np.random.Generator, *shape: int) -> Array:
    """Codes (..., columns) without the 0."""
    return np.stack([random.integers(1, n, size=shape) for n in LEVELS], axis=-1)


def data(seed: int = 0, n_numeric: int = NUMERIC, n_plain: int = PLAIN) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    numbers, plain = random.normal(size=(N, n_numeric)), random.integers(2, size=(N, n_plain))
    return np.hstack([numbers, plain, codes(random, N)]), random.normal(size=(N, 2))


def encoded(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Rows as the lowest layer takes them."""
    numbers = random.normal(size=(*shape[:-1], shape[-1] - len(LEVELS)))
    return np.concatenate([numbers, codes(random, *shape[:-1])], axis=-1)


@pytest.mark.parametrize(("n_numeric", "n_plain"), [(NUMERIC, PLAIN), (0, PLAIN), (NUMERIC, 0), (0, 0)])
def test_it_is_a_network_on_one_hot_inputs_whose_first_weights_are_a_product(n_numeric: int, n_plain: int) -> None:
    random = np.random.default_rng(3)
    hp = Hyperparameters(hidden=(5,), activation="tanh")
    group = structure(hp, n_numeric, n_plain)
    X, _ = data(0, n_numeric, n_plain)
    X[0, -2:] = 0  # unknown
    theta = random.normal(size=(1, group.n_parameters))
    n = n_numeric + n_plain
    tables = [theta[0, : WIDTH * 4].reshape(WIDTH, 4), theta[0, WIDTH * 4 : WIDTH * 13].reshape(WIDTH, 9)]
    W = weight_blocks(group, theta)[0][0]
    by_level = [table.T @ W[n + WIDTH * c : n + WIDTH * (c + 1)] for c, table in enumerate(tables)]
    one_hot = np.hstack([X[:, :n], np.eye(4)[X[:, -2].astype(int)], np.eye(9)[X[:, -1].astype(int)]])
    plain = Structure.of(hp, n_inputs=n + 13, n_outputs=2, n_rows=N, loss="squared_error", dtype="float64")
    first = np.vstack([W[:n], *by_level, W[-1]])
    same = np.concatenate([first.ravel(), weight_blocks(group, theta)[1][0].ravel()])[None]
    expected = outputs(plain, same, np.empty((1, 0)), one_hot)
    np.testing.assert_allclose(outputs(group, theta, np.empty((1, 0)), X), expected, rtol=1e-9)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("change", [{}, {"embedding": "cosine", "scaling": "standard"}, {"embedding": "ple"}])
@pytest.mark.parametrize("n_plain", [0, PLAIN])
def test_gradients_follow_the_slope(change: dict[str, Any], shared: bool, n_plain: int) -> None:
    hp = Hyperparameters(hidden=(7,), activation="tanh", embedding_sigma=0.5, **change)
    group = structure(hp, n_plain=n_plain)
    assert_gradients_follow_the_slope(group, hp, encoded, shared=shared, rows=N, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("change", CASES)
def test_alone_is_stacked_bit_for_bit(change: dict[str, Any]) -> None:
    X, y = data(2)
    hp = Hyperparameters(hidden=(6, 6), epochs=3, batch_size=37, optimizer="adamw", weight_decay=0.1, **change)
    group = structure(hp, dtype="float32")
    folds = [Fold(X, y, None, X[:9], y[:9]), Fold(X[::-1].copy(), y, None, X[:9], y[:9])]
    networks = [Network(hp, seed, fold) for seed in (0, 1) for fold in (0, 1)]
    stacked, curves = train(group, networks, folds, start(group, networks), 3, order_seed=0)
    same_rows, _ = train(group, networks[::2], folds, start(group, networks[::2]), 3, order_seed=0)
    for k, network in enumerate(networks):
        alone, own = train(group, [network], folds, start(group, [network]), 3, order_seed=0)
        assert alone.theta.tobytes() == stacked.theta[k].tobytes()
        assert own.values["val_loss"].tobytes() == curves.values["val_loss"][k].tobytes()
        if k % 2 == 0:
            assert same_rows.theta[k // 2].tobytes() == alone.theta.tobytes()


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "schedule_free"])
def test_a_code_that_no_row_has_stays_zero(optimizer: str) -> None:
    X, y = data(4)
    hp = Hyperparameters(hidden=(6,), epochs=3, batch_size=8, optimizer=optimizer, weight_decay=0.1, ema=0.5)
    group = structure(hp)
    state, _ = train(group, [Network(hp, 0)], [Fold(X, y)], start(group, [Network(hp, 0)]), 3, order_seed=0)
    embedder = group.embedder
    assert isinstance(embedder, CategoryEmbedding)
    for theta in (state.theta, state.best_theta):
        for table in embedder.tables(theta):
            assert (table[:, :, 0] == 0).all()
            assert (table[:, :, 1:] != 0).all()


def test_an_effect_of_each_of_many_levels_is_learned() -> None:
    random = np.random.default_rng(0)
    effect = random.normal(size=201)
    codes = random.integers(1, 201, size=4000)
    y = effect[codes][:, None]
    hp = Hyperparameters(hidden=(32,), epochs=30, batch_size=64, optimizer="adamw", learning_rate=0.01)
    sizes = {"n_inputs": 1, "n_outputs": 1, "n_rows": 4000, "levels": (201,)}
    group = Structure.of(hp, **sizes, loss="squared_error")
    X = codes[:, None].astype(np.float32)
    _, curves = train(group, [Network(hp, 0)], [Fold(X, y)], start(group, [Network(hp, 0)]), 30, order_seed=0)
    assert curves.values["train_loss"][0, -1] < 0.02 * y.var()


def test_tables_learn_at_the_full_rate_and_the_embedding_of_numbers_at_a_tenth() -> None:
    group = structure(Hyperparameters(hidden=(4,), parametrization="ntk", embedding="cosine"))
    assert isinstance(group.embedder, CategoryEmbedding)
    of_numbers = group.embedder.n_of_layer
    assert learning_rate_groups(group)[:2] == [
        (0, of_numbers, 0.1),
        (of_numbers, of_numbers + WIDTH * sum(LEVELS), 1.0),
    ]


def test_more_plain_inputs_than_are_left_are_refused() -> None:
    with pytest.raises(ValueError, match="n_plain must be from 0 to 1, the number of inputs without codes, got 2"):
        Structure.of(Hyperparameters(), n_inputs=2, n_outputs=1, n_rows=9, loss="squared_error", n_plain=2, levels=(3,))
