"""What a sweep's writes are in MLflow: one experiment a sweep, one run a launch, one nested run a trial.

Everything here runs where the writer has it run, in order, with its timestamps chosen before: said again after a failure,
a write adds nothing new. A trial is committed when its run is terminated, which is always the last write: whoever
finds a run still open knows that it does not count.
"""

import getpass
import html
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from . import models, reader, records, store
from .records import TrialRecord

# The second makes MLflow's interface open on runs and charts rather than on traces of language models.
_EXPERIMENT_TAGS = {records.KIND: "sweep", "mlflow.experimentKind": "custom_model_development"}


class UnfinishedLaunch(ValueError):
    """The sweep's latest launch is running, or was interrupted and can be resumed. Has `name` and `run_id`."""

    def __init__(self, name: str, run_id: str) -> None:
        super().__init__(f"the sweep {name!r} has an unfinished launch ({run_id})")
        self.name = name
        self.run_id = run_id

    def __reduce__(self) -> tuple[type["UnfinishedLaunch"], tuple[str, str]]:
        return type(self), (self.name, self.run_id)


@dataclass
class Trial:
    attempt: int
    run_id: str
    state: str = "running"


class Runs:
    """The store at `uri` through one client, and the launch that is open in it. Making one imports MLflow: 2 s."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        mlflow = store.import_mlflow()
        store.prepare_store(uri)
        self._client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        self._name = ""
        self._experiment_id = ""
        self._run_id: str | None = None
        self._common: dict[str, str] = {}
        self.trials: dict[int, Trial] = {}

    def open_launch(
        self,
        name: str,
        spec_text: str,
        spec: dict[str, Any],
        tags: dict[str, str],
        params: dict[str, Any],
        unfinished_ok: bool,
        resume: str | None,
        now: int,
    ) -> str:
        self._name = name
        self._experiment_id = self._experiment(name)
        source = {
            "mlflow.user": _user(),
            "mlflow.source.name": "mlptune",
            "mlflow.source.type": "LOCAL",
            **{
                key: value
                for key, value in tags.items()
                if key in ("mlflow.user", "mlflow.source.name", "mlflow.source.type")
            },
        }
        self._common = {records.SWEEP: name, **source}
        if resume is not None:
            return self._reopen_launch(resume, tags)
        earlier = self._client.search_runs(
            [self._experiment_id], f"tags.{records.KIND} = 'launch'", order_by=["attributes.start_time DESC"]
        )
        if earlier and not unfinished_ok and _unfinished(earlier[0]):
            raise UnfinishedLaunch(name, earlier[0].info.run_id)
        short, long = records.fit(
            {
                **self._common,
                records.KIND: "launch",
                records.STATE: "running",
                records.SPEC: records.dumps(spec),
                "mlflow.note.content": f"One launch of the sweep {name}. Its trials are the nested runs.",
                **tags,
            }
        )
        run = self._client.create_run(
            self._experiment_id,
            start_time=now,
            tags=short,
            run_name=tags.get("mlflow.runName", f"launch {len(earlier) + 1}"),
        )
        self._run_id = run.info.run_id
        self._log_texts(self._run_id, {"sweep.toml": spec_text, **long})
        self._log_batch(self._run_id, params=params)
        return self._run_id

    def count_scored(self, data: str) -> int:
        """The other launches of this sweep whose model has met the test part of the same data (its fingerprint)."""
        query = f"tags.{records.KIND} = 'launch' and tags.`{records.DATA}` = '{data}'"
        found = self._client.search_runs([self._experiment_id], query)
        return sum("test_score" in run.data.metrics for run in found if run.info.run_id != self._run_id)

    def _reopen_launch(self, run_id: str, tags: dict[str, str]) -> str:
        self._run_id = run_id
        for run, committed in reader.trial_runs(self._client, self._experiment_id, run_id):
            state = run.data.tags[records.STATE] if committed else "running"
            self.trials[int(run.data.tags[records.NUMBER])] = Trial(
                int(run.data.tags[records.ATTEMPT]), run.info.run_id, state
            )
        self._client.update_run(run_id, status="RUNNING")
        short, long = records.fit({**tags, records.STATE: "running"})
        self._log_texts(run_id, long)
        self._log_batch(run_id, tags=short)
        return run_id

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            try:
                return str(
                    self._client.create_experiment(
                        name, artifact_location=_artifact_location(self.uri, name), tags=_EXPERIMENT_TAGS
                    )
                )
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                experiment = self._client.get_experiment_by_name(name)
        if experiment.lifecycle_stage == "deleted":
            raise store.UnusableStore(
                f"the sweep {name!r} was deleted in MLflow; take another name, or restore it: MLFLOW_TRACKING_URI="
                f"'{store.redact(self.uri)}' mlflow experiments restore -x {experiment.experiment_id}"
            )
        for key, value in _EXPERIMENT_TAGS.items():
            if experiment.tags.get(key) != value:
                self._client.set_experiment_tag(experiment.experiment_id, key, value)
        return str(experiment.experiment_id)

    def _trial_run(
        self, number: int, attempt: int, tags: Mapping[str, str], run_name: str | None, started: int
    ) -> tuple[str, bool]:
        """The trial's run and whether it is new; an earlier attempt's run is marked, so that it counts no more."""
        trial = self.trials.get(number)
        if trial is not None and trial.attempt == attempt:
            return trial.run_id, False
        if self._run_id is None:
            raise ValueError("no launch is open: call open_launch first")
        if trial is not None:
            self._client.set_tag(trial.run_id, records.STATE, "superseded")
            self._client.set_terminated(trial.run_id, "KILLED")
        short, _ = records.fit(
            {
                **self._common,
                records.KIND: "trial",
                records.PARENT: self._run_id,
                records.NUMBER: str(number),
                records.ATTEMPT: str(attempt),
                records.STATE: "running",
                **tags,
            }
        )
        run = self._client.create_run(
            self._experiment_id, start_time=started, tags=short, run_name=run_name or f"trial {number:03d}"
        )
        self.trials[number] = Trial(attempt, run.info.run_id)
        return run.info.run_id, True

    def log_stretch(
        self,
        number: int,
        attempt: int,
        params: dict[str, Any],
        tags: dict[str, str],
        metrics: list[tuple[str, float, int]],
        run_name: str | None,
        started: int | None,
        now: int,
    ) -> None:
        run_id, new = self._trial_run(number, attempt, tags, run_name, started or now)
        short, long = records.fit(tags)
        self._log_texts(run_id, long)
        self._log_batch(run_id, metrics, params if new else {}, {} if new else short, now)

    def commit_trial(
        self,
        record: TrialRecord,
        params: dict[str, Any],
        metrics: list[tuple[str, float, int]],
        tags: dict[str, str],
        run_name: str | None,
        started: int | None,
        now: int,
    ) -> None:
        # A new run gets its tags as it is made, which saves a transaction; it counts only once it is terminated.
        run_id, new = self._trial_run(record.number, record.attempt, tags, run_name, started or now)
        short, long = records.fit(tags)
        self._log_texts(run_id, long)
        self._log_batch(run_id, metrics, params if new else {}, {} if new else short, now)
        self._client.set_terminated(run_id, records.TRIAL_STATUS[record.state], end_time=now)
        self.trials[record.number].state = record.state

    def finish_launch(
        self,
        state: str,
        best: TrialRecord | None,
        metrics: dict[str, float],
        tags: dict[str, str],
        artifacts: dict[str, str | bytes],
        now: int,
    ) -> None:
        run_id = self._run_id
        if run_id is None:
            raise ValueError("no launch is open: call open_launch first")
        done: dict[str, int] = {}
        for trial in self.trials.values():
            done[trial.state] = done.get(trial.state, 0) + 1
        all_tags = {records.STATE: state, records.DONE: records.dumps(done), **tags}
        if best is not None:
            best_run = best.run_id or (self.trials[best.number].run_id if best.number in self.trials else None)
            all_tags[records.BEST] = records.dumps(records.best_dict(best, best_run))
            all_tags.setdefault("mlflow.note.content", _note(self._name, best))
            if best.value is not None:
                metrics = {"best_value": float(best.value), **metrics}
            if best_run is not None:
                self._client.set_tag(best_run, records.LEADER, "true")
        short, long = records.fit(all_tags)
        self._log_texts(run_id, {**artifacts, **long})
        self._log_batch(run_id, [(key, value, 0) for key, value in metrics.items()], {}, short, now)
        self._client.set_terminated(run_id, records.LAUNCH_STATUS[state], end_time=now)

    def log_model(
        self,
        folder: Path,
        name: str,
        loader_module: str,
        metrics: dict[str, float],
        requirements: Sequence[str] | None,
        now: int,
    ) -> str:
        if self._run_id is None:
            raise ValueError("no launch is open: call open_launch first")
        return models.log_model(
            self._client,
            self._run_id,
            folder,
            name=name,
            loader_module=loader_module,
            metrics=metrics,
            requirements=models.default_requirements() if requirements is None else requirements,
            timestamp=now,
        )

    def _log_batch(
        self,
        run_id: str,
        metrics: Sequence[tuple[str, float, int]] = (),
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        now: int = 0,
    ) -> None:
        """One request where it fits; the client splits what exceeds 1000 metrics, 100 params or 100 tags."""
        from mlflow.entities import Metric, Param, RunTag

        self._client.log_batch(
            run_id,
            metrics=[Metric(key, value, now, step) for key, value, step in metrics],
            params=[Param(key, records.param_text(value)) for key, value in (params or {}).items()],
            tags=[RunTag(key, value) for key, value in (tags or {}).items()],
        )

    def _log_texts(self, run_id: str, texts: Mapping[str, str | bytes]) -> None:
        for path, text in texts.items():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, PurePosixPath(path).name)
                file.write_bytes(text if isinstance(text, bytes) else text.encode())
                parent = str(PurePosixPath(path).parent)
                self._client.log_artifact(run_id, str(file), None if parent == "." else parent)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in this container
        return "unknown"


def _unfinished(run: Any) -> bool:
    return run.info.status == "RUNNING" or run.data.tags.get(records.STATE) == "interrupted"


def _artifact_location(uri: str, name: str) -> str | None:
    """Beside a SQLite store, where MLflow itself would put artifacts if started there; elsewhere the server decides."""
    path = store.sqlite_path(uri)
    if path is None:
        return None
    folder = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".")[:100] or "_"
    return (path.parent / "mlruns" / folder).as_uri()


def _note(name: str, best: TrialRecord) -> str:
    rows = "".join(f"| {_cell(key)} | {_cell(records.param_text(value))} |\n" for key, value in best.params.items())
    return (
        f"Sweep **{name}**. Best: trial {best.number}, value {best.value}, {best.epochs} epochs.\n\n"
        f"| hyperparameter | value |\n|---|---|\n{rows}"
    )


def _cell(text: str) -> str:
    """Text for a table in Markdown, which takes bars for borders and lets HTML through."""
    return html.escape(text.replace("\n", " ")).replace("|", "&#124;")
