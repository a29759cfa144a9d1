"""Optuna's own contract tests, held against every sampler of ours; a sampler only adds its factory."""

import functools

import pytest
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
    SingleOnlySamplerTestCase,
)
from skopt.optimizer import optimizer

from mlptune.search import sampler as make
from mlptune.search.samplers.skopt import surrogate


class TestRandom(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("random")


class TestQuasirandom(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("quasirandom")


class TestTPE(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("tpe", n_startup_trials=0)


class TestTPEWithoutGroups(BasicSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("tpe", n_startup_trials=5, group=False)


class TestGaussianProcess(BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self, monkeypatch):
        """Fitted from one start in place of three: the contracts are not about how good the fit is."""
        cook = functools.partial(surrogate.cook_estimator, n_restarts_optimizer=0)
        monkeypatch.setattr(surrogate, "cook_estimator", cook)
        return lambda: make("bayesian", n_initial_points=5, n_points=50, acq_func="EI")


class TestForest(RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self, monkeypatch):
        """Of ten trees in place of a hundred: the contracts are not about how good the forest is."""
        cook = functools.partial(optimizer.cook_estimator, n_estimators=10)
        monkeypatch.setattr(optimizer, "cook_estimator", cook)
        return lambda: make("bayesian", n_initial_points=1, n_points=100, base_estimator="RF", acq_func="EI")


class TestAuto(BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("auto", n_startup_trials=2)


class TestBohb(BasicSamplerTestCase, RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("bohb", n_startup_trials=1)


class TestMobster(BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("mobster", n_startup_trials=2)


class TestGenetic(BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("genetic", population=2)


class TestReinforce(BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("rl")


class TestEvolution(BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: make("nas", population=2)
