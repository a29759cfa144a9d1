"""The one writer of a sweep: a thread that owns the MLflow client, so that training never waits for the store.

Each call is put into a queue as plain data with its timestamps already chosen, and executed in order. A trial is
committed when its run is terminated, which is always the last write: whoever finds a run still open knows that it does
not count.
"""

import getpass
import queue
import re
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from . import records, store
from .records import TrialRecord


# The second makes MLflow's interface open on runs and charts rather than on traces of language models.
_EXPERIMENT_TAGS = {records.KIND: "sweep", "mlflow.experimentKind": "custom_model_development"}


class StoreError(RuntimeError):
    """The store did not take a write: says which and why, in one line."""


class UnfinishedLaunch(ValueError):  # noqa: N818
    """The sweep's latest launch is running, or was interrupted and can be resumed. Has `name` and `run_id`."""

    def __init__(self, name: str, run_id: str) -> None:
        super().__init__(f"the sweep {name!r} has an unfinished launch ({run_id})")
        self.name = name
        self.run_id = run_id


class Answer(Future[Any]):
    """A future that knows whether its failure was told to somebody; `Writer.close` raises those that were not."""

    told = False

    def result(self, timeout: float | None = None) -> Any:
        try:
            return super().result(timeout)
        except BaseException:
            self.told = self.done()
            raise


@dataclass
class _Task:
    method: str
    what: str
    arguments: dict[str, Any]
    answer: Answer | None = None


@dataclass
class _Trial:
    attempt: int
    run_id: str
    state: str = "running"


