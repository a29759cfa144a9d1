"""Importances against Optuna's own function, and what is imported for them."""

import subprocess
import sys

import optuna
import pytest

from mlptune.search.importance import importances


def study() -> optuna.Study:
    """Of x, y, a choice and a layer that only some trials have, x matters most."""
    made = optuna.create_study(sampler=optuna.samplers.RandomSampler(0), direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        x, y = trial.suggest_float("x", 1e-3, 1.0, log=True), trial.suggest_int("y", 1, 9)
        layers = trial.suggest_categorical("layers", [1, 2])
        return x + 0.01 * y + (0.1 * trial.suggest_float("z", 0, 1) if layers == 2 else 0.0)

    made.optimize(objective, 60)
    return made


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning", "ignore:Some regimes")
def test_they_are_those_of_optuna_to_the_bit() -> None:
    expected = optuna.importance.get_param_importances(study())
    found = importances(study())
    assert list(found.items()) == list(expected.items())
    assert next(iter(found)) == "x"


@pytest.mark.filterwarnings("ignore:Target and region quantiles")
def test_of_equal_values_each_has_an_equal_share() -> None:
    same = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    same.optimize(lambda trial: 0 * trial.suggest_float("x", 0, 1) * trial.suggest_float("y", 0, 1), 20)
    assert importances(same) == {"x": 0.5, "y": 0.5}


def test_neither_scikit_learn_is_imported_nor_is_optunas_package_changed_for_others() -> None:
    program = """
import sys, optuna
from mlptune.search.importance import importances
made = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
made.optimize(lambda trial: trial.suggest_float("x", 0, 1) + 0.1 * trial.suggest_float("y", 0, 1), 20)
first = importances(made)
assert not {"sklearn", "scipy.stats", "optuna.importance"} & sys.modules.keys()
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
assert get_param_importances(made) == first == importances(made)
assert set(get_param_importances(made, evaluator=FanovaImportanceEvaluator(seed=0))) == {"x", "y"}
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
