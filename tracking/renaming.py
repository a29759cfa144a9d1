"""A sweep under another name: its experiment, the tags of its runs, what its launches have written of it, its registered model."""

import json
from collections.abc import Callable
from typing import Any

from . import description, launch_tags, lease, records, schema, store
from .records import LaunchRecord
from .runs.log import log_batch, log_texts

_PAGE = 1000


class NameTaken(ValueError):
    """Another sweep, experiment or registered model has the name; the message says which."""


def rename_sweep(uri: str, launches: list[LaunchRecord], name: str, say: Callable[[str], None]) -> None:
    """Give the sweep of these `launches`, which are all it has, another name.

    The experiment is renamed last: killed in the middle it can be called again.

    Raises:
        HeldElsewhere: If one of the launches is being run.
        NameTaken: If something else has the name.
    """
    before = launches[0].name
    for launch in launches:
        lease.wait_until_free(uri, before, launch.run_id, say)
    client = store.import_mlflow().MlflowClient(tracking_uri=uri, registry_uri=uri)
    _check_free(client, name)
    experiment_id = client.get_experiment_by_name(before).experiment_id
    for launch in launches:
        _rename_launch(client, launch, name)
    _retag(client, experiment_id, before, name)
    if client.search_registered_models(f"name = '{before}'", max_results=1):
        client.rename_registered_model(before, name)
    client.rename_experiment(experiment_id, name)


def _check_free(client: Any, name: str) -> None:
    experiment = client.get_experiment_by_name(name)
    if experiment is not None:
        what = "a deleted experiment of MLflow's has" if experiment.lifecycle_stage == "deleted" else "there is"
        raise NameTaken(
            f"{what} {'the name' if what.startswith('a') else 'a sweep'} {name!r} already; take another name"
        )
    if client.search_registered_models(f"name = '{name}'", max_results=1):
        raise NameTaken(f"there is a registered model {name!r} already; take another name")


def _rename_launch(client: Any, launch: LaunchRecord, name: str) -> None:
    """Change the name in what a resume, a result and MLflow's page read of the launch: the stored sweep file and the note."""
    spec = launch.tags.get(schema.SPEC, "")
    if spec.startswith(records.ARTIFACT):
        path = spec.removeprefix(records.ARTIFACT)
        client.log_text(launch.run_id, _renamed(client.download_artifacts(launch.run_id, path), name), path)
    elif spec:
        renamed = records.dumps({**json.loads(spec), "name": name})
        short, long = launch_tags.stored({schema.SPEC: renamed}, before=client.get_run(launch.run_id).data.tags)
        log_texts(client, launch.run_id, long)
        log_batch(client, launch.run_id, tags=short)
    if any(entry.path == schema.SPEC_FILE for entry in client.list_artifacts(launch.run_id)):
        text = _renamed(client.download_artifacts(launch.run_id, schema.SPEC_FILE), name)
        client.log_text(launch.run_id, text, schema.SPEC_FILE)
    note = launch.tags.get(schema.NOTE, "")
    for said in (description.sweep_head, description.next_commands):
        note = note.replace(said(launch.name), said(name), 1)
    if note != launch.tags.get(schema.NOTE, ""):
        client.set_tag(launch.run_id, schema.NOTE, note)


def _renamed(path: str, name: str) -> str:
    with open(path, encoding="utf-8") as file:
        return json.dumps({**json.load(file), "name": name}, indent=1)


def _retag(client: Any, experiment_id: str, before: str, name: str) -> None:
    """Change the tag with the sweep's name on its runs and logged models."""
    while runs := client.search_runs([experiment_id], f"tags.`{schema.SWEEP}` = '{before}'", max_results=_PAGE):
        for run in runs:
            client.set_tag(run.info.run_id, schema.SWEEP, name)
    for model in client.search_logged_models([experiment_id]):
        if model.tags.get(schema.SWEEP) == before:
            client.set_logged_model_tags(model.model_id, {schema.SWEEP: name})
