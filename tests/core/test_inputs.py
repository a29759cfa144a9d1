"""Inputs on their way into the network: one that scales or bins is one that is given scaled or binned rows."""

import numpy as np
import pytest

from mlptune.core.binning import N_BINS, encode_bins, fit_bins
from mlptune.core.hyperparameters import Hyperparameters
from mlptune.core.scaling import fit_inputs, scale_inputs
from mlptune.core.training import Fold
from mlptune.core.workspace import outputs
from tests.support.tables import D, table, trained


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
        outputs(plain, expected.theta, expected.buffers, scale_inputs(kind, fitted, X)),
    )
    each_its_own = outputs(group, state.theta, state.buffers, X[None])
    np.testing.assert_array_equal(each_its_own, outputs(group, state.theta, state.buffers, X))


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
