"""The one writer of a sweep: a queue with a thread of its own, so that training never waits for the store.

Each call is put into the queue as plain data with its timestamps already chosen, and executed in order by `Runs`: in the one
process of an executor, where MLflow's own computing is nobody's hindrance, or in a thread. While the store is away the thread
tries again with growing pauses, and what waits goes to disk.
"""

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from . import lease, records, remote, store
from .lease import HeldElsewhere as HeldElsewhere
from .records import TrialRecord
from .runs import TrialWrite
from .runs import UnfinishedLaunch as UnfinishedLaunch
from .spool import Spool
from .store import StoreAway
from .store import StoreError as StoreError

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# A write that takes longer than this counts as an outage, though no error has come yet.
SLOW_SECONDS = 10.0
# How long a sweep that has nothing left to do waits for a store that is away.
PATIENCE_SECONDS = 600.0
_LOOK_SECONDS = 0.5
# What trials say is written together as it has come meanwhile, but no call is to last for long.
MOST_AT_ONCE = 32
# These may take their time.
_LONG_CALLS = ("open_launch", "reopen_launch", "log_model")


class Answer(Future[Any]):
    """A future that knows whether its failure was told to somebody; `Writer.close` raises those that were not."""

    def __init__(self, deliver: Callable[[], None]) -> None:
        super().__init__()
        self.told = False
        self._deliver = deliver

    def result(self, timeout: float | None = None) -> Any:
        """Whoever waits hears meanwhile what there is to say about the store."""
        until = None if timeout is None else time.monotonic() + timeout
        try:
            while not self.done() and (until is None or time.monotonic() < until - _LOOK_SECONDS):
                self._deliver()
                try:
                    return super().result(_LOOK_SECONDS)
                except TimeoutError:
                    if self.done():
                        raise
            self._deliver()
            return super().result(None if until is None else max(0.0, until - time.monotonic()))
        except BaseException:
            self.told = self.done()
            raise

    def exception(self, timeout: float | None = None) -> BaseException | None:
        found = super().exception(timeout)
        self.told = self.told or found is not None
        return found


@dataclass
class _Task:
    """A call of `Runs`, or what is written of a trial; `place`: where that waits in the spool, `left_over` by the holder before."""

    method: str
    what: str
    arguments: dict[str, Any]
    answer: Answer | None = None
    place: int | None = None
    left_over: bool = False

    @property
    def is_trials(self) -> bool:
        return self.method == "write_trials"


