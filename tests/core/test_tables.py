"""What makes a network strong on tables: scaling, embeddings, feature factors, rates by layer, a start from the data."""

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from mlptune.core.binning import N_BINS, encode_bins, fit_bins
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.inputs import with_ones
from mlptune.core.layers.embedding import PBLD, PLR
from mlptune.core.optimizers import OPTIMIZERS
from mlptune.core.parameters import learning_rate_groups, n_parameters, weight_blocks
from mlptune.core.scaling import fit_inputs, scale_inputs
from mlptune.core.structure import Structure
from mlptune.core.training import Fold, Network, start, train
from mlptune.core.workspace import Workspace, outputs

N, D = 40, 3


def group_of(hp, n_inputs=D, n_rows=N, n_outputs=2, loss="squared_error", dtype="float64"):
    return Structure.of(hp, n_inputs=n_inputs, n_outputs=n_outputs, n_rows=n_rows, loss=loss, dtype=dtype)


def trained(hp, fold, **kwargs):
    group, networks = group_of(hp, n_rows=len(fold.X), **kwargs), [Network(hp, 0)]
    state, curves = train(group, networks, [fold], start(group, networks), hp.epochs, order_seed=0, metrics=["rmse"])
    return group, state, {name: values[0] for name, values in curves.values.items()}


def table(n=N, outputs=2):
    generator = np.random.default_rng(0)
    X = generator.lognormal(size=(n, D)) * [1.0, 1000.0, 0.01] + [0.0, -5e4, 3.0]
    return X, generator.normal(size=(n, outputs))


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        ("minmax", MinMaxScaler(feature_range=(-1, 1))),
        ("standard", StandardScaler()),
        ("robust", RobustScaler()),
    ],
)
def test_scaling_equals_scikit_learn(kind, reference):
    X, _ = table()
    other = table(7)[0]
    expected = reference.fit(X).transform(other)
    if kind == "robust":
        expected = expected / np.sqrt(1 + (expected / 3) ** 2)
    np.testing.assert_allclose(scale_inputs(kind, fit_inputs(kind, X), other), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["minmax", "standard", "robust"])
def test_columns_without_spread_and_of_any_size_stay_finite(kind):
    X = np.column_stack([np.full(9, 0.1), np.linspace(-1e300, 1e300, 9), np.r_[np.zeros(8), 5.0]])
    with np.errstate(over="raise"):
        scaled = scale_inputs(kind, fit_inputs(kind, X), X)
        other = scale_inputs(kind, fit_inputs(kind, X), X + 7.0)
    assert np.isfinite(scaled).all()
    assert (scaled[:, 0] == 0).all()
    assert (other[:, 0] == 0).all()
    # Quartiles that are equal leave half the range as the unit, so that a rare value counts 2, bent to 1.66.
    if kind == "robust":
        assert scaled[-1, 2] == pytest.approx(2 / np.sqrt(1 + 4 / 9))


@pytest.mark.parametrize("kind", ["minmax", "standard", "robust"])
def test_a_network_that_scales_is_one_that_is_given_scaled_rows(kind):
    X, y = table()
    fitted = fit_inputs(kind, X[:30])
    inside = Hyperparameters(hidden=(6,), epochs=3, scaling=kind)
    outside = Hyperparameters(hidden=(6,), epochs=3)
    fold = Fold(X[:30], y[:30], None, X[30:], y[30:])
    given = Fold(
        *(
            scale_inputs(kind, fitted, part) if part is not None and part.shape[1] == D else part
            for part in (fold.X, fold.y, None, fold.X_val, fold.y_val)
        )
    )
    group, state, curves = trained(inside, fold)
    plain, expected, plain_curves = trained(outside, given)
    np.testing.assert_allclose(state.theta, expected.theta, rtol=1e-10)
    np.testing.assert_allclose(curves["val_loss"], plain_curves["val_loss"], rtol=1e-10)
    np.testing.assert_allclose(
        outputs(group, state.theta, state.buffers, X),
        outputs(plain, expected.theta, expected.buffers, given_rows(kind, fitted, X)),
    )
    each_its_own = outputs(group, state.theta, state.buffers, X[None])
    np.testing.assert_array_equal(each_its_own, outputs(group, state.theta, state.buffers, X))


def given_rows(kind, fitted, X):
    return scale_inputs(kind, fitted, X)


