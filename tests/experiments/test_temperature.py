"""Temperature scaling against scikit-learn's own calibration and its defining properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from mlptune.experiments.temperature import GREATEST, PRIOR, apply_temperature, fit_temperature


def overconfident(n: int, classes: int, factor: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, C) that are too sure by `factor`, and the classes drawn from the right ones."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (n, classes))
    right = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = np.array([random.choice(classes, p=row) for row in right])
    sure = np.exp(factor * logits)
    return sure / sure.sum(axis=1, keepdims=True), y


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_it_finds_by_how_much_probabilities_are_too_sure(factor: float) -> None:
    p, y = overconfident(4000, 4, factor)
    temperature = fit_temperature(p, y)
    assert temperature == pytest.approx(factor, rel=0.1)
    assert log_loss(y, apply_temperature(p, temperature)) <= log_loss(y, p) + 1e-9


def test_for_two_classes_it_is_a_logistic_regression_on_the_logit() -> None:
    p, y = overconfident(2000, 2, 2.5, seed=3)
    logit = np.log(p[:, 1:] / p[:, :1])
    slope = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(logit, y).coef_[0, 0]
    many = np.full(len(y), 1e4)  # so many rows of each that what is assumed beforehand does not count
    assert 1 / fit_temperature(p[:, 1:], y, many) == pytest.approx(slope, rel=1e-3)


def test_two_columns_and_one_are_the_same_model() -> None:
    p, y = overconfident(500, 2, 2.0)
    both, one = fit_temperature(p, y), fit_temperature(p[:, 1:], y)
    assert both == pytest.approx(one, rel=1e-4)
    np.testing.assert_allclose(apply_temperature(p, 2.0)[:, 1:], apply_temperature(p[:, 1:], 2.0), rtol=1e-9)


def test_rows_count_by_their_weight() -> None:
    p, y = overconfident(300, 3, 2.0)
    weight = np.random.default_rng(1).integers(0, 3, len(y))
    repeated = fit_temperature(np.repeat(p, weight, axis=0), np.repeat(y, weight))
    assert fit_temperature(p, y, weight.astype(float)) == pytest.approx(repeated, rel=0.02)


@pytest.mark.parametrize("right", [True, False])
def test_rows_that_are_all_right_or_all_wrong_leave_probabilities_finite(right: bool) -> None:
    y = np.arange(20) % 2
    p = np.where((y == 1) == right, 0.9, 0.1)[:, None]
    temperature = fit_temperature(p, y)
    assert 0 < temperature <= GREATEST * 1.001
    assert np.isfinite(np.log(apply_temperature(p, temperature))).all()


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=8),
    st.floats(0.1, 10),
)
def test_the_likeliest_class_stays_and_rows_add_up_to_one(rows: list[list[float]], temperature: float) -> None:
    raw = np.array(rows) + 1e-6
    p = raw / raw.sum(axis=1, keepdims=True)
    scaled = apply_temperature(p, temperature)
    np.testing.assert_allclose(scaled.sum(axis=1), 1.0, rtol=1e-9)
    top = scaled[np.arange(len(p)), p.argmax(axis=1)]
    assert (top >= scaled.max(axis=1) * (1 - 1e-9)).all()


def test_a_few_rows_that_are_wrong_say_hardly_anything() -> None:
    """Two of two thousand rows wrong, all of them sure: without the prior T would be 1.7, and cost what is right most."""
    p = np.tile([[1 - 4e-6, 1e-6, 1e-6, 1e-6, 1e-6]], (2000, 1))
    y = np.zeros(2000, dtype=int)
    y[:2] = 1
    assert 1.0 < fit_temperature(p, y) < 1.4
    assert fit_temperature(np.tile(p, (200, 1)), np.tile(y, 200)) == pytest.approx(1.67, abs=0.05)


def test_it_is_where_scipy_finds_the_least_log_loss() -> None:
    """Where rows are nearly all right, nearly all wrong, or neither; and 1 where no temperature changes anything."""
    from scipy.optimize import minimize_scalar

    for factor in (0.05, 1.0, 20.0):
        p, y = overconfident(200, 3, factor, seed=7)

        def loss(inverse: float, p: np.ndarray = p, y: np.ndarray = y) -> float:
            scaled = apply_temperature(p, 1 / inverse)
            return (inverse - 1) ** 2 / (2 * PRIOR**2) - np.log(scaled[np.arange(len(y)), y]).sum()

        found = minimize_scalar(loss, bounds=(1 / GREATEST, 10.0), method="bounded", options={"xatol": 1e-7})
        assert 1 / fit_temperature(p, y) == pytest.approx(found.x, rel=1e-4)
    assert fit_temperature(np.full((5, 3), 1 / 3), np.zeros(5, dtype=int)) == 1.0
