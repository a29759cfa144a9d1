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
from loky.process_executor import ProcessPoolExecutor
from threadpoolctl import threadpool_limits

# One thread of linear algebra a worker: threads would compete with the other workers, and two threads change float32 bits.
SINGLE_THREAD = {
    f"{library}_THREADS": "1" for library in ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "BLIS_NUM")
}

ORPHAN_CHECK_SECONDS = 1.0
# Training takes whatever the processors have left: it must neither slow the person's other work nor keep the coordinator and
# the writer, which have little to do but are waited for, from doing it.
TRAINING_NICENESS = 10


def default_workers() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _initialise(coordinator: int, niceness: int) -> None:
    """In the worker: leave Ctrl-C to the coordinator, and end when the coordinator is gone, even in the middle of a job."""
    os.nice(niceness)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

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


class Workers(Executor):
    """`n` worker processes with one queue; each makes `first_call` when it starts (default: it imports the engine).

    A job whose process dies fails with loky's `TerminatedWorkerError` (a `BrokenExecutor`); its worker is replaced and the
    other jobs never notice.
    """

    def __init__(
        self, n: int, first_call: Callable[[], object] | None = None, niceness: int = TRAINING_NICENESS
    ) -> None:
        self._niceness = niceness
        self._lock = threading.RLock()
        self._waiting: deque[tuple[Future, Callable[..., Any], tuple, dict]] = deque()
        self._closed = False
        self._busy: dict[int, Future | None] = dict.fromkeys(range(n))
        self._pools = {slot: self._pool() for slot in range(n)}
        # Start the processes now, while the coordinator still reads the data.
        with _deaf_children():
            for pool in self._pools.values():
                pool.submit(first_call or _import_engine)

    def _pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            max_workers=1,
            context=get_context("loky"),
            env=SINGLE_THREAD,
            initializer=_initialise,
            initargs=(os.getpid(), self._niceness),
        )

    def __len__(self) -> int:
        return len(self._pools)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Queue a call; the first free worker takes it."""
        future: Future = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the workers have been shut down")
            self._waiting.append((future, fn, args, kwargs))
            self._dispatch()
        return future

    def _dispatch(self) -> None:
        for slot, current in self._busy.items():
            while current is None and self._waiting:
                future, fn, args, kwargs = self._waiting.popleft()
                if future.set_running_or_notify_cancel():
                    current = self._busy[slot] = future
                    with _deaf_children():
                        inner = self._pools[slot].submit(fn, *args, **kwargs)
                    inner.add_done_callback(lambda done, slot=slot, future=future: self._finished(slot, future, done))

    def _finished(self, slot: int, future: Future, inner: Future) -> None:
        error = inner.exception() if not inner.cancelled() else RuntimeError("the workers have been shut down")
        with self._lock:
            self._busy[slot] = None
            if not self._closed:
                if isinstance(error, BrokenExecutor):
                    self._pools[slot] = self._pool()
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
            pools = list(self._pools.values())
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
