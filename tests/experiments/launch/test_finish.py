"""The final model: trained on all rows that are not test, whatever was enough for the search."""

import numpy as np
import pytest

from mlptune.experiments.config import load_spec
from mlptune.experiments.data.dataset import Dataset
from mlptune.experiments.execution.workers import Inline
from mlptune.experiments.launch.finish import fit_final
from mlptune.experiments.launch.problem import Problem
from mlptune.experiments.progress import Observer
from tests.support.sweeps import iris


@pytest.mark.parametrize("refit", [True, False])
def test_the_refit_uses_all_rows_and_the_trials_own_networks_their_share(refit: bool) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 4))
    predicted = []
    for share in (1.0, 0.2):
        model = {"epochs": 3, "subset": share}
        spec, _ = load_spec(iris(model=model, space={}, objective__refit=refit))
        problem = Problem(spec, Dataset.load(spec.data, spec.seed, spec.base))
        fitted = fit_final(problem, dict(problem.fixed), (3,), Inline(), Observer())
        predicted.append(fitted.predict_proba(rows))
    assert np.array_equal(*predicted) == refit
