"""Scaling of inputs and targets: scikit-learn's numbers, columns without spread, and targets in their own unit."""

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.scaling import fit_inputs, scale_inputs
from mlptune.core.training import Fold
from mlptune.core.workspace import outputs
from tests.support.tables import table, trained


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
