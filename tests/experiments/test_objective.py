"""The sweep's evaluation as a plain function: the sweep's numbers, in any Optuna study."""

from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

import mlptune
from mlptune.experiments.errors import UserError
from tests.support.sweeps import small


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def test_objective_gives_the_numbers_of_the_sweep(store: str) -> None:
    for stopper in ("none", "hyperband"):
        spec = small("random", name=f"as {stopper}", model__epochs=27, search__batch=1, search__pruner=stopper)
        sweep = mlptune.run_sweep(spec)
        study = optuna.create_study(
            study_name="mlptune",
            direction="maximize",
            sampler=mlptune.search.sampler("random", seed=0),
            pruner=mlptune.search.pruner(stopper, max_epochs=27),
        )
        study.optimize(mlptune.objective(spec), n_trials=12)
        for trial, mine in zip(study.trials, sweep.summary()["trials"], strict=True):
            assert (trial.state.name.lower(), trial.value) == (mine["state"], mine["value"])
            assert len(trial.intermediate_values) == mine["epochs"]


def test_a_trial_that_diverges_is_pruned_with_the_epochs_before() -> None:
    spec = small("random", model={"optimizer": "sgd", "epochs": 5}, space={"learning_rate": [1e20, 1e25]})
    study = optuna.create_study(direction="maximize")
    study.optimize(mlptune.objective(spec), n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["PRUNED"] * 2
    assert all(len(trial.intermediate_values) < 5 for trial in study.trials)
    assert all(np.isfinite(list(trial.intermediate_values.values())).all() for trial in study.trials)


def test_the_test_part_is_not_touched(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=120), "b": rng.normal(size=120)})
    frame["y"] = (frame["a"] > 0).astype(int)
    frame.iloc[:90].to_csv(tmp_path / "train.csv", index=False)
    values = []
    for scale in (1.0, -1e3):
        frame.iloc[90:].assign(a=scale * frame["a"]).to_csv(tmp_path / "test.csv", index=False)
        data = {"source": str(tmp_path / "train.csv"), "test": str(tmp_path / "test.csv"), "target": "y"}
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
        study.optimize(mlptune.objective({"data": data, "model": {"epochs": 3}}), n_trials=2)
        values.append([trial.intermediate_values for trial in study.trials])
    assert values[0] == values[1]


def test_what_is_wrong_is_told_before_the_first_trial() -> None:
    with pytest.raises(UserError, match="did you mean 'target'"):
        mlptune.objective(small("random", data__target="taget"))
    with pytest.raises(UserError, match=r"did you mean 'model\.learning_rate'"):
        mlptune.objective(small("random"), ["model.lr=0.1"])
