"""Worker processes on this machine, behind the interface of `concurrent.futures`.

Each worker is a pool of one process (loky's, which imports neither the caller's `__main__` nor anything of ours until its first
job), so that a crash has one culprit and breaks nothing else. Jobs wait in one queue here and go to whichever worker is free.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from loky.backend.context import get_context
from loky.process_executor import ProcessPoolExecutor, ShutdownExecutorError
from threadpoolctl import threadpool_limits

from .shared import Shared

# One thread of linear algebra a worker: threads would compete with the other workers, and two threads change float32 bits.
ENVIRONMENT = {
    f"{library}_THREADS": "1" for library in ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "BLIS_NUM")
}
# loky ends a process that has grown by 300 MB as a leaking one; ours keeps its data and its largest stack.
ENVIRONMENT["LOKY_MAX_MEMORY_LEAK_SIZE"] = "1e15"


ORPHAN_CHECK_SECONDS = 1.0


# Training takes whatever the processors have left: it must neither slow the person's other work nor keep the coordinator and
# the writer, which have little to do but are waited for, from doing it.
TRAINING_NICENESS = 10


# When memory runs out Linux ends the largest process, which may be the coordinator or a person's editor: a worker can be replaced.
OOM_SCORE, OOM_FIRST = "/proc/self/oom_score_adj", "500"


def default_workers() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _initialise(coordinator: int, niceness: int) -> None:
    """In the worker: leave Ctrl-C to the coordinator, and end when the coordinator is gone, even in the middle of a job."""
    os.nice(niceness)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if niceness and os.path.exists(OOM_SCORE):
        with open(OOM_SCORE, "w") as file:
            file.write(OOM_FIRST)

    def watch() -> None:
        while os.getppid() == coordinator:
            time.sleep(ORPHAN_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="orphan-watch").start()


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes that this thread starts meanwhile never hear Ctrl-C, not even before they can say that they ignore it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Every process needs this one, which on being started lets Ctrl-C in again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """One process: its pool of one, the call that it is busy with, and the keys of the shared arguments that it has."""

    def __init__(self) -> None:
        self.pool: ProcessPoolExecutor | None = None
        self.busy: Future | None = None
        self.known: set[str] = set()


class Workers(Executor):
    """`n` worker processes with one queue; each makes `first_call` when it starts (default: it imports the engine).

    A call whose process dies fails with loky's `TerminatedWorkerError` (a `BrokenExecutor`); its worker is replaced and the
    other calls never notice. A call is `running` from the moment at which a worker that is ready takes it. A `Shared`
    argument is sent to each worker once.
    """

    messages = ()  # what a person should know of this executor

    def __init__(
        self, n: int, first_call: Callable[[], object] | None = None, niceness: int = TRAINING_NICENESS
    ) -> None:
        self._first_call = first_call or _import_engine
        self._niceness = niceness
        self._lock = threading.RLock()
        self._waiting: deque[tuple[Future, Callable[..., Any], tuple, dict]] = deque()
        self._closed = False
        self._workers = [_Worker() for _ in range(n)]
        # The processes start now, while the coordinator still reads the data.
        for worker in self._workers:
            self._start(worker)

    def __len__(self) -> int:
        return len(self._workers)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Queue a call; the first free worker takes it."""
        future: Future = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the workers have been shut down")
            self._waiting.append((future, fn, args, kwargs))
            self._dispatch()
        return future

    def kill(self, future: Future) -> None:
        """End the process that runs this call, whatever it is doing; the call fails. Nothing happens to one that is not running."""
        with self._lock:
            for worker in self._workers:
                if worker.busy is future and worker.pool is not None:
                    worker.pool.shutdown(wait=False, kill_workers=True)

    def _start(self, worker: _Worker) -> None:
        """Start the worker's process, or another one in its place."""
        worker.known = set()
        worker.pool = ProcessPoolExecutor(
            max_workers=1,
            context=get_context("loky"),
            env=ENVIRONMENT,
            initializer=_initialise,
            initargs=(os.getpid(), self._niceness),
        )
        with _deaf_children():
            worker.busy = starting = worker.pool.submit(self._first_call)
        starting.add_done_callback(lambda _: self._started(worker))

    def _started(self, worker: _Worker) -> None:
        with self._lock:
            worker.busy = None
            if not self._closed:
                self._dispatch()

    def _dispatch(self) -> None:
        for worker in self._workers:
            while worker.busy is None and self._waiting:
                future, fn, args, kwargs = self._waiting.popleft()
                if future.set_running_or_notify_cancel():
                    self._send(worker, future, fn, args, kwargs)

    def _send(self, worker: _Worker, future: Future, fn: Callable[..., Any], args: tuple, kwargs: dict) -> None:
        assert worker.pool is not None
        sent = {arg.key for arg in args if isinstance(arg, Shared)}
        lightened = [
            Shared(arg.key, None) if isinstance(arg, Shared) and arg.key in worker.known else arg for arg in args
        ]
        try:
            inner = worker.pool.submit(fn, *lightened, **kwargs)
        except BrokenExecutor as error:
            # It died while it started, or while it was idle.
            self._start(worker)
            future.set_exception(error)
            return
        worker.busy = future
        inner.add_done_callback(lambda done: self._finished(worker, future, done, sent))

    def _finished(self, worker: _Worker, future: Future, inner: Future, sent: set[str]) -> None:
        error = inner.exception() if not inner.cancelled() else RuntimeError("the workers have been shut down")
        with self._lock:
            worker.busy = None
            if error is None:
                worker.known |= sent
            if not self._closed:
                if isinstance(error, (BrokenExecutor, ShutdownExecutorError)):
                    self._start(worker)
                self._dispatch()
        # Outside the lock: whoever waits may submit the next job from here.
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(inner.result())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes at once; running jobs are abandoned (whatever was not committed is trained again)."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, deque()
            pools = [worker.pool for worker in self._workers if worker.pool is not None]
        for future, *_ in waiting:
            future.cancel()
        for pool in pools:
            pool.shutdown(wait=wait, kill_workers=True)


def _import_engine() -> None:
    """Import what every job needs, in the worker, before the first job arrives."""
    from . import jobs  # noqa: F401


class Inline(Executor):
    """Runs each call at once, in this thread, with one thread of linear algebra, as a worker would."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        with threadpool_limits(1, "blas"):
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)
        return future
