"""The score of the ensemble so far: once for each batch, the same after an interruption, and that of the model at the end."""

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

import mlptune
from mlptune.tracking import schema
from tests.support.observers import AfterTrials, press_ctrl_c
from tests.support.sweeps import small


class Watcher(AfterTrials):
    """Keeps what is said of the ensemble."""

    def __init__(self, count: int, act=lambda: None) -> None:
        super().__init__(count, act)
        self.values: list[float] = []

    def ensemble_advanced(self, value: float) -> None:
        self.values.append(value)


def steps(uri: str) -> list[tuple[int, float]]:
    run_id = mlptune.experiments.queries.show("small", tracking_uri=uri)["run_id"]
    history = MlflowClient(uri).get_metric_history(run_id, schema.ENSEMBLE_VALUE)
    return sorted((point.step, point.value) for point in history)


def test_each_batch_has_its_point_once_though_interrupted(store: str, migrated: Path, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'whole.db'}"
    shutil.copyfile(migrated, tmp_path / "whole.db")
    watcher, spec = Watcher(99), small(data__folds=2, seed=4, objective__metric="log_loss")
    result = mlptune.run_sweep(spec, observer=watcher, tracking_uri=uri)
    assert [step for step, _ in steps(uri)] == [4, 8, 12]
    assert [value for _, value in steps(uri)] == watcher.values
    # Selection is by the log loss, so more trials never make it worse on its own rows, but for the temperature.
    assert watcher.values[-1] <= min(watcher.values) + 1e-3
    assert watcher.values[-1] <= result.best["value"]
    with pytest.raises(KeyboardInterrupt):
        mlptune.run_sweep(spec, observer=Watcher(9, press_ctrl_c))
    mlptune.run_sweep(spec, resume=True)
    assert steps(store) == steps(uri)


def test_without_an_ensemble_there_is_none(store: str) -> None:
    watcher = Watcher(99)
    mlptune.run_sweep(small(objective__ensemble=0, search__trials=4), observer=watcher)
    assert watcher.values == []