class Writer:
    """Writes one launch of one sweep into the store at `uri`.

    Every method but `flush` and `close` returns at once. An error in the thread ends the writing: it is raised by every
    later call and by `flush`, and by `close` if nobody has been told yet. As a context manager it closes itself.
    """

    def __init__(self, uri: str | None = None) -> None:
        self.uri = store.store_uri(uri)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._answers: list[Answer] = []
        self._error: BaseException | None = None
        self._told = False
        self._closed = False
        self._client: Any = None
        self._name = ""
        self._experiment_id = ""
        self._run_id: str | None = None
        self._common: dict[str, str] = {}
        self._trials: dict[int, _Trial] = {}
        # A daemon, so that an interpreter that ends without `close` does not hang on a store that is away.
        self._thread = threading.Thread(target=self._work, name="mlptune-writer", daemon=True)
        self._thread.start()

    # What the coordinator calls.

    def open_launch(
        self,
        name: str,
        *,
        spec_text: str,
        spec: Mapping[str, Any],
        tags: Mapping[str, str],
        params: Mapping[str, Any] | None = None,
        unfinished_ok: bool = False,
        resume: str | None = None,
    ) -> "Future[str]":
        """Open a launch of the sweep `name`; the future gives its run's id.

        It fails with UnfinishedLaunch if the latest launch has not finished (unless `unfinished_ok`), and with
        ValueError if the sweep's experiment was deleted. With `resume`, a run id, that launch is opened again and its
        record of the spec stays.
        """
        return self._ask(
            "_open_launch",
            f"opening a launch of {name!r}",
            name=name,
            spec_text=spec_text,
            spec=dict(spec),
            tags=dict(tags),
            params=dict(params or {}),
            unfinished_ok=unfinished_ok,
            resume=resume,
            now=_now(),
        )

    def log_stretch(
        self,
        number: int,
        attempt: int,
        params: Mapping[str, Any],
        tags: Mapping[str, str],
        first_epoch: int,
        curves: Mapping[str, Sequence[float]],
        run_name: str | None = None,
        started: datetime | None = None,
    ) -> None:
        """Write a stretch of a trial that goes on: `curves[key][j]` belongs to epoch `first_epoch + j`.

        The first call of a trial creates its run, which then began at `started` (default: now).
        """
        self._put(
            "_log_stretch",
            f"writing epochs of trial {number}",
            number=number,
            attempt=attempt,
            params=dict(params),
            tags=dict(tags),
            metrics=_points(curves, first_epoch),
            run_name=run_name,
            started=_milliseconds(started),
            now=_now(),
        )

    def commit_trial(
        self,
        record: TrialRecord,
        curves: Mapping[str, Sequence[float]] | None = None,
        first_epoch: int = 1,
        metrics: Mapping[str, float] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        run_name: str | None = None,
        started: datetime | None = None,
    ) -> None:
        """Write the trial's last stretch, if any, its outcome, and then the end of its run: the commit.

        `metrics` are single numbers (step 0); the trial's value is added to them as `value`. A trial that was never
        logged before gets its run here, with `params` (default: the record's) as MLflow's params.
        """
        if record.state not in records.TRIAL_STATUS:
            raise ValueError(f"trial {record.number}: a trial in state {record.state!r} cannot be committed")
        points = _points(curves or {}, first_epoch) + [(key, float(value), 0) for key, value in (metrics or {}).items()]
        if record.value is not None:
            points.append(("value", float(record.value), 0))
        self._put(
            "_commit_trial",
            f"committing trial {record.number}",
            record=record,
            params=dict(record.params if params is None else params),
            metrics=points,
            tags={**(tags or {}), **records.trial_tags(record)},
            run_name=run_name,
            started=_milliseconds(started),
            now=_now(),
        )

    def finish_launch(
        self,
        state: str,
        *,
        best: TrialRecord | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        artifacts: Mapping[str, str | bytes] | None = None,
    ) -> None:
        """Write the launch's result and end its run.

        `state` is finished, failed or interrupted; `artifacts` maps relative paths to their content.
        """
        if state not in records.LAUNCH_STATUS:
            raise ValueError(f"a launch cannot end in state {state!r}; it is one of {', '.join(records.LAUNCH_STATUS)}")
        for path in artifacts or {}:
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or path in ("", "."):
                raise ValueError(f"artifact {path!r}: its path must be relative and stay inside the run's folder")
        self._put(
            "_finish_launch",
            "finishing the launch",
            state=state,
            best=best,
            metrics={key: float(value) for key, value in (metrics or {}).items()},
            tags=dict(tags or {}),
            artifacts=dict(artifacts or {}),
            now=_now(),
        )

    def log_model(
        self,
        folder: Path,
        *,
        name: str,
        loader_module: str,
        metrics: Mapping[str, float] | None = None,
        requirements: Sequence[str] | None = None,
    ) -> "Future[str]":
        """Log the model's folder under the launch, register it as `name`; the future gives the registered version.

        The folder must stay until the future is done. A failure is the future's alone: the launch can still be
        finished.
        """
        return self._ask(
            "_log_model",
            f"logging the model {name!r}",
            folder=Path(folder),
            name=name,
            loader_module=loader_module,
            metrics=dict(metrics or {}),
            requirements=requirements,
            now=_now(),
        )

    def trial_run_id(self, number: int) -> str | None:
        """The trial's run, None while it has not been created."""
        trial = self._trials.get(number)
        return trial.run_id if trial else None

    def flush(self) -> None:
        """Wait until all that was said before is in the store."""
        self._ask("_nothing", "waiting").result()
        self._raise_error()

    def close(self) -> None:
        """Write what is waiting and end the thread. Raises the error that nobody has been told of, if there is one."""
        if not self._closed:
            self._closed = True
            self._tasks.put(None)
        self._thread.join()
        if self._error is not None and not self._told and not any(a.told for a in self._answers):
            self._raise_error()
        for answer in self._answers:
            if not answer.told and answer.exception() is not None and answer.exception() is not self._error:
                answer.result()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The queue.

    def _put(self, method: str, what: str, answer: Answer | None = None, /, **arguments: Any) -> None:
        self._raise_error()
        if self._closed:
            raise ValueError("the writer is closed")
        self._tasks.put(_Task(method, what, arguments, answer))

    def _ask(self, method: str, what: str, /, **arguments: Any) -> Answer:
        answer = Answer()
        self._put(method, what, answer, **arguments)
        self._answers.append(answer)
        return answer

    def _raise_error(self) -> None:
        if self._error is not None:
            self._told = True
            raise self._error

    def _work(self) -> None:
        try:
            self._start()
        except Exception as error:
            self._error = self._explained(error, "opening it")
        while (task := self._tasks.get()) is not None:
            try:
                if self._error is not None:
                    raise self._error
                result = getattr(self, task.method)(**task.arguments)
            except Exception as error:
                explained = self._explained(error, task.what)
                if task.method != "_log_model" and self._error is None:
                    self._error = explained
                if task.answer is not None:
                    task.answer.set_exception(explained)
            else:
                if task.answer is not None:
                    task.answer.set_result(result)

    def _explained(self, error: Exception, what: str) -> Exception:
        """Store and file errors as one line that says what was being written; faults of ours stay as they are."""
        mlflow_error = type(error).__module__.startswith(("mlflow.", "sqlalchemy."))
        if not mlflow_error and not isinstance(error, OSError):
            return error
        reason = str(error).partition("\n")[0]
        explained = StoreError(f"the store {store.redact(self.uri)} failed while {what}: {reason}")
        explained.__cause__ = error
        return explained

    # What the thread does.

    def _start(self) -> None:
        mlflow = store.import_mlflow()
        store.prepare_store(self.uri)
        self._client = mlflow.MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def _nothing(self) -> None:
        pass

    def _open_launch(
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

    def _reopen_launch(self, run_id: str, tags: dict[str, str]) -> str:
        from .reader import trial_runs

        self._run_id = run_id
        for run, committed in trial_runs(self._client, self._experiment_id, run_id):
            state = run.data.tags[records.STATE] if committed else "running"
            self._trials[int(run.data.tags[records.NUMBER])] = _Trial(
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
            raise ValueError(
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
        trial = self._trials.get(number)
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
                **tags,
                records.KIND: "trial",
                records.PARENT: self._run_id,
                records.NUMBER: str(number),
                records.ATTEMPT: str(attempt),
                records.STATE: "running",
            }
        )
        run = self._client.create_run(
            self._experiment_id, start_time=started, tags=short, run_name=run_name or f"trial {number:03d}"
        )
        self._trials[number] = _Trial(attempt, run.info.run_id)
        return run.info.run_id, True

    def _log_stretch(
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

    def _commit_trial(
        self,
        record: TrialRecord,
        params: dict[str, Any],
        metrics: list[tuple[str, float, int]],
        tags: dict[str, str],
        run_name: str | None,
        started: int | None,
        now: int,
    ) -> None:
        run_id, new = self._trial_run(record.number, record.attempt, {}, run_name, started or now)
        short, long = records.fit(tags)
        self._log_texts(run_id, long)
        self._log_batch(run_id, metrics, params if new else {}, short, now)
        self._client.set_terminated(run_id, records.TRIAL_STATUS[record.state], end_time=now)
        self._trials[record.number].state = record.state

    def _finish_launch(
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
        for trial in self._trials.values():
            done[trial.state] = done.get(trial.state, 0) + 1
        all_tags = {records.STATE: state, records.DONE: records.dumps(done), **tags}
        if best is not None:
            best_run = best.run_id or self.trial_run_id(best.number)
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

    def _log_model(
        self,
        folder: Path,
        name: str,
        loader_module: str,
        metrics: dict[str, float],
        requirements: Sequence[str] | None,
        now: int,
    ) -> str:
        from . import models

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


def _points(curves: Mapping[str, Sequence[float]], first_epoch: int) -> list[tuple[str, float, int]]:
    return [(key, float(value), first_epoch + j) for key, values in curves.items() for j, value in enumerate(values)]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


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
    rows = "".join(f"| {key} | {records.param_text(value)} |\n" for key, value in best.params.items())
    return (
        f"Sweep **{name}**. Best: trial {best.number}, value {best.value}, {best.epochs} epochs.\n\n"
        f"| hyperparameter | value |\n|---|---|\n{rows}"
    )
