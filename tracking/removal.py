"""Deleting launches as MLflow deletes: softly, so that it can restore their runs until `mlflow gc` frees the space.

What of the model registry belongs to a launch goes with it, and nothing of other launches. With its last launch a sweep's
experiment is deleted too, under another name, so that the sweep's own name is free.
"""

from collections.abc import Callable, Iterable
from typing import Any

from . import lease, reader, schema, store
from .numbering import launch_numbers
from .records import LaunchRecord


def delete_launches(uri: str, launches: Iterable[LaunchRecord], say: Callable[[str], None]) -> None:
    """Delete launches of one sweep with their trials, models and registered versions.

    A launch that was run elsewhere and has not ended is waited for as `lease.wait_until_free` does, and `say` is given a line on
    that. Killed in the middle it can be called again: a launch's own run goes last.

    Raises:
        HeldElsewhere: If one of the launches is being run. None is deleted then.
    """
    launches = list(launches)
    for launch in launches:
        lease.wait_until_free(uri, launch.name, launch.run_id, say)
    client = store.import_mlflow().MlflowClient(tracking_uri=uri, registry_uri=uri)
    for launch in launches:
        _delete(client, launch)
    _free_name(client, launches[0].name)


def _delete(client: Any, launch: LaunchRecord) -> None:
    experiment_id = client.get_run(launch.run_id).info.experiment_id
    _fix_numbers(client, experiment_id)
    _delete_models(client, experiment_id, launch)
    for run in list(reader.all_trial_runs(client, experiment_id, launch.run_id)):
        client.delete_run(run.info.run_id)
    client.delete_run(launch.run_id)


def _fix_numbers(client: Any, experiment_id: str) -> None:
    """Write down the numbers of launches that have been counted only, as others must not change when one goes."""
    runs = client.search_runs([experiment_id], f"tags.{schema.KIND} = 'launch'", max_results=10_000)
    numbers = launch_numbers(runs)
    for run in runs:
        if schema.LAUNCH not in run.data.tags:
            client.set_tag(run.info.run_id, schema.LAUNCH, str(numbers[run.info.run_id]))


def _delete_models(client: Any, experiment_id: str, launch: LaunchRecord) -> None:
    """Delete the launch's logged models and the versions that mlptune has registered of them; a model without any goes too."""
    for version in client.search_model_versions(f"run_id = '{launch.run_id}'"):
        if version.name == launch.name:
            client.delete_model_version(version.name, version.version)
    if _is_registered(client, launch.name) and not client.search_model_versions(
        f"name = '{launch.name}'", max_results=1
    ):
        client.delete_registered_model(launch.name)
    for model in client.search_logged_models([experiment_id], f"source_run_id = '{launch.run_id}'"):
        client.delete_logged_model(model.model_id)


def _is_registered(client: Any, name: str) -> bool:
    return bool(client.search_registered_models(f"name = '{name}'", max_results=1))


def _free_name(client: Any, name: str) -> None:
    experiment = client.get_experiment_by_name(name)
    if experiment is None or client.search_runs([experiment.experiment_id], max_results=1):
        return  # another launch, or runs of the user's own
    client.rename_experiment(experiment.experiment_id, f"{name} (deleted, experiment {experiment.experiment_id})")
    client.delete_experiment(experiment.experiment_id)
