"""Runs by MLflow's client: from servers, from databases, and from stores whose tables are not known here."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .. import schema, store

_PAGE = 1000
_RUNS_A_QUERY = 100


class ClientSource:
    """What `client`, an `MlflowClient`, can see. Errors are MLflow's own."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def of(cls, uri: str) -> "ClientSource":
        """The source of a store, which is brought up to date if it is an older one."""
        mlflow = store.import_mlflow()
        store.prepare_store(uri)
        return cls(mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri))

    def sweeps(self) -> dict[str, str]:
        """Experiment id -> name of each sweep, without deleted ones."""
        names: dict[str, str] = {}
        token = None
        while True:
            page = self._client.search_experiments(
                filter_string=f"tags.`{schema.KIND}` = 'sweep'", max_results=_PAGE, page_token=token
            )
            names.update((experiment.experiment_id, experiment.name) for experiment in page)
            token = page.token
            if not token:
                return names

    def experiment(self, name: str) -> str | None:
        """The id of the experiment `name`, unless it is deleted."""
        found = self._client.get_experiment_by_name(name)
        return found.experiment_id if found is not None and found.lifecycle_stage == "active" else None

    def has_experiment_tag(self, experiment_id: str, key: str) -> bool:
        """Whether the experiment has that tag."""
        return key in self._client.get_experiment(experiment_id).tags

    def runs(self, experiment_ids: Sequence[str], tags: dict[str, str], deleted: bool = False) -> Iterator[Any]:
        """The runs with these tags, the newest first; deleted ones only where they are asked for too."""
        from mlflow.entities import ViewType

        query = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        token = None
        while experiment_ids:
            page = self._client.search_runs(
                list(experiment_ids),
                query,
                ViewType.ALL if deleted else ViewType.ACTIVE_ONLY,
                max_results=_PAGE,
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            yield from page
            token = page.token
            if not token:
                return

    def run(self, run_id: str) -> Any:
        """The run, deleted or not; None if there is none."""
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_run(run_id)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise

    def histories(self, run_ids: Sequence[str], key: str) -> Iterator[tuple[str, int, float]]:
        """Run, step and value of each point of a metric, each run's by time."""
        # Databases answer for many runs at once, servers for one.
        bulk = getattr(self._client._tracking_client.store, "get_metric_history_bulk", None)
        if bulk is None:
            for run_id in run_ids:
                for metric in self._client.get_metric_history(run_id, key):
                    yield run_id, metric.step, metric.value
            return
        for first in range(0, len(run_ids), _RUNS_A_QUERY):
            for found in bulk(list(run_ids[first : first + _RUNS_A_QUERY]), key, max_results=10**9):
                yield found.run_id, found.step, found.value

    def model_location(self, run_id: str) -> str | None:
        """Where the files of the run's latest model are; None if it has none, or that was deleted."""
        from mlflow.exceptions import MlflowException

        outputs = self._client.get_run(run_id).outputs
        if outputs is None or not outputs.model_outputs:
            return None
        try:
            return str(self._client.get_logged_model(outputs.model_outputs[-1].model_id).artifact_location)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def download_artifact(self, run_id: str, path: str) -> Path:
        """A local copy of an artifact that lies elsewhere."""
        return Path(self._client.download_artifacts(run_id, path))

    def download_model(self, location: str) -> Path:
        """A local copy of a model that lies elsewhere."""
        from mlflow.artifacts import download_artifacts

        return Path(download_artifacts(artifact_uri=location, tracking_uri=self._client.tracking_uri))