def test_networks_of_other_folds_predict_by_their_own_scaling():
    X, y = table()
    hp = Hyperparameters(hidden=(6,), epochs=2, scaling="robust", target_scaling=True)
    folds = [Fold(X[:30], y[:30]), Fold(X[10:], y[10:])]
    group, networks = group_of(hp, n_rows=30), [Network(hp, 0, fold=f) for f in (0, 1)]
    state, _ = train(group, networks, folds, start(group, networks), 2, order_seed=0)
    assert (state.buffers[0] != state.buffers[1]).any()
    together = outputs(group, state.theta, state.buffers, X)
    for k in range(2):
        np.testing.assert_array_equal(together[k], outputs(group, state.theta[[k]], state.buffers[[k]], X)[0])
    with pytest.raises(ValueError, match=r"^buffers must have the structure's shape \(2, 14\), got \(2, 0\)$"):
        outputs(group, state.theta, state.buffers[:, :0], X)


def test_scaled_targets_come_back_in_their_unit_and_range():
    X, y = table()
    y = 5000.0 + 300.0 * y
    hp = Hyperparameters(hidden=(16,), epochs=40, learning_rate=0.02, scaling="standard", target_scaling=True)
    fold = Fold(X[:30], y[:30], None, X[30:], y[30:])
    group, state, curves = trained(hp, fold)
    predicted = outputs(group, state.theta, state.buffers, X)[0]
    assert curves["val_rmse"][-1] == pytest.approx(root_mean_squared_error(y[30:], predicted[30:]), rel=1e-6)
    assert curves["train_loss"][-1] < curves["train_loss"][0] < 10
    far = outputs(group, state.theta, state.buffers, X * 1e4)[0]
    assert (far >= y[:30].min(axis=0) - 1e-6).all()
    assert (far <= y[:30].max(axis=0) + 1e-6).all()
    assert (np.abs(far - y[:30].mean(axis=0)) > y[:30].std(axis=0)).all()


def test_a_resumed_network_keeps_the_scaling_of_its_first_rows():
    X, y = table()
    hp = Hyperparameters(hidden=(4,), epochs=2, scaling="standard")
    group, networks = group_of(hp), [Network(hp, 0)]
    state, _ = train(group, networks, [Fold(X, y)], start(group, networks), 1, order_seed=0)
    later, _ = train(group, networks, [Fold(X + 100.0, y)], state, 2, order_seed=0)
    np.testing.assert_array_equal(later.buffers, state.buffers)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {"embedding": "periodic"},
        {"embedding": "plr"},
        {"embedding": "plr", "feature_scale": True, "batch_norm": True},
        {"feature_scale": True},
        {"embedding": "periodic", "feature_scale": True},
        {"embedding": "periodic", "feature_scale": True, "batch_norm": True},
        {"embedding": "periodic", "feature_scale": True, "activation": "maxout", "layer_norm": True},
        {"feature_scale": True, "hidden": ()},
    ],
)
def test_gradients_follow_the_slope(change, shared):
    generator = np.random.default_rng(1)
    hp = Hyperparameters(**{"hidden": (7, 6), "activation": "tanh", "embedding_sigma": 0.5, **change})
    group = group_of(hp)
    theta = start(group, [Network(hp, seed) for seed in range(2)]).theta
    theta += 0.2 * generator.normal(size=theta.shape)
    gradient, z = np.empty_like(theta), np.empty((2, 2, N))
    coefficients = generator.normal(size=z.shape)
    X = generator.normal(size=(N, D) if shared else (2, N, D))
    rows = with_ones(X, "float64").swapaxes(-1, -2)
    workspace = Workspace(group, theta, gradient, N)
    workspace.forward(rows, z)
    workspace.last.delta[:] = coefficients
    workspace.backward()
    for _ in range(3):
        direction = generator.normal(size=theta.shape)
        h, values = 1e-6, []
        for sign in (1, -1):
            moved = Workspace(group, theta + sign * h * direction, np.empty_like(theta), N)
            moved.forward(rows, z)
            values.append((coefficients * z).sum(axis=(1, 2)))
        slopes = (values[0] - values[1]) / (2 * h)
        np.testing.assert_allclose((gradient * direction).sum(axis=1), slopes, rtol=1e-6, atol=1e-8)


def test_the_embedding_is_its_formula():
    generator = np.random.default_rng(0)
    hp = Hyperparameters(hidden=(), embedding="periodic", feature_scale=True)
    group = group_of(hp, n_outputs=1)
    theta = generator.normal(size=(1, n_parameters(group)))
    X = generator.normal(size=(9, D))
    layer = PBLD(D)
    w, b, v = (block[0] for block in layer.blocks(theta[:, : layer.n_parameters]))
    features = []
    for j in range(D):
        waves = np.cos(2 * np.pi * np.outer(X[:, j], w[j]) + b[j, :, 0])
        features += [*(waves @ v[j, :-1] + v[j, -1]).T, X[:, j]]
    W, factors = weight_blocks(group, theta)[0][0], theta[0, -4 * D :]
    expected = (np.array(features).T * factors) @ W[:-1] + W[-1]
    np.testing.assert_allclose(outputs(group, theta, np.empty((1, 0)), X)[0], expected, rtol=1e-9)