class Writer:
    """Writes one launch of one sweep into the store at `uri`, in the one process of `executor` if that is given.

    Every method but `flush` and `close` returns at once. While the store is away the writes wait, on disk; a write that it
    refuses ends the writing: the error is raised by every later call and by `flush`, and by `close` if nobody has been told yet.
    `say` hears when the store goes away and comes back, in the threads that call the writer. As a context manager it closes itself.
    """

    def __init__(
        self, uri: str | None = None, executor: Executor | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        self.uri = store.store_uri(uri)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._answers: list[Answer] = []
        self._error: BaseException | None = None
        self._told = False
        self._closed = False
        self._run_ids: dict[int, str] = {}
        self._say = say
        self._news: deque[str] = deque()
        self._holder = lease.take_seat()
        # The rest is the thread's own.
        if executor is None:
            self._executor: Executor = _InThread()
            self._call = remote.Hand().execute
            self._tasks.put(
                _Task("", "opening it", {})
            )  # a store that does not open is told even if nothing is written
        else:
            self._executor = executor
            self._call = remote.execute
        self._waiting: deque[_Task] = deque()
        self._closing = False
        self._patience = PATIENCE_SECONDS
        self._launch: dict[str, Any] | None = None
        self._lost_hand = False
        self._spool: Spool | None = None
        self._in_memory = False
        self._away_since: float | None = None
        self._wanted_since: float | None = None
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
    ) -> "Future[str]":
        """Open a launch of the sweep `name`; the future gives its run's id.

        It fails with UnfinishedLaunch if the latest launch has not finished (unless `unfinished_ok`), and with
        ValueError if the sweep's experiment was deleted.
        """
        return self._ask(
            "open_launch",
            f"opening a launch of {name!r}",
            name=name,
            spec_text=spec_text,
            spec=dict(spec),
            tags=dict(tags),
            params=_texts(params or {}),
            unfinished_ok=unfinished_ok,
            holder=self._holder,
            now=_now(),
        )

    def reopen_launch(self, name: str, run_id: str, *, after: int, tags: Mapping[str, str]) -> "Future[str]":
        """Take the launch `run_id` up again, whose last claim was number `after`; its record of the spec stays.

        What the holder before had spooled is written, then every trial that is still uncommitted is marked superseded: both
        are done when `flush` returns. The future gives the run id; it fails with HeldElsewhere if another was quicker.
        """
        return self._ask(
            "reopen_launch",
            f"taking up the sweep {name!r}",
            name=name,
            run_id=run_id,
            number=after + 1,
            tags=dict(tags),
            holder=self._holder,
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
        self._put_trial(
            f"writing epochs of trial {number}",
            TrialWrite(
                number, attempt, _texts(params), dict(tags), _points(curves, first_epoch), _now(),
                run_name=run_name, started=_milliseconds(started),
            ),
        )  # fmt: skip

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
        self._put_trial(
            f"committing trial {record.number}",
            TrialWrite(
                record.number, record.attempt, _texts(record.params if params is None else params),
                {**(tags or {}), **records.trial_tags(record)}, points, _now(),
                state=record.state, run_name=run_name, started=_milliseconds(started),
            ),
        )  # fmt: skip

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
        """Wait until all that was said before is in the store, and as long as is sensible for a store that is away."""
        self._ask("", "waiting").result()
        self._raise_error()

    def close(self, patience: float | None = None) -> None:
        """Write what is waiting and end the thread. Raises the error that nobody has been told of, if there is one.

        `patience`: for how many seconds to wait for a store that is away. What it has not taken then stays in the spool.
        """
        if patience is not None:
            self._patience = patience
        if not self._closed:
            self._closed = True
            self._tasks.put(None)
        while self._thread.is_alive():
            self._deliver()
            self._thread.join(_LOOK_SECONDS)
        self._deliver()
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
        self._deliver()
        self._raise_error()
        if self._closed:
            raise ValueError("the writer is closed")
        self._tasks.put(_Task(method, what, arguments, answer))

    def _put_trial(self, what: str, write: TrialWrite) -> None:
        self._put("write_trials", what, **vars(write))

    def _ask(self, method: str, what: str, /, **arguments: Any) -> Answer:
        answer = Answer(self._deliver)
        self._put(method, what, answer, **arguments)
        self._answers.append(answer)
        return answer

    def _raise_error(self) -> None:
        if self._error is not None:
            self._told = True
            raise self._error

    def _deliver(self) -> None:
        while self._news:
            text = self._news.popleft()
            if self._say is not None:
                self._say(text)

    # The thread.

    def _work(self) -> None:
        try:
            while True:
                if not self._waiting and not self._closing:
                    self._receive(self._tasks.get())
                elif self._waiting:
                    self._collect()
                    self._do(self._together())
                else:
                    break
        finally:
            self._leave()

    def _receive(self, task: _Task | None) -> None:
        if task is None:
            self._closing = True
        else:
            self._waiting.append(task)

    def _collect(self) -> None:
        while not self._tasks.empty():
            self._receive(self._tasks.get())

    def _together(self) -> list[_Task]:
        """The first task that waits, with those that follow it if all are writes of trials."""
        first = self._waiting[0]
        if not first.is_trials or first.left_over:  # what an earlier holder left is refused one by one, if it is
            return [first]
        return list(islice(takewhile(lambda task: task.is_trials, self._waiting), MOST_AT_ONCE))

    def _do(self, tasks: list[_Task]) -> None:
        """Execute the first tasks that wait, and take them from the queue: done, or failed for good."""
        first = tasks[0]
        try:
            if self._error is not None:
                raise self._error
            result = self._execute(tasks)
        except Exception as error:
            explained = store.explained(error, self.uri, _what(tasks))
            self._take(tasks)
            if first.left_over and not isinstance(error, lease.LeaseLost | _GivenUp):
                # Whatever is wrong with it: its trial is trained again.
                self._waiting = deque(other for other in self._waiting if not other.left_over)
                self._emptied(first)
            elif first.method != "log_model" and self._error is None:
                self._error = explained
            if first.answer is not None:
                first.answer.set_exception(explained)
        else:
            self._take(tasks)
            if first.method in ("open_launch", "reopen_launch"):
                self._opened(first, result)
            self._emptied(first)
            if first.answer is not None:
                first.answer.set_result(result)

    def _take(self, tasks: list[_Task]) -> None:
        for _ in tasks:
            self._waiting.popleft()

    def _emptied(self, task: _Task) -> None:
        if self._spool is not None and task.place is not None and not any(other.place for other in self._waiting):
            self._spool.discard()

    def _opened(self, task: _Task, run_id: str) -> None:
        number = task.arguments.get("number", 1)
        self._launch = {
            "name": task.arguments["name"],
            "run_id": run_id,
            "number": number,
            "tags": task.arguments["tags"],
        }
        self._spool = Spool(run_id, number)
        if task.method == "reopen_launch":
            self._waiting.appendleft(_Task("supersede_uncommitted", "closing uncommitted trials", {}))
            for place in reversed(self._spool.take_over()):
                self._waiting.appendleft(_Task("write_trials", "replaying the spool", {}, place=place, left_over=True))

    def _execute(self, tasks: list[_Task]) -> Any:
        """The result of the tasks, once the store has taken them; raises what it refuses."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if self._lost_hand:
                    assert self._launch is not None
                    self._send([_Task("attach", "taking the launch up again", self._launch)])
                    self._lost_hand = False
                result = self._send(tasks)
            except (StoreAway, BrokenExecutor) as error:
                if self._launch is None:
                    raise StoreError(
                        f"{store.explained(error, self.uri, _what(tasks))}; nothing was begun, try again when it is back"
                    ) from error
                self._lost_hand = self._lost_hand or isinstance(error, BrokenExecutor)
                self._away(str(store.explained(error, self.uri, _what(tasks))))
            else:
                self._back()
                return result
            until = time.monotonic() + pause
            while (left := until - time.monotonic()) > 0:
                self._give_up_or_wait(min(left, _LOOK_SECONDS))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _send(self, tasks: list[_Task]) -> Any:
        method, arguments = tasks[0].method, tasks[0].arguments
        if tasks[0].is_trials:
            arguments = {"writes": [self._trial_write(task) for task in tasks]}
        future = self._executor.submit(self._call, self.uri, method, _what(tasks), arguments)
        began = time.monotonic()
        while True:
            try:
                result, new = future.result(_LOOK_SECONDS)
            except TimeoutError:
                if future.done():
                    raise
                if time.monotonic() - began > SLOW_SECONDS and method not in _LONG_CALLS:
                    self._away(f"the store {store.redact(self.uri)} has not answered for {SLOW_SECONDS:g} s")
                    self._give_up_or_wait(0.0)
                continue
            self._run_ids.update(new)
            return result

    def _trial_write(self, task: _Task) -> TrialWrite:
        if task.place is None:
            return TrialWrite(**task.arguments)
        assert self._spool is not None
        return TrialWrite(**self._spool.read(task.place))

    # The store is away.

    def _away(self, reason: str) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            self._spool_waiting()
            place = "in memory" if self._in_memory or self._spool is None else f"in {self._spool.path}"
            self._news.append(f"{reason}; training goes on, what is to be written waits {place}")

    def _back(self) -> None:
        if self._away_since is not None:
            gone = time.monotonic() - self._away_since
            self._away_since = self._wanted_since = None
            self._news.append(f"the store is back after {gone:.0f} s; writing what has waited")

    def _give_up_or_wait(self, seconds: float) -> None:
        """Collect what the coordinator says meanwhile; raise StoreError once the last patience is over."""
        assert self._away_since is not None
        time.sleep(seconds)
        self._spool_waiting()
        if not (self._closing or any(waiting.answer for waiting in self._waiting)):
            return
        now = time.monotonic()
        if self._wanted_since is None:
            self._wanted_since = now
            self._news.append(
                f"waiting up to {self._patience:.0f} s for the store to take {self._count()} writes; then --resume goes on"
            )
        if now - self._wanted_since > self._patience:
            raise _GivenUp(
                f"the store {store.redact(self.uri)} has been away for {now - self._away_since:.0f} s and "
                f"{self._count()} writes wait; continue with --resume when it is back"
            )

    def _count(self) -> int:
        return sum(bool(waiting.method) for waiting in self._waiting)

    def _spool_waiting(self) -> None:
        self._collect()
        if self._spool is None or self._in_memory:
            return
        tasks = [task for task in self._waiting if task.place is None and task.is_trials]
        if not tasks:
            return
        try:
            places = self._spool.append([task.arguments for task in tasks])
        except OSError as error:
            self._in_memory = True
            self._news.append(f"{self._spool.path} cannot be written ({error.strerror}); what waits, waits in memory")
            return
        for task, place in zip(tasks, places, strict=True):
            task.place, task.arguments = place, {}

    def _leave(self) -> None:
        lease.leave_seat(self._holder)
        if self._spool is not None:
            self._spool.close()
        if self._launch is not None:
            with contextlib.suppress(RuntimeError):  # where the executor has ended, the launch's heart has too
                self._executor.submit(self._call, self.uri, "leave", "leaving", {})


class _InThread(Executor):
    """Runs each call at once, in the thread of whoever submits it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _GivenUp(StoreError):
    """The store is still away, and there is nothing left to do but to wait; what waits stays in the spool."""


def _what(tasks: Sequence[_Task]) -> str:
    more = len(tasks) - 1
    return tasks[0].what + (f" (and {more} more write{'s'[: more > 1]})" if more else "")


def _points(curves: Mapping[str, Sequence[float]], first_epoch: int) -> list[tuple[str, float, int]]:
    return [(key, float(value), first_epoch + j) for key, values in curves.items() for j, value in enumerate(values)]


def _texts(params: Mapping[str, Any]) -> dict[str, str]:
    return {key: records.param_text(value) for key, value in params.items()}


def _now() -> int:
    return time.time_ns() // 1_000_000


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
