"""The densities of TPE are those of Optuna's own, slower estimator."""

import numpy as np
import optuna
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator

from mlptune.search.samplers.parzen import ParzenEstimator

DISTRIBUTIONS = {
    "float": FloatDistribution(-1, 3),
    "log": FloatDistribution(1e-6, 10, log=True),
    "step": FloatDistribution(0, 1, step=0.05),
    "int": IntDistribution(-5, 90, step=5),
    "wide": IntDistribution(1, 2_000_000, log=True),
    "choice": CategoricalDistribution(("a", None, 3)),
}


def drawn(name: str, generator: np.random.Generator, n: int) -> np.ndarray:
    """Values (n,) of a distribution, its bounds among them, in Optuna's internal representation."""
    distribution = DISTRIBUTIONS[name]
    if isinstance(distribution, CategoricalDistribution):
        return generator.integers(3, size=n).astype(float)
    low, high = distribution.low, distribution.high
    u = np.round(generator.beta(0.4, 0.4, n), generator.integers(1, 6))
    values = low * (high / low) ** u if distribution.log else low + (high - low) * u
    if distribution.step is not None:
        values = low + np.round((values - low) / distribution.step) * distribution.step
    return np.clip(values, low, high)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(list(DISTRIBUTIONS)), min_size=1, unique=True), st.integers(0, 60), st.integers(0, 99))
def test_densities_are_those_of_optunas_estimator(names: list[str], observed: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    parameters = optuna.samplers.TPESampler()._parzen_estimator_parameters
    space = {name: DISTRIBUTIONS[name] for name in names}
    arguments = {name: drawn(name, generator, observed) for name in names}, space, parameters
    points = {name: drawn(name, generator, 30) for name in names}
    expected = _ParzenEstimator(*arguments).log_pdf(points)
    np.testing.assert_allclose(ParzenEstimator(*arguments).log_pdf(points), expected, rtol=1e-7, atol=1e-7)


def test_a_single_observation_far_from_the_others_keeps_its_density() -> None:
    """Far out in a tail both terms of a probability round to one; its logarithm is finite and Optuna's all the same."""
    space = {"n": IntDistribution(0, 10**6)}
    observations = {"n": np.array([0.0] * 50 + [1e6])}
    parameters = optuna.samplers.TPESampler()._parzen_estimator_parameters
    points = {"n": np.array([0.0, 1.0, 5e5, 999_999.0, 1e6])}
    found = ParzenEstimator(observations, space, parameters).log_pdf(points)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, _ParzenEstimator(observations, space, parameters).log_pdf(points), rtol=1e-7)
    assert found.argmax() == 0