def test_plr_is_its_formula():
    generator = np.random.default_rng(0)
    group = group_of(Hyperparameters(hidden=(), embedding="plr"), n_outputs=1)
    theta = generator.normal(size=(1, n_parameters(group)))
    X = generator.normal(size=(9, D))
    layer = PLR(D)
    w, v = (block[0] for block in layer.blocks(theta[:, : layer.n_parameters]))
    features = []
    for j in range(D):
        angles = 2 * np.pi * np.outer(X[:, j], w[j])
        features.append(np.maximum(np.hstack([np.cos(angles), np.sin(angles)]) @ v[j, :-1] + v[j, -1], 0.0))
    W = weight_blocks(group, theta)[0][0]
    expected = np.hstack(features) @ W[:-1] + W[-1]
    np.testing.assert_allclose(outputs(group, theta, np.empty((1, 0)), X)[0], expected, rtol=1e-9)


def test_bins_are_quantiles_and_a_number_fills_those_below_it():
    generator = np.random.default_rng(0)
    x = generator.normal(size=8001)
    X = np.column_stack([x, np.repeat([1.0, 2.0, 2.0], 2667), np.full(8001, 5.0)])
    edges = fit_bins(X)
    encoded = encode_bins(edges, X).reshape(len(X), 3, N_BINS)
    # Each bin of a continuous column holds an eighth of the rows; whoever is above a bin fills it, whoever is below not.
    filled = encoded[:, 0].sum(axis=1)
    rank = np.argsort(np.argsort(x)) / 1000
    np.testing.assert_array_equal(np.floor(filled + 1e-9), np.floor(rank + 1e-9))
    assert (np.diff(encoded[:, 0], axis=1) <= 0).all()
    # It is linear within a bin, and goes on outside the training rows as far as one bin's width.
    b = edges.reshape(3, -1)[0]
    middle = 0.25 * b[3] + 0.75 * b[4]
    np.testing.assert_allclose(encode_bins(edges, np.full((1, 3), middle))[0, :N_BINS], [1, 1, 1, 0.75, 0, 0, 0, 0])
    np.testing.assert_allclose(encode_bins(edges, np.full((1, 3), 1e300))[0, :N_BINS], [*[1] * 7, 2])
    np.testing.assert_allclose(encode_bins(edges, np.full((1, 3), -1e300))[0, :N_BINS], [-1, *[0] * 7])
    # Repeated values leave bins without width.
    assert len(np.unique(encoded[:, 1], axis=0)) == 2
    assert len(np.unique(encoded[:, 2], axis=0)) == 1
    assert np.isfinite(encoded).all()


