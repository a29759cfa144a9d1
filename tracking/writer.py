"""The one writer of a sweep: a queue with a thread of its own, so that training never waits for the store.

Each call is put into the queue as plain data with its timestamps already chosen, and executed in order by `Runs`: in that
thread, or in the one process of an executor, where MLflow's own computing is nobody's hindrance.
"""

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from . import records, remote, store
from .records import TrialRecord
from .runs import Runs
from .runs import UnfinishedLaunch as UnfinishedLaunch
from .store import StoreError as StoreError


class Answer(Future[Any]):
    """A future that knows whether its failure was told to somebody; `Writer.close` raises those that were not."""

    told = False

    def result(self, timeout: float | None = None) -> Any:
        try:
            return super().result(timeout)
        except BaseException:
            self.told = self.done()
            raise

    def exception(self, timeout: float | None = None) -> BaseException | None:
        found = super().exception(timeout)
        self.told = self.told or found is not None
        return found


@dataclass
class _Task:
    method: str
    what: str
    arguments: dict[str, Any]
    answer: Answer | None = None


class Writer:
    """Writes one launch of one sweep into the store at `uri`, in the one process of `executor` if that is given.

    Every method but `flush` and `close` returns at once. An error in the thread ends the writing: it is raised by every
    later call and by `flush`, and by `close` if nobody has been told yet. As a context manager it closes itself.
    """

    def __init__(self, uri: str | None = None, executor: Executor | None = None) -> None:
        self.uri = store.store_uri(uri)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._answers: list[Answer] = []
        self._error: BaseException | None = None
        self._told = False
        self._closed = False
        self._run_ids: dict[int, str] = {}
        self._executor = executor
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
            "open_launch",
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
            "log_stretch",
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
            "commit_trial",
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
            "finish_launch",
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
            "log_model",
            f"logging the model {name!r}",
            folder=Path(folder),
            name=name,
            loader_module=loader_module,
            metrics=dict(metrics or {}),
            requirements=requirements,
            now=_now(),
        )

    def count_scored(self, data: str) -> "Future[int]":
        """How many other launches of the sweep have scored a model on the test part of this data (its fingerprint)."""
        return self._ask("count_scored", "counting launches", data=data)

    def trial_run_id(self, number: int) -> str | None:
        """The trial's run, None while it has not been created."""
        return self._run_ids.get(number)

    def flush(self) -> None:
        """Wait until all that was said before is in the store."""
        self._ask("", "waiting").result()
        self._raise_error()

    def close(self) -> None:
        """Write what is waiting and end the thread. Raises the error that nobody has been told of, if there is one."""
        if not self._closed:
            self._closed = True
            self._tasks.put(None)
        self._thread.join()
        told = [answer.exception() for answer in self._answers if answer.told]
        if self._error is not None and not self._told and self._error not in told:
            self._raise_error()
        for answer in self._answers:
            if not answer.told and answer.exception() is not self._error:
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
        runs: Runs | None = None
        try:
            if self._executor is None:
                runs = Runs(self.uri)
        except Exception as error:
            self._error = store.explained(error, self.uri, "opening it")
        while (task := self._tasks.get()) is not None:
            try:
                if self._error is not None:
                    raise self._error
                result = self._execute(task, runs)
            except Exception as error:
                explained = store.explained(error, self.uri, task.what)
                if task.method != "log_model" and self._error is None:
                    self._error = explained
                if task.answer is not None:
                    task.answer.set_exception(explained)
            else:
                if task.answer is not None:
                    task.answer.set_result(result)

    def _execute(self, task: _Task, runs: Runs | None) -> Any:
        if self._executor is not None:
            sent = self._executor.submit(remote.execute, self.uri, task.method, task.what, task.arguments)
            result, new = sent.result()
            self._run_ids.update(new)
            return result
        assert runs is not None
        result = getattr(runs, task.method)(**task.arguments) if task.method else None
        self._run_ids.update((number, trial.run_id) for number, trial in runs.trials.items())
        return result


def _points(curves: Mapping[str, Sequence[float]], first_epoch: int) -> list[tuple[str, float, int]]:
    return [(key, float(value), first_epoch + j) for key, values in curves.items() for j, value in enumerate(values)]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
