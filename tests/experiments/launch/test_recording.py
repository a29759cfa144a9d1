"""What MLflow holds of a sweep's trials: parameters, curves, how a sampler's learning goes, and what had to be run again."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from mlflow import MlflowClient

import mlptune
from tests.support.sweeps import essence, small


def test_what_mlflow_shows(store: str) -> None:
    result = mlptune.run_sweep(small("hyperband", model__epochs=27))
    client = MlflowClient(store)
    parent = client.get_run(result.run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["test_score"] == result.best["test_score"]
    assert parent.data.params["epochs"] == "27"
    assert {file.path for file in client.list_artifacts(result.run_id)} >= {"sweep.toml", "best_config.json"}
    children = client.search_runs([parent.info.experiment_id], f"tags.mlflow.parentRunId = '{result.run_id}'")
    assert len(children) == 12
    for child in children:
        number = int(child.data.tags["mlptune.number"])
        trial = result.summary()["trials"][number]
        assert child.data.params["learning_rate"] == str(trial["params"]["learning_rate"])
        for key in ("train_loss", "val_loss", "train_score", "val_score"):
            history = client.get_metric_history(child.info.run_id, key)
            assert sorted(point.step for point in history) == list(range(1, trial["epochs"] + 1))
    version = client.get_registered_model("small").latest_versions[0]
    assert version.run_id == result.run_id


def test_the_learning_of_a_policy_is_seen_in_the_run(store: str) -> None:
    result = mlptune.run_sweep(small("rl", model__epochs=2, search__options={"learning_rate": 2.0}))
    runs = result.summary()["trials"]
    metrics = [MlflowClient(store).get_run(trial["run_id"]).data.metrics for trial in runs]
    entropy = [found["rl_entropy"] for found in metrics]
    assert entropy[0] == 1.0
    assert 0 < entropy[-1] < 1
    assert metrics[-1]["rl_baseline"] < max(trial["value"] for trial in runs) + 1e-12


class _Forgetful(ThreadPoolExecutor):
    """Loses the first job that brings data along."""

    lost = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        if args and not self.lost:
            self.lost = True
            return super().submit(_lose)
        return super().submit(fn, *args, **kwargs)


def _lose() -> None:
    raise ConnectionResetError("the machine is gone")


def test_trials_whose_job_was_lost_say_so_and_are_otherwise_the_same(store: str) -> None:
    undisturbed = mlptune.run_sweep(small("random", name="undisturbed"), workers=1)
    with _Forgetful(1) as threads:
        result = mlptune.run_sweep(small("random"), executor=threads)
        assert threads.lost
    client = MlflowClient(store)
    reruns = [client.get_run(trial["run_id"]).data.tags.get("mlptune.reruns") for trial in result.summary()["trials"]]
    assert set(reruns) == {None, "1"}
    assert essence(result, with_name=False) == essence(undisturbed, with_name=False)
