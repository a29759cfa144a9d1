"""The MLflow experiment of a sweep: found by its name, or created."""

import re
from typing import Any

from .. import schema, store
from ..store.sqlite import deleted

# The second makes MLflow's interface open on runs and charts rather than on traces of language models.
_TAGS = {schema.KIND: "sweep", schema.EXPERIMENT_KIND: "custom_model_development"}


def experiment_of(client: Any, uri: str, name: str) -> str:
    """The id of the experiment of the sweep `name`, which is created if it is not there.

    Raises:
        UnusableStore: If the experiment was deleted.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return str(client.create_experiment(name, artifact_location=_artifact_location(uri, name), tags=_TAGS))
        except store.client_errors() as error:
            if not store.is_there_already(error):
                raise
            experiment = client.get_experiment_by_name(name)
    if experiment.lifecycle_stage == "deleted":
        raise deleted(uri, name, experiment.experiment_id)
    for key, value in _TAGS.items():
        if experiment.tags.get(key) != value:
            client.set_experiment_tag(experiment.experiment_id, key, value)
    return str(experiment.experiment_id)


def _artifact_location(uri: str, name: str) -> str | None:
    """Beside a SQLite store, where MLflow itself would put artifacts if started there; elsewhere the server decides."""
    path = store.sqlite_path(uri)
    if path is None:
        return None
    folder = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".")[:100] or "_"
    return (path.parent / "mlruns" / folder).as_uri()
