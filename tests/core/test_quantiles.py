"""Scaling by quantiles: scikit-learn's transform, and what it must be where many values are equal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import QuantileTransformer

from mlptune.core.estimators import MLPRegressor
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.quantiles import fit_quantiles, n_quantiles, to_normal
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import outputs
from tests.support.stacks import same_bits, same_states


def table(n=3000):
    generator = np.random.default_rng(0)
    return generator.lognormal(size=(n, 3)) * [1.0, 1000.0, 0.01] + [0.0, -5e4, 3.0]


def test_it_is_scikit_learns_transform():
    X, other = table(), np.vstack([table(7), [[-1e9] * 3, [1e9] * 3]])
    reference = QuantileTransformer(n_quantiles=n_quantiles(len(X)), output_distribution="normal", subsample=None)
    expected = reference.fit(X).transform(other)
    learned = fit_quantiles(X, n_quantiles(len(X)))
    # The noise is a hundred thousandth of the deviation, which is long where rows are dense.
    np.testing.assert_allclose(learned.reshape(3, -1)[:, 1:-1], reference.quantiles_.T[:, 1:-1], rtol=3e-3)
    np.testing.assert_allclose(to_normal(reference.quantiles_.T.ravel(), other), expected, rtol=1e-7)
    np.testing.assert_allclose(to_normal(learned, other), expected, atol=0.02)


@pytest.mark.parametrize(("rows", "quantiles"), [(1, 10), (299, 10), (330, 11), (29999, 999), (10**6, 1000)])
def test_the_number_of_quantiles_is_a_function_of_the_rows(rows, quantiles):
    assert n_quantiles(rows) == quantiles


values = st.one_of(st.sampled_from([0.0, 1.0, 0.1, -3.0]), st.floats(-1e300, 1e300))


@given(arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=values), st.integers(10, 15))
def test_any_column_becomes_finite_and_keeps_its_order(X, n):
    learned = fit_quantiles(X, n)
    scaled = to_normal(learned, X)
    assert (np.abs(scaled) < 5.2).all()
    assert (np.abs(to_normal(fit_quantiles(X % 1e9, n).astype(np.float32), X)) < 5.2).all()
    order = np.argsort(X, axis=0)
    assert (np.diff(np.take_along_axis(scaled, order, axis=0), axis=0) >= 0).all()
    constant = X.min(axis=0) == X.max(axis=0)
    assert (scaled[:, constant] == 0).all()
    assert (to_normal(learned, X + 1.0)[:, constant] == 0).all()


def test_equal_values_are_no_step():
    x = np.r_[np.zeros(500), np.linspace(1.0, 2.0, 500)][:, None]
    learned = fit_quantiles(x, 33)
    near = to_normal(learned, np.array([[-2e-6], [0.0], [2e-6]]))[:, 0]
    assert (np.diff(near) > 0.01).all()
    assert near[1] == pytest.approx(-0.67, abs=0.1)  # the middle of the lower half of the rows
    same_bits(learned, fit_quantiles(x, 33))


def test_it_is_learned_from_the_training_rows_alone_and_kept():
    X = table(400)
    y = np.random.default_rng(1).normal(size=400)
    folds = [Fold(X[:300], y[:300], None, X[300:], y[300:]), Fold(X[100:], y[100:], None, X[:100], y[:100])]
    hp = Hyperparameters(hidden=(5,), epochs=4, scaling="quantile", embedding="plr", init="data")
    group = Structure.of(hp, n_inputs=3, n_outputs=1, n_rows=300, loss="squared_error")
    networks = [Network(hp, seed=s, fold=f) for f in (0, 1) for s in (0, 1)]
    stacked, _ = train(group, networks, folds, start(group, networks), 4, order_seed=0)
    for k, network in enumerate(networks):
        alone = start(group, [network])
        for until in (2, 4):
            alone, _ = train(group, [network], folds, alone, until, order_seed=0)
        same_states(stacked.take([k]), alone)
    for network, buffers in zip(networks, stacked.buffers, strict=True):
        same_bits(buffers, fit_quantiles(folds[network.fold].X, 10).astype(np.float32))
    together = outputs(group, stacked.theta, stacked.buffers, X)
    same_bits(together[3], outputs(group, stacked.theta[3:], stacked.buffers[3:], X)[0])


def test_a_network_is_the_same_for_any_stretching_of_its_inputs():
    X = table(200)
    y = X[:, 0] + np.sin(X[:, 2])
    models = [
        MLPRegressor(hidden=(8,), epochs=20, scaling="quantile", random_state=0).fit(rows, y) for rows in (X, 4.0 * X)
    ]
    same_bits(models[0].predict(X), models[1].predict(4.0 * X))


def test_partial_fit_keeps_the_quantiles_of_its_first_rows():
    X = table(900)
    model = MLPRegressor(hidden=(4,), scaling="quantile", random_state=0)
    model.partial_fit(X[:600], X[:600, 0])
    first = model.predict(X)
    model.partial_fit(X[600:], X[600:, 0])
    assert not np.array_equal(model.predict(X), first)
    with pytest.raises(ValueError, match="scaling, embedding, optimizer and whether ema is 0 must stay"):
        model.set_params(scaling="robust").partial_fit(X, X[:, 0])
