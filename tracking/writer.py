"""The one writer of a sweep: what the coordinator reports of launch and trials becomes plain data, its timestamps already chosen.

How that gets to the store, now or when it is back, is the business of `queue`.
"""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, TypeVar

from . import lease, records, schema, store
from .description import Description
from .lease import HeldElsewhere as HeldElsewhere
from .models import Signature
from .process import Call, call
from .queue import WriteQueue
from .records import TrialRecord, TrialWrite
from .runs.launches import LaunchClaim, Runs
from .runs.launches import UnfinishedLaunch as UnfinishedLaunch
from .store.errors import StoreError as StoreError
from .tasks import POLL_SECONDS, CallTask, ObservedFuture, OpenTask, Task, TrialTask

R = TypeVar("R")


class Writer:
    """Writes one launch of one sweep into the store at `uri`, in the one process of `executor` if that is given.

    Every method but `flush` and `close` returns at once. While the store is away the writes wait, on disk; a write that it
    refuses ends the writing: the error is raised by every later call and by `flush`, and by `close` if no caller has seen it yet.
    `say` hears when the store goes away and comes back, in the threads that call the writer. As a context manager it closes itself.
    """

    def __init__(
        self, uri: str | None = None, executor: Executor | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        self.uri = store.store_uri(uri)
        self._futures: list[ObservedFuture[Any]] = []
        self._error_seen = False
        self._closed = False
        self._say = say
        self._metric: str | None = None
        self._holder = lease.register_holder()
        self._queue = WriteQueue(self.uri, executor, self._holder)

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
    ) -> "Future[str]":
        """Open a launch of the sweep `name`; the future gives its run's id.

        It fails with UnfinishedLaunch if the latest launch has not finished (unless `unfinished_ok`), and with
        ValueError if the sweep's experiment was deleted.
        """
        self._metric = tags.get(schema.METRIC)
        return self._open(
            call(
                f"opening a launch of {name!r}",
                Runs.open_launch,
                name,
                spec_text=spec_text,
                spec=dict(spec),
                tags=dict(tags),
                params=dict(params or {}),
                unfinished_ok=unfinished_ok,
                holder=self._holder,
                now=_now(),
            )
        )

    def reopen_launch(self, name: str, run_id: str, *, after: int, tags: Mapping[str, str]) -> "Future[str]":
        """Take the launch `run_id` up again, whose last claim was number `after`; its record of the spec stays.

        What the earlier holder had spooled is written, then every trial that is still uncommitted is marked superseded: both
        are done when `flush` returns. The future gives the run id; it fails with HeldElsewhere if another process was quicker.
        """
        self._metric = tags.get(schema.METRIC)
        claim = LaunchClaim(name, run_id, after + 1, dict(tags))
        return self._open(call(f"taking up the sweep {name!r}", Runs.reopen_launch, claim, self._holder))

    def describe_launch(self, description: Description) -> None:
        """Write what users see of the launch on MLflow's pages: its saved view, its data, what the sweep is about."""
        self._put(CallTask(call("describing the launch", Runs.describe, description, now=_now())))

    def log_segment(
        self,
        record: TrialRecord,
        curves: Mapping[str, Sequence[float]],
        first_epoch: int = 1,
        *,
        tags: Mapping[str, str] | None = None,
        started: datetime | None = None,
    ) -> None:
        """Write a segment of a trial that goes on: `curves[key][j]` belongs to epoch `first_epoch + j`.

        The first call of a trial creates its run, which then began at `started` (default: now).
        """
        self._put(
            TrialTask(
                f"writing epochs of trial {record.number}",
                TrialWrite(record, _points(curves, first_epoch), _now(), dict(tags or {}), _milliseconds(started)),
            )
        )

    def commit_trial(
        self,
        record: TrialRecord,
        curves: Mapping[str, Sequence[float]] | None = None,
        first_epoch: int = 1,
        metrics: Mapping[str, float] | None = None,
        *,
        tags: Mapping[str, str] | None = None,
        started: datetime | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write the trial's last segment, if any, its outcome, and then the end of its run: the commit.

        `metrics` are single numbers (step 0); the trial's value is added to them as `value`. A trial that was never
        logged before gets its run here. `files` are artifacts of the launch, which are there before the commit.
        """
        if record.state not in schema.TRIAL_STATUS:
            raise ValueError(f"trial {record.number}: a trial in state {record.state!r} cannot be committed")
        points = _points(curves or {}, first_epoch) + [(key, float(value), 0) for key, value in (metrics or {}).items()]
        if record.value is not None:
            points.append((schema.VALUE, float(record.value), 0))
            if record.state == "complete" and self._metric is not None:
                points.append((schema.best_metric(self._metric), float(record.value), 0))
        points += [(key, value, 0) for key, value in records.spreads(record).items()]
        self._put(
            TrialTask(
                f"committing trial {record.number}",
                TrialWrite(
                    replace(record, rebuild={}),
                    points,
                    _now(),
                    {**(tags or {}), **records.trial_tags(record)},
                    _milliseconds(started),
                    {path: base64.b64encode(content).decode() for path, content in (files or {}).items()},
                ),
            )
        )

    def log_metric(self, key: str, value: float, step: int) -> None:
        """Write a number of the launch."""
        self._put(CallTask(call(f"writing {key}", Runs.log_metric, key, float(value), step, now=_now())))

    def finish_launch(
        self,
        state: str,
        *,
        best: TrialRecord | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        members: Mapping[int, float] | None = None,
        artifacts: Mapping[str, str | bytes] | None = None,
        leaders: Sequence[TrialRecord] = (),
        said: Sequence[str] = (),
        front: Sequence[int] = (),
    ) -> None:
        """Write the launch's result and end its run.

        `state` is finished, failed or interrupted; `members` are the trials that the model is made of, with their weights;
        `artifacts` maps relative paths to their content; `leaders`, the best trials in order, and `said`, the diagnosis, are part
        of the description; `front` are the trials of the Pareto front, of a sweep with several metrics.
        """
        if state not in schema.LAUNCH_STATUS:
            raise ValueError(f"a launch cannot end in state {state!r}; it is one of {', '.join(schema.LAUNCH_STATUS)}")
        for path in artifacts or {}:
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or path in ("", "."):
                raise ValueError(f"artifact {path!r}: its path must be relative and stay inside the run's folder")
        self._put(
            CallTask(
                call(
                    "finishing the launch",
                    Runs.finish_launch,
                    state,
                    best=best,
                    metrics={key: float(value) for key, value in (metrics or {}).items()},
                    tags=dict(tags or {}),
                    members=dict(members or {}),
                    artifacts=dict(artifacts or {}),
                    leaders=list(leaders),
                    said=list(said),
                    front=list(front),
                    now=_now(),
                )
            )
        )

    def log_model(
        self,
        folder: Path,
        *,
        name: str,
        loader_module: str,
        metrics: Mapping[str, float] | None = None,
        requirements: Sequence[str] | None = None,
        signature: Signature | None = None,
    ) -> "Future[str]":
        """Log the model's folder under the launch, register it as `name`; the future gives the registered version.

        The folder must stay until the future is done. A failure concerns the future only: the launch can still be
        finished.
        """
        return self._ask(
            call(
                f"logging the model {name!r}",
                Runs.log_model,
                folder=Path(folder),
                name=name,
                loader_module=loader_module,
                metrics=dict(metrics or {}),
                requirements=requirements,
                signature=signature,
                now=_now(),
            )
        )

    def count_scored(self, data: str) -> "Future[int]":
        """How often models of the sweep were scored on the test part of this data (its fingerprint)."""
        return self._ask(call("counting test scores", Runs.count_scored, data))

    def tag_launch(self, tags: Mapping[str, str]) -> None:
        """Write these tags of the launch."""
        self._put(CallTask(call("writing tags of the launch", Runs.tag_launch, dict(tags))))

    def requests(self) -> Mapping[str, str]:
        """The tags by which others ask something of this process, as the heartbeat has seen them before the last write."""
        return self._queue.requests

    def trial_run_id(self, number: int) -> str | None:
        """The trial's run, None while it has not been created."""
        return self._queue.trial_run_ids.get(number)

    def flush(self) -> None:
        """Wait until everything so far is in the store, as long as is sensible for a store that is away."""
        self._ask(call("waiting", Runs.check_held)).result()
        self._raise_error()

    def close(self, patience: float | None = None) -> None:
        """Write what is waiting and end the thread. Raises the error that no caller has seen, if there is one.

        `patience`: for how many seconds to wait for a store that is away. What it has not taken then stays in the spool.
        """
        if patience is not None:
            self._queue.patience = patience
        if not self._closed:
            self._closed = True
            self._queue.end()
        while not self._queue.ended(POLL_SECONDS):
            self.deliver_notices()
        self.deliver_notices()
        seen = [future.exception() for future in self._futures if future.seen]
        if self._queue.error is not None and not self._error_seen and self._queue.error not in seen:
            self._raise_error()
        for future in self._futures:
            if not future.seen and future.exception() is not self._queue.error:
                future.result()

    def deliver_notices(self) -> None:
        """Say what there is to say about the store."""
        while self._queue.notices:
            text = self._queue.notices.popleft()
            if self._say is not None:
                self._say(text)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The queue.

    def _put(self, task: Task) -> None:
        self.deliver_notices()
        self._raise_error()
        if self._closed:
            raise ValueError("the writer is closed")
        self._queue.put(task)

    def _open(self, request: Call[LaunchClaim]) -> ObservedFuture[str]:
        future = ObservedFuture[str](self.deliver_notices)
        self._put(OpenTask(request, future))
        self._futures.append(future)
        return future

    def _ask(self, request: Call[R]) -> ObservedFuture[R]:
        future = ObservedFuture[R](self.deliver_notices)
        self._put(CallTask(request, future))
        self._futures.append(future)
        return future

    def _raise_error(self) -> None:
        if self._queue.error is not None:
            self._error_seen = True
            raise self._queue.error


def _points(curves: Mapping[str, Sequence[float]], first_epoch: int) -> list[tuple[str, float, int]]:
    return [(key, float(value), first_epoch + j) for key, values in curves.items() for j, value in enumerate(values)]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
