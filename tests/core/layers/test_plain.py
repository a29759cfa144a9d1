"""Plain inputs beside embedded ones: a sum of two networks where all is linear, the slope of the loss, and no scaling."""

from typing import Any

import numpy as np
import pytest

from mlptune.core.array import Array
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.parameters import weight_blocks
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import outputs
from tests.support.slopes import assert_gradients_follow_the_slope

N, NUMERIC, PLAIN = 40, 3, 2
CASES: list[dict[str, Any]] = [
    {"embedding": "plr"},
    {"embedding": "periodic", "scaling": "robust"},
    {"embedding": "cosine", "scaling": "quantile"},
    {"embedding": "piecewise", "embedding_bins": 4},
    {"embedding": "ple", "scaling": "standard"},
    {"embedding": "none", "scaling": "minmax"},
]


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return random.normal(size=shape)


def structure(hp: Hyperparameters, n_inputs: int, n_plain: int, dtype: str = "float64") -> Structure:
    sizes = {"n_inputs": n_inputs, "n_outputs": 1, "n_rows": N}
    return Structure.of(hp, **sizes, loss="squared_error", dtype=dtype, n_plain=n_plain)


def data(seed: int = 0) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    X = np.hstack([random.normal(size=(N, NUMERIC)), random.integers(2, size=(N, PLAIN))])
    return X, random.normal(size=(N, 1))


@pytest.mark.parametrize("change", CASES)
def test_a_linear_network_adds_them_to_what_the_others_give(change: dict[str, Any]) -> None:
    hp = Hyperparameters(hidden=(), epochs=3, batch_size=8, **change)
    whole, part = structure(hp, NUMERIC + PLAIN, PLAIN), structure(hp, NUMERIC, 0)
    X, y = data()
    trained, _ = train(whole, [Network(hp, 0)], [Fold(X, y)], start(whole, [Network(hp, 0)]), 3, order_seed=0)
    W = weight_blocks(whole, trained.theta)[0][0]
    n_embedded = len(W) - 1 - PLAIN
    assert (W[n_embedded:-1] != 0).all()
    # The parameters without the rows of the plain inputs are those of a network that never had them.
    first = trained.theta.shape[1] - W.size
    without = np.concatenate([trained.theta[0, :first], W[:n_embedded].ravel(), W[-1]])[None]
    assert trained.buffers.shape[1] == len(start(part, [Network(hp, 0)]).buffers[0])
    alone = outputs(part, without, trained.buffers, X[:, :NUMERIC])[0]
    expected = alone + X[:, NUMERIC:] @ W[n_embedded:-1]
    np.testing.assert_allclose(outputs(whole, trained.theta, trained.buffers, X)[0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("embedding", ["plr", "periodic", "cosine", "ple"])
@pytest.mark.parametrize("shared", [True, False])
def test_gradients_follow_the_slope(embedding: str, shared: bool) -> None:
    hp = Hyperparameters(hidden=(7,), activation="tanh", embedding=embedding, embedding_sigma=0.5)
    group = structure(hp, NUMERIC + PLAIN, PLAIN)
    assert_gradients_follow_the_slope(group, hp, normal, shared=shared, rows=N, atol=1e-7)


@pytest.mark.parametrize("change", CASES)
def test_alone_is_stacked_bit_for_bit(change: dict[str, Any]) -> None:
    X, y = data(2)
    hp = Hyperparameters(hidden=(6,), epochs=3, batch_size=7, **change)
    group = structure(hp, NUMERIC + PLAIN, PLAIN, "float32")
    folds = [Fold(X, y), Fold(X[::-1].copy(), y)]
    networks = [Network(hp, seed, fold) for seed in (0, 1) for fold in (0, 1)]
    stacked, _ = train(group, networks, folds, start(group, networks), 3, order_seed=0)
    for k, network in enumerate(networks):
        alone, _ = train(group, [network], folds, start(group, [network]), 3, order_seed=0)
        assert alone.theta.tobytes() == stacked.theta[k].tobytes()


def test_inputs_that_are_all_plain_have_no_embedding() -> None:
    hp = Hyperparameters(hidden=(4,), epochs=2, embedding="plr", scaling="quantile")
    group = structure(hp, PLAIN, PLAIN)
    X, y = data()
    assert group.embedder is None
    trained, _ = train(
        group, [Network(hp, 0)], [Fold(X[:, NUMERIC:], y)], start(group, [Network(hp, 0)]), 2, order_seed=0
    )
    plain = structure(Hyperparameters(hidden=(4,), epochs=2), PLAIN, 0)
    same, _ = train(plain, [Network(hp, 0)], [Fold(X[:, NUMERIC:], y)], start(plain, [Network(hp, 0)]), 2, order_seed=0)
    np.testing.assert_array_equal(trained.theta, same.theta)


@pytest.mark.parametrize("n_plain", [-1, 4])
def test_more_than_there_are_is_refused(n_plain: int) -> None:
    with pytest.raises(ValueError, match="n_plain must be from 0 to 3"):
        structure(Hyperparameters(), 3, n_plain)
