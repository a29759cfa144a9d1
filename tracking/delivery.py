"""The way of a write to the store: a queue with a thread of its own, so that training never waits for the store.

Each task is a call of `Runs`, executed in order: in the one process of an executor, where MLflow's own computing is nobody's
hindrance, or in the thread. While the store is away the thread tries again with growing pauses, and what waits goes to disk.
"""

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

from . import lease, remote, store
from .runs import TrialWrite
from .spool import Spool
from .store.errors import StoreAway, StoreError

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# A write that takes longer than this counts as an outage, though no error has come yet.
SLOW_SECONDS = 10.0
# How long a sweep that has nothing left to do waits for a store that is away.
PATIENCE_SECONDS = 600.0
LOOK_SECONDS = 0.5
# What trials say is written together as it has come meanwhile, but no call is to last for long.
MOST_AT_ONCE = 32
# These may take their time.
_LONG_CALLS = ("open_launch", "reopen_launch", "log_model")


class Answer(Future[Any]):
    """A future that knows whether its failure was told to somebody; `Writer.close` raises those that were not."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self.told = False
        self._tell = tell

    def result(self, timeout: float | None = None) -> Any:
        """Whoever waits hears meanwhile what there is to say about the store."""
        until = None if timeout is None else time.monotonic() + timeout
        try:
            while not self.done() and (until is None or time.monotonic() < until - LOOK_SECONDS):
                self._tell()
                try:
                    return super().result(LOOK_SECONDS)
                except TimeoutError:
                    if self.done():
                        raise
            self._tell()
            return super().result(None if until is None else max(0.0, until - time.monotonic()))
        except BaseException:
            self.told = self.done()
            raise

    def exception(self, timeout: float | None = None) -> BaseException | None:
        found = super().exception(timeout)
        self.told = self.told or found is not None
        return found


@dataclass
class Task:
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


class Delivery:
    """Delivers tasks to the store at `uri`, for `holder` of the launch that the first of them opens.

    `run_ids` are the trials' runs as they come to be known, `news` what a person should hear about the store. After a task that
    the store refuses, `error` is what it said, and every later task fails with it. `patience`: for how many seconds to wait for a
    store that is away once nothing else is left to do.
    """

    def __init__(self, uri: str, executor: Executor | None, holder: lease.Holder) -> None:
        self.uri = uri
        self.run_ids: dict[int, str] = {}
        self.news: deque[str] = deque()
        self.error: BaseException | None = None
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self.patience = PATIENCE_SECONDS
        # The rest is the thread's own.
        if executor is None:
            self._executor: Executor = _InThread()
            self._call = remote.Hand().execute
            self.put(Task("", "opening it", {}))  # a store that does not open is told even if nothing is written
        else:
            self._executor = executor
            self._call = remote.execute
        self._holder = holder
        self._waiting: deque[Task] = deque()
        self._closing = False
        self._launch: dict[str, Any] | None = None
        self._lost_hand = False
        self._spool: Spool | None = None
        self._in_memory = False
        self._away_since: float | None = None
        self._wanted_since: float | None = None
        # A daemon, so that an interpreter that ends without `close` does not hang on a store that is away.
        self._thread = threading.Thread(target=self._work, name="mlptune-writer", daemon=True)
        self._thread.start()

    def put(self, task: Task) -> None:
        self._tasks.put(task)

    def end(self) -> None:
        """No task will follow."""
        self._tasks.put(None)

    def ended(self, seconds: float) -> bool:
        """Wait so long at most; whether all is delivered, or has failed."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

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

    def _receive(self, task: Task | None) -> None:
        if task is None:
            self._closing = True
        else:
            self._waiting.append(task)

    def _collect(self) -> None:
        while not self._tasks.empty():
            self._receive(self._tasks.get())

    def _together(self) -> list[Task]:
        """The first task that waits, with those that follow it if all are writes of trials."""
        first = self._waiting[0]
        if not first.is_trials or first.left_over:  # what an earlier holder left is refused one by one, if it is
            return [first]
        return list(islice(takewhile(lambda task: task.is_trials, self._waiting), MOST_AT_ONCE))

    def _do(self, tasks: list[Task]) -> None:
        """Execute the first tasks that wait, and take them from the queue: done, or failed for good."""
        first = tasks[0]
        try:
            if self.error is not None:
                raise self.error
            result = self._execute(tasks)
        except Exception as error:
            explained = store.explained(error, self.uri, _what(tasks))
            self._take(tasks)
            if first.left_over and not isinstance(error, lease.LeaseLost | _GivenUp):
                # Whatever is wrong with it: its trial is trained again.
                self._waiting = deque(other for other in self._waiting if not other.left_over)
                self._emptied(first)
            elif first.method != "log_model" and self.error is None:
                self.error = explained
            if first.answer is not None:
                first.answer.set_exception(explained)
        else:
            self._take(tasks)
            if first.method in ("open_launch", "reopen_launch"):
                self._opened(first, result)
            self._emptied(first)
            if first.answer is not None:
                first.answer.set_result(result)

    def _take(self, tasks: list[Task]) -> None:
        for _ in tasks:
            self._waiting.popleft()

    def _emptied(self, task: Task) -> None:
        if self._spool is not None and task.place is not None and not any(other.place for other in self._waiting):
            self._spool.discard()

    def _opened(self, task: Task, run_id: str) -> None:
        number = task.arguments.get("number", 1)
        self._launch = {
            "name": task.arguments["name"],
            "run_id": run_id,
            "number": number,
            "tags": task.arguments["tags"],
        }
        self._spool = Spool(run_id, number)
        if task.method == "reopen_launch":
            self._waiting.appendleft(Task("supersede_uncommitted", "closing uncommitted trials", {}))
            for place in reversed(self._spool.take_over()):
                self._waiting.appendleft(Task("write_trials", "replaying the spool", {}, place=place, left_over=True))

    def _execute(self, tasks: list[Task]) -> Any:
        """The result of the tasks, once the store has taken them; raises what it refuses."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if self._lost_hand:
                    assert self._launch is not None
                    self._send([Task("attach", "taking the launch up again", self._launch)])
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
                self._give_up_or_wait(min(left, LOOK_SECONDS))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _send(self, tasks: list[Task]) -> Any:
        method, arguments = tasks[0].method, tasks[0].arguments
        if tasks[0].is_trials:
            arguments = {"writes": [self._trial_write(task) for task in tasks]}
        future = self._executor.submit(self._call, self.uri, method, _what(tasks), arguments)
        began = time.monotonic()
        while True:
            try:
                result, new = future.result(LOOK_SECONDS)
            except TimeoutError:
                if future.done():
                    raise
                if time.monotonic() - began > SLOW_SECONDS and method not in _LONG_CALLS:
                    self._away(f"the store {store.redact(self.uri)} has not answered for {SLOW_SECONDS:g} s")
                    self._give_up_or_wait(0.0)
                continue
            self.run_ids.update(new)
            return result

    def _trial_write(self, task: Task) -> TrialWrite:
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
            self.news.append(f"{reason}; training goes on, what is to be written waits {place}")

    def _back(self) -> None:
        if self._away_since is not None:
            gone = time.monotonic() - self._away_since
            self._away_since = self._wanted_since = None
            self.news.append(f"the store is back after {gone:.0f} s; writing what has waited")

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
            self.news.append(
                f"waiting up to {self.patience:.0f} s for the store to take {self._count()} writes; then --resume goes on"
            )
        if now - self._wanted_since > self.patience:
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
            self.news.append(f"{self._spool.path} cannot be written ({error.strerror}); what waits, waits in memory")
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


def _what(tasks: Sequence[Task]) -> str:
    more = len(tasks) - 1
    return tasks[0].what + (f" (and {more} more write{'s'[: more > 1]})" if more else "")