@pytest.mark.parametrize("scaling", ["none", "robust"])
def test_a_network_that_bins_is_one_that_is_given_binned_rows(scaling):
    X, y = table()
    scaled = X if scaling == "none" else scale_inputs(scaling, fit_inputs(scaling, X[:30]), X)
    binned = encode_bins(fit_bins(scaled[:30]), scaled)
    fold = Fold(X[:30], y[:30], None, X[30:], y[30:])
    given = Fold(binned[:30], y[:30], None, binned[30:], y[30:])
    group, state, curves = trained(Hyperparameters(hidden=(6,), epochs=3, scaling=scaling, embedding="piecewise"), fold)
    plain, expected, plain_curves = trained(Hyperparameters(hidden=(6,), epochs=3), given, n_inputs=D * N_BINS)
    np.testing.assert_allclose(state.theta, expected.theta, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(curves["val_loss"], plain_curves["val_loss"], rtol=1e-9)
    np.testing.assert_allclose(
        outputs(group, state.theta, state.buffers, X),
        outputs(plain, expected.theta, expected.buffers, binned),
        rtol=1e-9,
    )


@pytest.mark.parametrize("embedding", ["periodic", "plr", "piecewise"])
def test_an_embedding_bends_where_a_line_cannot(embedding):
    x = np.linspace(-1.0, 1.0, 200)[:, None]
    y = np.abs(x)
    hp = {"hidden": (), "epochs": 200, "learning_rate": 0.02, "embedding_sigma": 0.5}
    loss = {
        kind: trained(Hyperparameters(**hp, embedding=kind), Fold(x, y), n_inputs=1, n_outputs=1)[2]["train_loss"][-1]
        for kind in ("none", embedding)
    }
    assert loss[embedding] < 0.1 * loss["none"]


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_rates_by_layer_are_steps_on_the_parametrisation_they_stand_for(optimizer):
    # One unit x w / sqrt(d) + b on x = 1 in all d inputs: its w is trained by the same optimizer on the chain rule's slope.
    d, steps = 4, 6
    plain = {"optimizer": optimizer, "learning_rate": 0.01, "batch_size": 1, "hidden": (), "init": "zeros"}
    tangent = Hyperparameters(**plain, parametrization="ntk", epochs=steps, epsilon=1e-12)
    group = group_of(tangent, n_inputs=d, n_rows=1, n_outputs=1)
    fold = Fold(np.ones((1, d)), np.array([3.0]))
    state, _ = train(group, [Network(tangent, 0)], [fold], start(group, [Network(tangent, 0)]), steps, order_seed=0)
    # The same with the factor made explicit: inputs of 1 / sqrt(d), a bias that learns at a tenth of the rate.
    explicit = Hyperparameters(**plain, epochs=steps, epsilon=1e-12)
    other = group_of(explicit, n_inputs=d, n_rows=1, n_outputs=1)
    assert [span[2] for span in learning_rate_groups(other)] == [1.0]
    w, b = np.zeros(d), 0.0
    rates = {start_of: factor for start_of, _, factor in learning_rate_groups(group)}
    assert rates == {0: 1 / d if optimizer == "sgd" else d**-0.5, d: 0.1}
    if optimizer == "sgd":
        for _ in range(steps):
            slope = 2 * (w.sum() / np.sqrt(d) + b - 3.0)
            w, b = w - 0.01 * slope / np.sqrt(d), b - 0.1 * 0.01 * slope
        np.testing.assert_allclose(state.theta[0], [*(w / np.sqrt(d)), b], rtol=1e-9)
    else:
        first, _ = train(group, [Network(tangent, 0)], [fold], start(group, [Network(tangent, 0)]), 1, order_seed=0)
        reference, _ = train(
            other, [Network(explicit, 0)], [fold], start(other, [Network(explicit, 0)]), 1, order_seed=0
        )
        np.testing.assert_allclose(first.theta[0], reference.theta[0] * ([d**-0.5] * d + [0.1]), rtol=1e-6)


def test_the_start_from_the_data_gives_sums_of_deviation_one_and_kinks_among_the_rows():
    X, y = table(300)
    hp = Hyperparameters(
        hidden=(50, 40), activation="identity", init="data", scaling="robust", learning_rate=1e-30, epochs=1
    )
    fold = Fold(X, y)
    group, state, _ = trained(hp, fold)
    a = scale_inputs("robust", state.buffers[0], X)
    for W in weight_blocks(group, state.theta):
        sums = a @ W[0, :-1]
        np.testing.assert_allclose(sums.std(axis=0), 1.0, rtol=1e-9)
        kinks = -W[0, -1]
        assert (kinks > sums.min(axis=0)).all()
        assert (kinks < sums.max(axis=0)).all()
        assert kinks.std() > 0.1
        a = sums + W[0, -1]
    again = trained(hp, fold)[1]
    np.testing.assert_array_equal(again.theta, state.theta)


def test_what_fades_is_gone_at_the_end_and_whole_before_the_middle():
    X, y = table()
    thetas = {}
    for fade in (False, True):
        hp = Hyperparameters(hidden=(5,), batch_size=N, epochs=20, learning_rate=1e-12, weight_decay=1e11, fade=fade)
        group, networks = group_of(hp), [Network(hp, 0)]
        state, path = start(group, networks), []
        for epoch in range(1, 21):
            state, _ = train(group, networks, [Fold(X, y)], state, epoch, order_seed=0)
            path.append(float(np.abs(weight_blocks(group, state.theta)[0][0, :-1]).sum()))
        thetas[fade] = np.array(path[1:]) / np.array(path[:-1])
    np.testing.assert_allclose(thetas[False], 0.9, rtol=1e-6)
    np.testing.assert_allclose(thetas[True][:9], 0.9, rtol=1e-6)
    shares = (1 - thetas[True]) / 0.1
    t = np.arange(1, 20) / 20
    np.testing.assert_allclose(shares, np.where(t < 0.5, 1, (1 + np.cos(np.pi * (2 * t - 1))) / 2), atol=1e-6)
