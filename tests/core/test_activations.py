"""Every activation against SciPy's functions or torch's, its own slope, and inputs at which formulas overflow."""

import warnings

import numpy as np
import pytest
from scipy import integrate
from scipy.special import expit
from scipy.stats import norm

from mlptune.core.activations import ACTIVATIONS

from .reference import load, part

# Within tanh's approximation of the normal distribution.
TOLERANCES = {"gelu": 5e-4}
REFERENCES = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.maximum(0.1 * z, z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "softplus": lambda z: np.logaddexp(0, z),
    "gelu": lambda z: z * norm.cdf(z),
    "silu": lambda z: z * expit(z),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
    "threshold": lambda z: (z > 0).astype(float),
}
ONE_PIECE = sorted(name for name, activation in ACTIVATIONS.items() if activation.n_linear_pieces == 1)


def passed(name, z, dtype="float64"):
    """Value and derivative at the numbers z, by the engine; a warning is an error."""
    activation = ACTIVATIONS[name]
    a = np.array(z, dtype=dtype).reshape(1, 1, -1)
    kind = f"i{a.itemsize}" if activation.integer_view else dtype
    t = np.empty((*(() if activation.n_cache_arrays == 1 else (activation.n_cache_arrays,)), *a.shape), dtype=kind)
    d = np.ones_like(a)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        activation.forward(a.view(kind), t)
        value = a.copy()
        activation.backward(a.view(kind), d.view(kind), t)
    return value.ravel(), d.ravel()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_values_equal_the_reference(name, dtype):
    z = np.linspace(-12, 12, 401)
    precision = 1e-12 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(passed(name, z, dtype)[0], REFERENCES[name](z), atol=TOLERANCES.get(name, precision))


@pytest.mark.parametrize("name", sorted(set(ONE_PIECE) - {"threshold"}))
def test_derivatives_are_the_slopes_of_the_values(name):
    z = np.linspace(-9.03, 9, 301)
    slope = (passed(name, z + 1e-6)[0] - passed(name, z - 1e-6)[0]) / 2e-6
    np.testing.assert_allclose(passed(name, z)[1], slope, atol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ONE_PIECE)
def test_large_and_tiny_inputs_are_safe(name, dtype):
    sizes = np.array([0, 1e-30, 1e-9, 20, 90, 800, 1e4, 1e10, 1e20, 1e36])
    z = np.concatenate([-sizes, sizes])
    value, slope = passed(name, z, dtype)
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    far = np.abs(z) > 50
    np.testing.assert_array_less(np.abs(slope[far]), 1.06)
    if name in REFERENCES:
        np.testing.assert_allclose(value, REFERENCES[name](z.astype(dtype)), rtol=1e-6, atol=1e-6)


def test_selu_keeps_mean_zero_and_variance_one_of_normal_sums():
    moments = [
        integrate.quad(lambda z, p=p: passed("selu", [z])[0][0] ** p * norm.pdf(z), -12, 12, points=[0])[0]
        for p in (1, 2)
    ]
    np.testing.assert_allclose(moments, [0, 1], atol=1e-7)


def test_the_steepest_slope_of_a_logistic_unit_is_a_quarter_and_of_a_rectifier_one():
    z = np.linspace(-8, 8, 1601)
    assert passed("logistic", z)[1].max() == 0.25
    assert passed("relu", z)[1].max() == 1.0
    assert passed("leaky_relu", z)[1].min() == 0.1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_derivatives_equal_torch(dtype):
    reference = load("activations")
    assert set(reference["names_json"]) == set(ONE_PIECE) - {"identity", "threshold"}
    for name in reference["names_json"]:
        value, slope = passed(name, reference["points"], dtype)
        expected = part(reference, f"{dtype}/{name}")
        # torch takes softplus for the identity above 20 and nowhere else leaves its formula.
        tolerance = 1e-10 if dtype == "float64" else 5e-6
        np.testing.assert_allclose(value, expected["value"], atol=tolerance, err_msg=name)
        np.testing.assert_allclose(slope, expected["slope"], atol=tolerance, err_msg=name)
