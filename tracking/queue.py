"""The queue of writes to the store, with a thread of its own, so that training never waits for the store.

Tasks are carried out in order: in the one process of an executor, where MLflow's own computing is in nobody's way, or in the
thread. While the store is away the thread retries with growing pauses, and the trials' writes that wait go to disk.
"""

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from itertools import islice, takewhile
from typing import Any, ParamSpec, TypeVar

from .._text import counted
from . import lease, process, store
from .process import Call, call
from .records import TrialWrite
from .runs.launches import LaunchClaim, Runs
from .spool import OtherFormat, Spool
from .store.errors import StoreAway, StoreError
from .tasks import POLL_SECONDS, CallTask, OpenTask, Task, TrialTask

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# A write that takes longer than this counts as an outage, though no error has come yet.
SLOW_SECONDS = 10.0
# How long a sweep that has nothing left to do waits for a store that is away.
PATIENCE_SECONDS = 600.0
# Writes of trials that have come meanwhile are sent together, but no call should last long.
MOST_AT_ONCE = 32
# These may take their time.
_LONG_CALLS = (Runs.open_launch, Runs.reopen_launch, Runs.log_model)

P = ParamSpec("P")
R = TypeVar("R")


class WriteQueue:
    """Carries out tasks in the store at `uri`, for `holder` of the launch that the first of them opens.

    After a task that the store refuses, every later task fails with the same error.

    Attributes:
        trial_run_ids: The run of each trial, once it is known.
        requests: The tags of the launch by which others ask something of this process.
        notices: What the user should hear about the store.
        error: What the store said when it refused a task.
        patience: For how many seconds to wait for a store that is away once nothing else is left to do.
    """

    def __init__(self, uri: str, executor: Executor | None, holder: lease.Holder) -> None:
        self.uri = uri
        self.trial_run_ids: dict[int, str] = {}
        self.requests: dict[str, str] = {}
        self.notices: deque[str] = deque()
        self.error: BaseException | None = None
        self.patience = PATIENCE_SECONDS
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        # All else belongs to the thread.
        if executor is None:
            worker = process.StoreWorker()
            self._executor: Executor = _InThread()
            self._execute_call = worker.execute
            self._leave: Callable[[str], None] = worker.leave
            self.put(CallTask(call("opening it", Runs.check_held)))  # a store that does not open is reported at once
        else:
            self._executor = executor
            self._execute_call, self._leave = process.execute, process.leave
        self._holder = holder
        self._waiting: deque[Task] = deque()
        self._ending = False
        self._claim: LaunchClaim | None = None
        self._must_reattach = False
        self._spool: Spool | None = None
        self._in_memory = False
        self._away_since: float | None = None
        self._idle_since: float | None = None
        # A daemon, so that an interpreter that ends without `close` does not hang on a store that is away.
        self._thread = threading.Thread(target=self._work, name="mlptune-writer", daemon=True)
        self._thread.start()

    def put(self, task: Task) -> None:
        """Add a task."""
        self._tasks.put(task)

    def end(self) -> None:
        """Let the thread end after the tasks so far."""
        self._tasks.put(None)

    def ended(self, seconds: float) -> bool:
        """Wait for so long at most; return whether all tasks are done, or have failed."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while True:
                if not self._waiting and not self._ending:
                    self._receive(self._tasks.get())
                elif self._waiting:
                    self._collect()
                    self._do(self._next_batch())
                else:
                    break
        finally:
            self._close()

    def _receive(self, task: Task | None) -> None:
        if task is None:
            self._ending = True
        else:
            self._waiting.append(task)

    def _collect(self) -> None:
        while not self._tasks.empty():
            self._receive(self._tasks.get())

    def _next_batch(self) -> list[Task]:
        """The first task that waits, with those that follow it if all are writes of trials."""
        first = self._waiting[0]
        if (
            not isinstance(first, TrialTask) or first.left_over
        ):  # of what was left over each is refused by itself, if at all
            return [first]
        return list(islice(takewhile(lambda task: isinstance(task, TrialTask), self._waiting), MOST_AT_ONCE))

    def _do(self, tasks: list[Task]) -> None:
        """Carry out the first tasks that wait, and take them from the queue: done, or failed for good."""
        try:
            if self.error is not None:
                raise self.error
            result = self._execute(tasks)
        except Exception as error:
            self._remove(tasks)
            self._failed(tasks[0], error, store.explained(error, self.uri, _doing(tasks)))
        else:
            self._remove(tasks)
            self._done(tasks[0], result)

    def _failed(self, task: Task, error: Exception, explained: Exception) -> None:
        if isinstance(task, TrialTask) and task.left_over and not isinstance(error, lease.LeaseLost | _GivenUp):
            # Whatever is wrong with it: its trial is trained again.
            self._waiting = deque(
                other for other in self._waiting if not (isinstance(other, TrialTask) and other.left_over)
            )
            self._discard_if_empty(task)
        elif self.error is None and not (isinstance(task, CallTask) and task.call.method is Runs.log_model):
            self.error = explained
        if not isinstance(task, TrialTask) and task.future is not None:
            task.future.set_exception(explained)

    def _done(self, task: Task, result: Any) -> None:
        match task:
            case OpenTask():
                self._opened(result)
                task.future.set_result(result.run_id)
            case CallTask(future=future):
                if future is not None:
                    future.set_result(result)
            case TrialTask():
                self._discard_if_empty(task)

    def _remove(self, tasks: list[Task]) -> None:
        for _ in tasks:
            self._waiting.popleft()

    def _discard_if_empty(self, task: TrialTask) -> None:
        """Remove the spool when its last write is done."""
        more = any(isinstance(other, TrialTask) and other.place for other in self._waiting)
        if task.place is not None and self._spool is not None and not more:
            self._spool.discard()

    def _opened(self, claim: LaunchClaim) -> None:
        self._claim = claim
        self._spool = Spool(claim.run_id, claim.number)
        if claim.number > 1:
            self._waiting.appendleft(CallTask(call("closing uncommitted trials", Runs.supersede_uncommitted)))
            try:
                places = self._spool.take_over()
            except OtherFormat as error:
                self.notices.append(str(error))
                return
            for place in reversed(places):
                self._waiting.appendleft(TrialTask("replaying the spool", place=place, left_over=True))

    def _execute(self, tasks: list[Task]) -> Any:
        """The result of the tasks, once the store has taken them; raises what it refuses."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if self._must_reattach:
                    assert self._claim is not None
                    self._send(call("taking the launch up again", Runs.attach, self._claim))
                    self._must_reattach = False
                result = self._send(self._call_of(tasks))
            except (StoreAway, BrokenExecutor) as error:
                explained = store.explained(error, self.uri, _doing(tasks))
                if self._claim is None:
                    raise StoreError(f"{explained}; nothing was begun, try again when it is back") from error
                self._must_reattach = self._must_reattach or isinstance(error, BrokenExecutor)
                self._note_away(str(explained))
            else:
                self._note_back()
                return result
            until = time.monotonic() + pause
            while (left := until - time.monotonic()) > 0:
                self._wait_or_give_up(min(left, POLL_SECONDS))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _call_of(self, tasks: list[Task]) -> Call[Any]:
        first = tasks[0]
        if not isinstance(first, TrialTask):
            return first.call
        writes = [self._write_of(task) for task in tasks if isinstance(task, TrialTask)]
        return call(_doing(tasks), Runs.write_trials, writes)

    def _write_of(self, task: TrialTask) -> TrialWrite:
        if task.write is not None:
            return task.write
        assert self._spool is not None
        assert task.place is not None
        return self._spool.read(task.place)

    def _send(self, request: Call[R]) -> R:
        """The result of the call, however long it takes, unless patience ends."""
        future = self._executor.submit(self._execute_call, self.uri, self._holder.token, request)
        began = time.monotonic()
        while True:
            try:
                result, new, self.requests = future.result(POLL_SECONDS)
            except TimeoutError:
                if future.done():
                    raise
                if time.monotonic() - began > SLOW_SECONDS and request.method not in _LONG_CALLS:
                    self._note_away(f"the store {store.redact(self.uri)} has not answered for {SLOW_SECONDS:g} s")
                    self._wait_or_give_up(0.0)
                continue
            self.trial_run_ids.update(new)
            return result

    # While the store is away.

    def _note_away(self, reason: str) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            self._spool_waiting()
            place = "in memory" if self._in_memory or self._spool is None else f"in {self._spool.path}"
            self.notices.append(f"{reason}; training goes on, writes wait {place}")

    def _note_back(self) -> None:
        if self._away_since is not None:
            gone = time.monotonic() - self._away_since
            self._away_since = self._idle_since = None
            self.notices.append(f"the store is back after {gone:.0f} s; writing what has waited")

    def _wait_or_give_up(self, seconds: float) -> None:
        """Wait and spool what comes meanwhile; raise StoreError if nothing but the store was waited for, for too long."""
        assert self._away_since is not None
        time.sleep(seconds)
        self._spool_waiting()
        if not (self._ending or any(not isinstance(t, TrialTask) and t.future for t in self._waiting)):
            return
        now = time.monotonic()
        if self._idle_since is None:
            self._idle_since = now
            self.notices.append(
                f"waiting up to {self.patience:.0f} s for the store to take {self._count()} writes; --resume continues after that"
            )
        if now - self._idle_since > self.patience:
            raise _GivenUp(
                f"the store {store.redact(self.uri)} has been away for {now - self._away_since:.0f} s and "
                f"{self._count()} writes wait; continue with --resume when it is back"
            )

    def _count(self) -> int:
        """The number of writes that wait, without the calls that only wait for them."""
        return sum(isinstance(t, TrialTask) or t.call.method is not Runs.check_held for t in self._waiting)

    def _spool_waiting(self) -> None:
        self._collect()
        if self._spool is None or self._in_memory:
            return
        tasks = [t for t in self._waiting if isinstance(t, TrialTask) and t.place is None]
        if not tasks:
            return
        try:
            places = self._spool.append([self._write_of(task) for task in tasks])
        except OSError as error:
            self._in_memory = True
            self.notices.append(f"{self._spool.path} cannot be written ({error.strerror}); what waits, waits in memory")
            return
        for task, place in zip(tasks, places, strict=True):
            task.place, task.write = place, None

    def _close(self) -> None:
        lease.unregister_holder(self._holder)
        if self._spool is not None:
            self._spool.close()
        with contextlib.suppress(RuntimeError):  # where the executor has ended, the launch's heartbeat has too
            self._executor.submit(self._leave, self._holder.token)


class _InThread(Executor):
    """Makes each call at once, in the thread that submits it."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _GivenUp(StoreError):
    """The store is still away, and there is nothing left to do but to wait; what waits stays in the spool."""


def _doing(tasks: Sequence[Task]) -> str:
    more = len(tasks) - 1
    return tasks[0].doing + (f" (and {counted(more, 'more write')})" if more else "")
